// The composer: the text being written, its draft, what waits behind a running answer, and the submission on its way.
// A draft is kept for each chat in localStorage. A submission keeps its key until the server has stored it, over lost
// connections and reloads, so that it is never asked twice and never lost.

import { Attachments, offerDrops } from "./chat_attachments.js"
import { Gauge } from "./chat_gauge.js"
import { Mentions } from "./chat_mentions.js"
import { Picked } from "./chat_picked.js"
import { newKey, Queue } from "./chat_queue.js"
import { storageOf, TEMPORARY } from "./chat_temporary.js"

const MAX_BOX_PX = 260
const MAX_CHARS = 2_000_000
const MAX_BYTES = 4_000_000
const MAX_STORED_CHARS = 200_000
const HINT = t("Enter sends, Shift+Enter breaks the line")
const SENT_SOON = t("Sent as soon as its files are there")
const HINTS_WHILE_WRITING = { queue: t("Enter queues, Ctrl+Enter interrupts"), steer: t("Enter steers, Ctrl+Enter interrupts") }
const ENTER = "llm-ui-enter"
const PENDING = "llm-ui-draft pending"

const find = (id) => document.getElementById(id)

// A pasted book is not stored: writing it would hold up typing.
function store(storage, name, value) {
  try {
    if (value && value.length <= MAX_STORED_CHARS) storage.setItem(name, value)
    else storage.removeItem(name)
  } catch {
    // The browser's store is full or switched off: the text stays in the box.
  }
}

function readPending() {
  try {
    return JSON.parse(sessionStorage.getItem(PENDING))
  } catch {
    return null
  }
}

// Why a text cannot be sent; empty when it can.
function problem(text) {
  if (text.length > MAX_CHARS) {
    return t("The message has {count} characters; {most} are the most. Shorten it or split it.", {
      count: text.length.toLocaleString(document.documentElement.lang), most: MAX_CHARS.toLocaleString(document.documentElement.lang),
    })
  }
  if (text.length * 6 > MAX_BYTES && new Blob([JSON.stringify(text)]).size > MAX_BYTES) {
    return t("The message is larger than 4 MB. Shorten it or split it.")
  }
  return ""
}

