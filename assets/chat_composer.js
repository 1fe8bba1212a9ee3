// The composer: the text being written, its draft, and the submission on its way.
// A draft is kept for each chat in localStorage. A submission keeps its key until the server has stored it, over lost
// connections and reloads, so that it is never asked twice and never lost.

const MAX_BOX_PX = 260
const MAX_CHARS = 2_000_000
const MAX_BYTES = 4_000_000
const MAX_STORED_CHARS = 200_000
const HINT = "Enter sends, Shift+Enter breaks the line"
const PENDING = "llm-ui-draft pending"

const find = (id) => document.getElementById(id)

function newKey() {
  // Without a secure context there is no randomUUID.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

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
    return `The message has ${text.length.toLocaleString("en")} characters; ${MAX_CHARS.toLocaleString("en")} are the most. Shorten it or split it.`
  }
  if (text.length * 6 > MAX_BYTES && new Blob([JSON.stringify(text)]).size > MAX_BYTES) {
    return "The message is larger than 4 MB. Shorten it or split it."
  }
  return ""
}

export class Composer {
  // `act` has submit(pending) and stop().
  constructor(act) {
    this.act = act
    this.place = null
    this.isStreaming = false
    this.isQueued = false
    this.pending = readPending()
    this.box = find("message")
    this.button = find("send")
    find("composer").addEventListener("submit", (event) => {
      event.preventDefault()
      if (this.isStreaming) this.act.stop()
      else this.submit()
    })
    find("composer").addEventListener("click", (event) => {
      if (event.target === event.currentTarget || event.target.classList.contains("composer-row")) this.box.focus()
    })
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
      event.preventDefault()
      if (this.isStreaming) this.#queue(Boolean(this.box.value.trim()))
      else this.submit()
    })
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.#queue(false)
      if (event.key === "ArrowUp" && !this.box.value && this.act.editLast()) event.preventDefault()
    })
    this.box.addEventListener("input", () => {
      this.#queue(false)
      store(localStorage, this.#draftKey(this.place), this.box.value)
      this.#fit()
    })
  }

  // Show the draft of a chat, or of a new one.
  open(place) {
    this.place = place
    this.#queue(false)
    const isSent = this.pending?.op === "send" && this.pending.chat === place && !this.pending.isLeft
    this.box.value = isSent ? "" : localStorage.getItem(this.#draftKey(place)) ?? ""
    this.refuse("")
    this.#fit()
  }

  enable() {
    this.box.disabled = false
  }

  focus() {
    if (matchMedia("(pointer: fine)").matches) this.box.focus({ preventScroll: true })
  }

  setStreaming(isStreaming) {
    this.isStreaming = isStreaming
    const label = isStreaming ? "Stop" : "Send"
    this.button.setAttribute("aria-label", label)
    this.button.title = label
    this.button.classList.toggle("stop", isStreaming)
    this.#allow()
    if (isStreaming || !this.isQueued) return
    this.#queue(false)
    this.submit()
  }

  submit() {
    const text = this.box.value
    if (!text.trim() || this.pending) return
    const why = problem(text)
    this.refuse(why)
    if (why) return
    this.box.value = ""
    this.#fit()
    this.#begin({ op: "send", key: newKey(), text, chat: this.place })
  }

  // Ask again about a message of the open chat: `what` is the operation without key and chat.
  again(what) {
    if (!this.pending) this.#begin({ ...what, key: newKey(), chat: this.place })
  }

  quote(text) {
    const quoted = text.trim().split("\n").map((line) => `> ${line}`).join("\n")
    this.box.value = `${this.box.value ? `${this.box.value.trimEnd()}\n\n` : ""}${quoted}\n\n`
    this.box.dispatchEvent(new Event("input"))
    this.box.focus()
  }

  // The person went elsewhere: what is on its way goes on, but is not shown any more.
  leave() {
    if (!this.pending) return
    this.pending.isLeft = true
    store(sessionStorage, PENDING, JSON.stringify(this.pending))
  }

  // The server has stored it. Returns the submission, if it was one of this page.
  sent(key) {
    const done = this.#end(key)
    if (done?.op === "send" && localStorage.getItem(this.#draftKey(done.chat)) === done.text) {
      store(localStorage, this.#draftKey(done.chat), "")
    }
    return done
  }

  // The server has refused it: the text comes back. Returns the submission, if it was one of this page.
  refused(key, message) {
    const done = this.#end(key)
    if (!done) return null
    if (done.chat === this.place && !done.isLeft) {
      if (done.text) this.box.value = this.box.value ? `${done.text}\n\n${this.box.value}` : done.text
      store(localStorage, this.#draftKey(this.place), this.box.value)
      this.refuse(message)
      this.#fit()
    } else if (done.text) store(localStorage, this.#draftKey(done.chat), done.text)
    return done
  }

  // Say why something was not sent; an empty message takes the sentence away.
  refuse(message) {
    find("refusal").textContent = message
    find("refusal").hidden = !message
  }

  // Enter while an answer is being written: the text goes when that has ended, unless it is changed before.
  #queue(isQueued) {
    this.isQueued = isQueued
    find("hint").textContent = isQueued ? "Goes when this answer has ended. Escape keeps it here." : HINT
    find("hint").classList.toggle("queued", isQueued)
  }

  #begin(pending) {
    this.pending = pending
    if (pending.op === "send") store(localStorage, this.#draftKey(this.place), pending.text)
    store(sessionStorage, PENDING, JSON.stringify(pending))
    this.refuse("")
    this.act.submit(pending)
  }

  #end(key) {
    if (this.pending?.key !== key) return null
    const done = this.pending
    this.pending = null
    store(sessionStorage, PENDING, "")
    return done
  }

  #draftKey(place) {
    return `llm-ui-draft ${place ?? "new"}`
  }

  #fit() {
    this.box.style.height = "auto"
    this.box.style.height = `${Math.min(this.box.scrollHeight, MAX_BOX_PX)}px`
    this.#allow()
  }

  #allow() {
    this.button.disabled = !this.isStreaming && !this.box.value.trim()
  }
}
