// The chat page. Lives in the light DOM, outside Panel's views, so that a reconnect or a restarted server leaves
// draft, focus and scroll where they are. Talks to llm_ui/chat/view.py in small operations.

import { NEEDS_CONNECTION, NO_CONNECTION, agentsOf, archivedBar, composerActions, explanationActions, homeActions, listActions, messageActions, placesActions, replies, temporaryActions, toldOf } from "./chat_actions.js"
import { offerQuotes } from "./chat_bar.js"
import { closeBeside } from "./chat_beside.js"
import { ComparisonChoice } from "./chat_comparison.js"
import { Composer } from "./chat_composer.js"
import { Explanation } from "./chat_explain.js"
import { Exports } from "./chat_exports.js"
import { FollowUps } from "./chat_follow_ups.js"
import { ChatList } from "./chat_list.js"
import { Memories } from "./chat_memories.js"
import { Messages } from "./chat_messages.js"
import { Notices } from "./chat_notices.js"
import { Summary } from "./chat_summary.js"
import { Sharing } from "./chat_sharing.js"
import { Places } from "./chat_places.js"
import { ProjectHome } from "./chat_project.js"
import { Prompts } from "./chat_prompts.js"
import { Search } from "./chat_search.js"
import { Shortcuts } from "./chat_shortcuts.js"
import { listenToStart } from "./chat_start.js"
import { isTemporary, TEMPORARY, Temporary } from "./chat_temporary.js"

const NEAR_PX = 80
const OLDER_PX = 600
const MAX_SPOKEN_CHARS = 2_000

const find = (id) => document.getElementById(id)

class ChatPage {
  constructor() {
    this.model = null
    this.untold = []
    this.chat = null
    this.lastSeen = null
    this.isStreaming = false
    this.hasOlder = false
    this.isAskingOlder = false
    this.isRestored = false
    this.isStuck = true
    this.kept = null
    this.lastTop = 0
    this.scroll = find("scroll")
    this.models = []
    this.asked = null
    this.composer = new Composer(composerActions(this))
    this.prompts = new Prompts((op) => this.tell(op), { look: () => this.composer.mentions.look(), focus: () => this.composer.refocus(), versions: (prompt) => this.inAdvance.versions.show("saved", prompt), attempt: (text) => { this.navigate(this.temporary.address); this.composer.take(text) } })
    this.choice = new ComparisonChoice(find("beside"), () => this.models)
    this.explanation = new Explanation(explanationActions(this))
    this.followUps = new FollowUps({ tell: (op) => this.tell(op), ask: (text) => this.composer.take(text) })
    this.messages = new Messages(find("messages"), messageActions(this))
    offerQuotes(find("messages"), (text) => this.composer.quote(text))
    this.temporary = new Temporary(temporaryActions(this))
    this.places = new Places(placesActions(this))
    this.home = new ProjectHome(find("project"), homeActions(this))
    this.search = new Search({ ask: (op) => this.tell(op), open: (path, at) => this.navigate(path, at), places: this.places, models: () => this.models })
    this.shortcuts = new Shortcuts({ newChat: () => this.navigate("/") })
    this.exports = new Exports()
    this.notices = new Notices({ open: (path) => this.navigate(path) })
    this.memories = new Memories((op) => this.tell(op))
    this.summary = new Summary({ tell: (op) => this.tell(op), chat: () => this.chat })
    this.sharing = new Sharing((op) => this.tell(op))
    this.list = new ChatList(find("chats"), listActions(this))
    Object.assign(this, { told: replies(this), archived: archivedBar(this), agents: agentsOf(this), inAdvance: toldOf(this) })
    this.#listen()
    listenToStart(find("start"), (text) => this.composer.take(text))
  }

  // ---- The bridge ------------------------------------------------------------------------------------------------
  attach(model) {
    this.model = model
    this.#askForAll()
    this.tell({ op: "read_preferences" })
    for (const op of this.untold ?? []) this.tell(op)
    this.untold = null
    // What nobody confirmed before the connection broke: the same key makes it the same submission.
    if (this.composer.pending) this.tell(this.temporary.wire(this.composer.pending))
  }

  detach(model) {
    if (this.model === model) this.model = null
  }