export class Composer {
  // `act` has submit(pending) and stop().
  constructor(act) {
    this.act = act
    this.place = undefined // Until it is known which chat is open.
    this.isStreaming = false
    this.isInterrupting = false
    this.openBlock = -1
    this.sendSoon = null
    this.isBlind = false
    this.pending = readPending()
    this.box = find("message")
    this.button = find("send")
    this.queue = new Queue(find("queue"), {
      sendNow: (item) => this.#sendNow(item),
      takeBack: (item) => this.#takeBack(item),
    })
    this.gauge = new Gauge(find("gauge"), (number, text) => this.#weigh(number, text))
    this.files = new Attachments(find("attachments"), {
      changed: () => this.#filesChanged(),
      refuse: (sentence) => this.refuse(sentence),
      limits: () => ({
        files: Number(find("composer").dataset.maxFiles), bytes: Number(find("composer").dataset.maxBytes),
        refusal: this.place === TEMPORARY ? t("A temporary chat takes no files: they would be stored on the server.") : "",
      }),
      emptied: () => this.refocus(),
    }, { isKept: true })
    this.picked = new Picked(find("picked"), {
      find: (text, number) => this.act.findDocuments(this.place, text, number), project: () => this.act.project(),
      look: () => this.mentions.look(), refuse: (sentence) => this.refuse(sentence), emptied: () => this.refocus(), changed: () => this.asksOther(),
    })
    // Before the keys of the composer itself.
    this.mentions = new Mentions(this.box, find("mentions"), { models: () => this.act.offeredModels(), prompts: () => this.act.offeredPrompts(), documents: this.picked })
    this.#listen()
  }

  #listen() {
    find("composer").querySelector(".composer-row").prepend(Object.assign(this.files.button(), { id: "attach" }))
    this.files.listen(this.box)
    offerDrops(find("chat"), () => this.act.drops() ?? { text: t("Drop files to attach them"), take: (files) => this.files.add(files) })
    find("composer").addEventListener("submit", (event) => {
      event.preventDefault()
      if (this.isStreaming) this.act.stop()
      else this.submit()
    })
    find("composer").addEventListener("click", (event) => {
      if (event.target === event.currentTarget || event.target.classList.contains("composer-row")) this.box.focus()
    })
    // A dialog that closes gives the focus back, but in Chromium without a caret: what is typed next would be lost.
    document.addEventListener("close", () => { if (document.activeElement === this.box) this.refocus() }, true)
    this.box.addEventListener("keydown", (event) => this.#pressed(event))
    this.box.addEventListener("input", () => {
      this.#draft(this.place, this.box.value)
      this.#measure()
      this.#fit()
    })
    find("enqueue").addEventListener("click", () => this.#enqueue())
    find("interrupt").addEventListener("click", () => this.#interruptWithText())
    const enter = find("enter-mode")
    enter.value = localStorage.getItem(ENTER) ?? "queue"
    enter.addEventListener("change", () => {
      store(localStorage, ENTER, enter.value)
      this.#allow()
    })
  }

  #pressed(event) {
    if (event.key === "ArrowUp" && !this.box.value) {
      if (this.queue.takeBackLast() || this.act.editLast()) event.preventDefault()
    }
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
    event.preventDefault()
    if (!this.isStreaming && !this.pending) this.submit()
    else if (event.ctrlKey || event.metaKey) this.#interruptWithText()
    else this.#enqueue()
  }

  // Show the draft of a chat, or of a new one.
  open(place) {
    this.place = place
    this.queue.open(place)
    const isSent = this.pending?.op === "send" && this.pending.chat === place && !this.pending.isLeft && !this.pending.isQueued
    this.box.value = isSent ? "" : this.#drafted(place) ?? ""
    for (const kept of [this.files, this.picked]) kept.open(place, { isEmpty: isSent })
    this.sendSoon = null
    this.refuse("")
    this.asksOther()
    this.#fit()
  }

  enable() {
    this.box.disabled = false
  }

  focus() {
    if (matchMedia("(pointer: fine)").matches) this.box.focus({ preventScroll: true })
  }

  // With the caret put where it is: a box that only seems to have the focus takes no keys.
  refocus() {
    this.box.focus()
    this.box.setSelectionRange(this.box.selectionStart, this.box.selectionEnd)
  }

  setStreaming(isStreaming) {
    this.isStreaming = isStreaming
    const label = isStreaming ? t("Stop") : t("Send")
    this.button.setAttribute("aria-label", label)
    this.button.title = label
    this.button.classList.toggle("stop", isStreaming)
    this.#allow()
  }

  // The new chat got its name.
  named(place) {
    this.place = place
    this.files.moveTo(place)
    this.picked.moveTo(place)
    this.queue.moveTo(place)
  }

  // An answer has ended: what waits goes on its way, unless the answer failed or the person stopped it.
  ended({ isWell }) {
    const isGoing = isWell || this.isInterrupting
    this.isInterrupting = false
    this.openBlock = -1
    this.gauge.forget()
    this.#measure()
    if (isGoing) this.sendNext()
    else this.queue.hold()
  }

  // Send what waits first, if it may go by itself now.
  sendNext() {
    const item = this.isStreaming || this.pending ? null : this.queue.next()
    if (!item) return
    this.queue.sending(item.key)
    const { key, text, files = [], picked = [] } = item
    this.#begin({ op: "send", key, text, files, picked, ...this.#where(), isQueued: true })
  }

  // The answer grows, its last block is the one with this number. A message that steers waits for that block's end.
  progressed(openBlock) {
    const isNext = openBlock < 0 || openBlock > this.openBlock
    if (this.queue.isSteering && isNext) this.#interrupt()
    else if (!this.queue.isSteering) this.openBlock = openBlock
  }

  submit() {
    if (this.pending || !this.#isReady(() => this.submit())) return
    const [text, files, picked] = [this.box.value, this.files.take(), this.picked.take()]
    this.box.value = ""
    this.#begin({ op: "send", key: newKey(), text, files, picked, ...this.#where() })
    this.#measure()
    this.#fit()
  }

  #where() {
    return { chat: this.place, beside: this.act.beside(), project: this.place ? null : this.act.project() }
  }

  // Whether what is written can be sent now; what has to wait for its files is sent when they are there.
  #isReady(send) {
    const text = this.box.value
    this.sendSoon = null
    if (!text.trim() && this.files.isEmpty) return false
    const why = problem(text) || this.files.problem || this.#blindness()
    this.refuse(why)
    if (!why && this.files.isUploading) this.sendSoon = send
    this.#allow()
    return !why && !this.sendSoon
  }

  // Why the models cannot be asked with these images; empty when they can.
  #blindness() {
    const blind = this.files.hasImages ? this.act.blindModel() : null
    return blind ? t("{model} cannot see images. Pick another model, or remove the image.", { model: blind }) : ""
  }

  #filesChanged() {
    this.asksOther()
    if (this.sendSoon && !this.files.isUploading) this.sendSoon()
  }

  // Another model is asked, or others beside it.
  asksOther() {
    this.gauge.forget()
    this.#measure()
    this.#look()
  }

  // Whether the models can see images is said before anything is sent.
  #look() {
    const why = this.#blindness()
    if (why || this.isBlind) this.refuse(why || this.files.problem)
    this.isBlind = Boolean(why)
    this.#allow()
  }

  // A chat that begins now is kept elsewhere: other instructions go along, and passages of other documents.
  placed() {
    if (this.project !== this.#where().project) this.asksOther()
    this.project = this.#where().project
  }

  #weigh(number, text) {
    const isTemporary = this.place === TEMPORARY
    this.act.gauge({
      number, attachments: this.files.ids, project: this.#where().project, is_temporary: isTemporary,
      text: isTemporary ? "" : text, documents: this.picked.here.map((one) => one.id),
    })
  }

  #measure() {
    this.gauge.show(this.box.value, { hasFiles: !this.files.isEmpty })
  }

  // Ask again about a message of the open chat: `what` is the operation without key and chat.
  again(what) {
    if (!this.pending) this.#begin({ ...what, key: newKey(), chat: this.place })
  }

  quote(text) {
    const quoted = text.trim().split("\n").map((line) => `> ${line}`).join("\n")
    this.#write(`${this.box.value ? `${this.box.value.trimEnd()}\n\n` : ""}${quoted}\n\n`)
    this.box.focus()
  }

  // A question that was offered: asked at once, unless something is being written.
  take(text) {
    const isFree = !this.box.value.trim() && !this.pending && !this.isStreaming
    this.#write(this.box.value.trim() ? `${this.box.value.trimEnd()}\n\n${text}` : text)
    if (isFree) this.submit()
    else this.box.focus()
  }

  // The person went elsewhere: what is on its way goes on, but is not shown any more.
  leave() {
    if (!this.pending) return
    this.pending.isLeft = true
    store(storageOf(this.pending.chat, sessionStorage), PENDING, JSON.stringify(this.pending))
  }

  // The server has stored it. Returns the submission, if it was one of this page.
  sent(key) {
    const done = this.#end(key)
    if (done?.isQueued) this.queue.remove(key, done.chat)
    else if (done?.op === "send") {
      if (this.#drafted(done.chat) === done.text) this.#draft(done.chat, "")
      if (done.chat === this.place && !done.isLeft) for (const kept of [this.files, this.picked]) kept.keep()
      else this.#storeBeside(done.chat, [], [])
    }
    return done
  }

  // The server has refused it: the text comes back. Returns the submission, if it was one of this page.
  refused(key, message) {
    const done = this.#end(key)
    if (!done) return null
    if (done.isQueued) {
      this.queue.hold()
      this.refuse(message)
    } else if (done.chat === this.place && !done.isLeft) {
      if (done.text) this.box.value = this.box.value ? `${done.text}\n\n${this.box.value}` : done.text
      if (done.op === "send") this.#putBack(done)
      this.#draft(this.place, this.box.value)
      this.refuse(message)
      this.#fit()
    } else if (done.op === "send") {
      this.#draft(done.chat, done.text)
      this.#storeBeside(done.chat, done.files ?? [], done.picked ?? [])
    }
    return done
  }

  // Say why something was not sent; an empty message takes the sentence away.
  refuse(message) {
    find("refusal").textContent = message
    find("refusal").hidden = !message
  }

  // Enter while an answer is being written.
  #enqueue() {
    if (!this.#isReady(() => (this.isStreaming ? this.#enqueue() : this.submit()))) return null
    const item = this.queue.add(this.box.value, this.files.take(), { picked: this.picked.take(), isSteering: find("enter-mode").value === "steer" })
    this.#write("")
    return item
  }

  // What is written now comes before the rest of the answer.
  #interruptWithText() {
    const item = this.#enqueue()
    if (item) this.#sendNow(item)
  }

  #sendNow(item) {
    this.queue.release(item)
    if (this.isStreaming) this.#interrupt()
    else this.sendNext()
  }

  #interrupt() {
    if (this.isInterrupting) return
    this.isInterrupting = true
    this.act.stop()
  }

  // A message that was queued is edited where it was written.
  #takeBack(item) {
    this.#write(this.box.value.trim() ? `${this.box.value.trimEnd()}\n\n${item.text}` : item.text)
    this.#putBack(item)
    this.box.focus()
  }

  // What was given away with a text comes back.
  #putBack({ files = [], picked = [] }) {
    this.files.putBack(files)
    this.picked.putBack(picked)
  }

  #storeBeside(place, files, picked) {
    Attachments.store(place, files)
    Picked.store(place, picked)
  }

  #write(text) {
    this.box.value = text
    this.box.dispatchEvent(new Event("input"))
  }

  #begin(pending) {
    this.pending = pending
    if (pending.op === "send") {
      pending.attachments = pending.files.map((file) => file.id)
      pending.documents = (pending.picked ?? []).map((one) => one.id)
    }
    if (pending.op === "send" && !pending.isQueued) {
      this.#draft(this.place, pending.text)
      this.#storeBeside(this.place, pending.files, pending.picked ?? [])
    }
    store(storageOf(pending.chat, sessionStorage), PENDING, JSON.stringify(pending))
    this.refuse("")
    this.act.submit(pending)
  }

  #end(key) {
    if (this.pending?.key !== key) return null
    const done = this.pending
    this.pending = null
    this.queue.sending(null)
    store(sessionStorage, PENDING, "")
    return done
  }

  #drafted(place) {
    return storageOf(place, localStorage).getItem(`llm-ui-draft ${place ?? "new"}`)
  }

  #draft(place, text) {
    store(storageOf(place, localStorage), `llm-ui-draft ${place ?? "new"}`, text)
  }

  #fit() {
    this.box.style.height = "auto"
    this.box.style.height = `${Math.min(this.box.scrollHeight, MAX_BOX_PX)}px`
    this.#allow()
  }

  #allow() {
    const hasContent = Boolean(this.box.value.trim()) || !this.files.isEmpty
    const isWaiting = this.isStreaming && hasContent
    const mode = find("enter-mode").value
    this.button.disabled = !this.isStreaming && (!hasContent || this.isBlind)
    find("hint").textContent = this.sendSoon ? SENT_SOON : isWaiting ? HINTS_WHILE_WRITING[mode] : HINT
    find("enqueue").hidden = find("interrupt").hidden = !isWaiting
    find("enqueue").textContent = mode === "steer" ? t("Steer") : t("Queue")
  }
}