  // Without a connection nothing is told: it comes back with a new model, which is told everything that matters. What
  // a person does before the first one is there waits for it.
  tell(op) {
    if (this.model) this.model.send_msg(op)
    else if (!NEEDS_CONNECTION.has(op.op)) return
    else if (this.untold) this.untold.push(op)
    else window.llmUi.toast(NO_CONNECTION, { isError: true })
  }

  apply(op) {
    const isNext = op.op === "snapshot" || op.op === "missing" || this.lastSeen === null || op.seq === this.lastSeen + 1
    if (!isNext) {
      this.#askForAll()
      return
    }
    // Before a snapshot there is nothing that news of an answer could be put into.
    if (this.lastSeen === null && ["delta", "finish", "older", "status"].includes(op.op)) return
    if (this.lastSeen !== null || op.op === "snapshot") this.lastSeen = op.seq
    if (op.op in this.told) this.told[op.op](op)
    else this[`on_${op.op}`]?.(op)
  }

  #askForAll() {
    this.lastSeen = null
    this.tell({ op: "ready", path: location.pathname, at: this.#at(), time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone ?? "" })
    for (const op of ["list_places", "list_agents"]) this.tell({ op })
    this.home.visit()
  }

  // The message that the address names, while it is there to be looked at.
  #at() {
    return location.hash.match(/^#m-([0-9a-f-]{36})$/)?.[1] ?? null
  }

  // What the page brought along, to be read while the connection is still made; the first snapshot takes its place.
  preview(op) {
    this.chat = op.chat
    this.list.select(op.chat)
    this.messages.show(op.messages, { isOther: true, hasOlder: op.has_older, compared: op.compared, beside: op.beside })
    this.composer.open(op.chat)
    this.followUps.restore(op.messages.at(-1), false)
    this.retitle(op.title)
    this.#showStart()
    this.#follow()
  }

  // ---- Operations of the server ----------------------------------------------------------------------------------
  on_snapshot(told) {
    const op = this.temporary.snapshot(told)
    window.llmUi.showConnection("")
    const isFirst = this.composer.box.disabled
    const isOther = isFirst || op.chat !== this.chat || Boolean(op.at)
    this.chat = op.chat
    this.list.select(op.chat)
    this.temporary.show(op.chat === TEMPORARY)
    if (op.chat !== TEMPORARY) this.messages.show(op.messages, { isOther: isOther || this.isRestored, hasOlder: op.has_older, compared: op.compared, beside: op.beside })
    if (this.isRestored) this.hasOlder = op.has_older
    this.isRestored = false
    if (isOther) {
      closeBeside()
      if (this.composer.place !== op.chat) this.composer.open(op.chat)
      // Whoever reads in what the page brought along stays there.
      if (!isFirst) this.isStuck = true
      this.hasOlder = op.has_older
    }
    if (!this.messages.hasBefore(op.messages)) this.hasOlder = op.has_older
    this.isAskingOlder = false
    this.#showPending()
    this.retitle(op.title)
    this.#setStreaming(op.is_streaming)
    this.followUps.restore(op.messages.at(-1), op.is_streaming)
    this.#showStart()
    this.composer.enable()
    this.hasNewer = op.has_newer
    if (op.at) this.#showAt(op.at)
    else if (isOther) this.composer.focus()
    if (op.chat === TEMPORARY && this.temporary.asked && !this.composer.pending) this.tell(this.temporary.asked)
    // What waited for an answer that ended meanwhile.
    if (!op.is_streaming && op.messages.at(-1)?.status === "complete") this.composer.sendNext()
    this.#follow()
    if (isFirst) this.#scrolled() // Up in what the page brought along, maybe: older ones are there to be had now.
  }

  // Bring a message that was looked for into view, and point to it for a moment.
  #showAt(id) {
    const node = this.messages.node(id)
    this.isStuck = !node
    if (!node) return
    node.scrollIntoView({ block: "center" })
    node.classList.add("found")
    node.tabIndex = -1
    node.focus({ preventScroll: true })
  }

  // To the end of a chat that is shown around a message.
  #leaveMessage() {
    if (location.hash) history.replaceState(null, "", location.pathname)
    if (!this.hasNewer) return
    this.hasNewer = false
    this.isStuck = true
    this.tell({ op: "open", path: location.pathname })
  }

  on_sent(op) {
    const done = this.composer.sent(op.key)
    if (op.chat === TEMPORARY) this.temporary.sent(op)
    if (!done && op.chat !== TEMPORARY) return
    this.messages.dropPending(op.key)
    const isHere = done ? !done.isLeft && done.chat === this.chat : op.chat === this.chat
    if (!isHere) {
      this.#showStart()
      return
    }
    if (this.chat === null) {
      this.chat = op.chat
      this.composer.named(op.chat)
      history.pushState(null, "", `/c/${op.chat}`)
      this.home.visit()
      this.list.select(op.chat)
    }
    this.#setStreaming(true)
    if (op.messages) this.messages.add(op.messages)
    this.#showStart()
    this.#follow()
  }

  on_refused(op) {
    const done = this.composer.refused(op.key, op.message)
    if (done?.chat === TEMPORARY) this.temporary.refused()
    if (!done) {
      window.llmUi.toast(op.message, { isError: true })
      return
    }
    this.messages.dropPending(op.key)
    if (done.chat !== this.chat || done.isLeft) window.llmUi.toast(op.message, { isError: true })
    else this.#setStreaming(false)
    this.#showStart()
  }

  on_delta(op) {
    this.messages.delta(op)
    this.composer.progressed((op.from ?? 0) + (op.blocks?.length ?? 1) - 1)
    this.#follow()
    requestAnimationFrame(() => this.tell({ op: "ack" }))
  }

  on_beside(op) {
    this.messages.addBeside(op.of, op.message)
    this.#setStreaming(true)
    this.#follow()
  }

  on_finish(op) {
    this.temporary.ended(op)
    const answer = this.messages.finish(op)
    const isLast = !this.messages.isWriting()
    if (isLast) {
      this.#setStreaming(false)
      if (this.chat === TEMPORARY) this.followUps.clear()
      else this.followUps.await(op.id)
    }
    if (answer) this.#say(op.is_error ? t("The answer failed: {why}", { why: op.remark }) : t("The answer is complete. {text}", { text: answer.spoken(MAX_SPOKEN_CHARS) }))
    if (answer && isLast) this.composer.ended({ isWell: op.status === "completed" })
    this.#follow()
  }

  on_status(op) {
    this.#setStreaming(op.is_streaming)
    if (op.is_streaming || !this.kept) return
    this.tell({ op: "show_branch", message: this.kept })
    this.kept = null
  }

  on_title(op) {
    this.retitle(op.title)
    if (this.chat) this.list.retitle(this.chat, op.title)
  }

  on_older(op) {
    this.isAskingOlder = false
    if (op.before !== this.messages.firstId()) return
    const fromBottom = this.scroll.scrollHeight - this.scroll.scrollTop
    this.messages.addOlder(op.messages)
    this.hasOlder = op.has_older
    this.scroll.scrollTop = this.scroll.scrollHeight - fromBottom
  }

  on_missing(op) {
    window.llmUi.toast(op.text, { isError: true })
    history.replaceState(null, "", "/")
    this.on_snapshot({ chat: null, title: "", messages: [], has_older: false, is_streaming: false })
    this.lastSeen = op.seq
  }

  on_models(op) {
    this.models = op.models
    this.choice.show()
    this.composer.asksOther()
  }

  on_gauge_changed(op) {
    this.asked = op.model
    this.composer.asksOther()
  }

  // The name of a model that would be asked and cannot see images, if there is one.
  blindModel() {
    const asked = [this.asked, ...this.choice.ids]
    return this.models.find((model) => asked.includes(model.id) && !model.can_see_images)?.label ?? null
  }

  on_signed_out() {
    window.llmUi.goToSignIn()
  }

  // ---- What a person does ----------------------------------------------------------------------------------------
  submit(pending) {
    this.#leaveMessage()
    this.tell(this.temporary.wire(pending)) // First: it is on its way while the page is drawn.
    this.isStuck = true
    this.followUps.expect()
    this.#showPending()
    this.#showStart()
    this.#follow()
  }

  again(what) {
    if (!this.isStreaming) this.composer.again(what)
  }

  // Of several answers this one: what still writes the others ends first.
  keep(answer) {
    if (!this.isStreaming) {
      this.tell({ op: "show_branch", message: answer })
      return
    }
    this.kept = answer
    this.tell({ op: "stop" })
  }

  explain(answer) {
    if (this.model || this.untold) this.explanation.open(answer)
    this.tell({ op: "explain", answer })
  }

  editLast() {
    const question = this.isStreaming ? null : this.messages.lastQuestion()
    question?.edit()
    return Boolean(question)
  }

  navigate(path, at = null) {
    const address = at ? `${path}#m-${at}` : path
    if (address !== location.pathname + location.hash) history.pushState(null, "", address)
    window.llmUi.showSidebar(false)
    this.#goTo(path, at)
  }

  #goTo(path, at) {
    this.composer.leave()
    // At once: what is sent before the server has answered belongs to where the person went.
    const chat = isTemporary(path) ? TEMPORARY : path.match(/^\/c\/([0-9a-f-]{36})/)?.[1] ?? null
    if (chat !== this.composer.place) this.composer.open(chat)
    this.tell({ op: "open", path, at })
    this.home.visit()
  }

  #listen() {
    this.scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true })
    find("to-latest").addEventListener("click", () => {
      this.isStuck = true
      this.#leaveMessage()
      this.#follow()
      this.composer.focus()
    })
    find("show-shortcuts").addEventListener("click", () => this.shortcuts.show())
    find("search").addEventListener("click", () => this.search.show())
    find("begin").addEventListener("submit", (event) => { event.preventDefault(); this.navigate("/") })
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[data-path]")
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      this.navigate(link.dataset.path)
    })
    addEventListener("llm-ui-disconnected", () => { this.model = null })
    addEventListener("popstate", () => this.#goTo(location.pathname, this.#at()))
    new ResizeObserver(() => this.#follow()).observe(find("messages"))
    new ResizeObserver(() => this.#follow()).observe(this.scroll)
  }

  // ---- Drawing ---------------------------------------------------------------------------------------------------
  #showPending() {
    const pending = this.composer.pending
    const isHere = pending?.op === "send" && !pending.isLeft && pending.chat === this.chat
    if (isHere) this.messages.addPending(pending.key, pending.text, pending.files)
  }

  retitle(title) {
    find("chat-title").textContent = title || this.home.name || t("New chat")
    this.notices.retitle(title || this.home.name)
  }

  #setStreaming(isStreaming) {
    if (isStreaming && !this.isStreaming) this.#say(t("An answer is being written."))
    if (isStreaming) this.notices.began(this.chat)
    else this.notices.ended(this.chat)
    this.isStreaming = isStreaming
    this.composer.setStreaming(isStreaming)
    find("chat").classList.toggle("streaming", isStreaming)
  }

  #say(text) {
    find("status").textContent = text
  }

  #showStart() {
    const pending = this.composer.pending
    const isEmpty = [null, TEMPORARY].includes(this.chat) && !this.messages.lastAnswer() && (!pending || pending.isLeft || pending.chat !== this.chat)
    find("start").hidden = this.home.show(isEmpty) || !isEmpty || this.chat === TEMPORARY
    find("temporary-start").hidden = !isEmpty || this.chat !== TEMPORARY
    this.temporary.offer(this.chat === null && isEmpty)
    find("chat").classList.toggle("empty", isEmpty && !this.home.isOpen)
  }

  #scrolled() {
    const top = this.scroll.scrollTop
    // Only somebody who scrolls up leaves the end; text that grows must not.
    if (this.scroll.scrollHeight - top - this.scroll.clientHeight < NEAR_PX) this.isStuck = !this.hasNewer
    else if (top < this.lastTop) this.isStuck = false
    this.lastTop = top
    find("to-latest").hidden = this.isStuck
    if (top < OLDER_PX && this.hasOlder && !this.isAskingOlder) {
      const before = this.messages.firstId()
      this.isAskingOlder = before !== null
      if (before) this.tell({ op: "older", before })
    }
  }

  #follow() {
    if (this.isStuck) this.scroll.scrollTop = this.scroll.scrollHeight
    find("to-latest").hidden = this.isStuck
  }
}

let page = null

const opening = find("opening")
if (opening && !location.hash) {
  page = new ChatPage()
  page.preview(JSON.parse(opening.textContent))
}
opening?.remove()

// What Panel calls for each connection, through chat_bridge.js.
window.llmUi.connectChat = ({ model }) => {
  page ??= new ChatPage()
  const apply = (op) => page.apply(op)
  model.on("msg:custom", apply)
  model.on("remove", () => {
    model.off("msg:custom", apply)
    page.detach(model)
  })
  page.attach(model)
  return Object.assign(document.createElement("span"), { hidden: true })
}
