// A temporary chat: it lives in this page and nowhere else. What was said goes along with each question; closing or
// reloading the page forgets it.

import { estimate } from "./chat_gauge.js"

export const TEMPORARY = "temporary"
const PATH = "/temporary"
const PATHS = /^\/temporary(\/a\/[0-9a-f-]{36})?\/?$/
const find = (id) => document.getElementById(id)

export function isTemporary(path) {
  return PATHS.test(path)
}

// Of a chat that is open.
export function pathOf(chat) {
  if (chat !== TEMPORARY) return `/c/${chat}`
  return isTemporary(location.pathname) ? location.pathname : PATH
}

// Where an agent is asked outside of chats that are kept; null: the model alone.
export function askedAt(agent, isKept = false) {
  return agent ? `${isKept ? "" : PATH}/a/${agent}` : isKept ? "/" : PATH
}

const kept = new Map()
const inMemory = {
  getItem: (name) => kept.get(name) ?? null,
  setItem: (name, value) => kept.set(name, value),
  removeItem: (name) => kept.delete(name),
}

// Where what belongs to a chat is kept: of a temporary one nothing is stored in the browser either.
export function storageOf(place, storage) {
  return place === TEMPORARY ? inMemory : storage
}

export class Temporary {
  // `act` has messages (those of the page), tell(op), ask(text), agent(): the id of the one who answers, and open(path).
  constructor(act) {
    this.act = act
    this.said = []
    // The question whose answer has not ended: asked again after a lost connection, its key gives the same answer.
    this.asked = null
    this.isShown = false
    this.entries = []
    this.path = PATH
    this.button = find("temporary")
    this.button.addEventListener("click", () => (this.isOpen ? this.#end() : this.act.open(this.address)))
    addEventListener("beforeunload", (event) => { if (this.said.length) event.preventDefault() })
  }

  get isOpen() {
    return isTemporary(location.pathname)
  }

  // Where it goes on, or begins with the agent that is picked.
  get address() {
    return this.said.length || this.asked ? this.path : askedAt(this.act.agent())
  }

  get tokens() {
    return this.said.reduce((sum, one) => sum + estimate(one.text), 0)
  }

  // A snapshot as it is shown: the server knows of no temporary chat.
  snapshot(op) {
    if (!this.isOpen || op.chat !== null) return op
    return { ...op, chat: TEMPORARY, title: t("Temporary chat"), is_streaming: Boolean(this.asked) }
  }

  // Show the chat, or put it aside while another one is shown.
  show(isShown) {
    const { messages } = this.act
    document.body.classList.toggle("temporary", isShown)
    find("message").placeholder = isShown ? t("Ask anything; nothing is stored") : t("Ask anything")
    if (isShown && !this.isShown) {
      messages.show([], { isOther: true, hasOlder: false })
      messages.putBack(this.entries)
    }
    if (!isShown && this.isShown) this.entries = messages.takeAway()
    this.isShown = isShown
  }

  // The address names who answers next, so that a lost connection changes nothing.
  answeredBy(agent) {
    if (!this.isOpen) return
    this.path = askedAt(agent)
    if (location.pathname !== this.path) history.replaceState(null, "", this.path)
  }

  // Offered where a chat begins, and from anywhere while one is not ended.
  offer(isNew) {
    this.button.hidden = !isNew && !this.isOpen && !this.said.length
    this.button.setAttribute("aria-pressed", String(this.isOpen))
    this.button.title = this.isOpen ? t("End the temporary chat") : t("Temporary chat: stored nowhere")
  }

  // What the server is asked for a submission.
  wire(pending) {
    if (pending.chat !== TEMPORARY || pending.op !== "send") return pending
    const earlier = this.said.filter((one) => one.text).map(({ role, text, agent }) => ({ role, text, agent }))
    this.asked = { op: "ask_temporary", key: pending.key, text: pending.text, earlier }
    return this.asked
  }

  sent(op) {
    const known = new Set(this.said.map((one) => one.id))
    this.said.push(...(op.messages ?? []).filter((one) => !known.has(one.id)).map(({ id, role, text, agent }) => ({ id, role, text, agent: agent?.name ?? "" })))
  }

  refused() {
    this.asked = null
  }

  ended(op) {
    const answer = this.said.find((one) => one.id === op.id)
    if (!answer) return
    answer.text = op.text ?? ""
    this.asked = null
  }

  // Ask a question anew, in other words perhaps: what followed it goes.
  askAgain(id, text = null) {
    const at = this.said.findIndex((one) => one.id === id)
    const first = this.said[at]?.role === "assistant" ? at - 1 : at
    if (first < 0 || this.asked) return
    const gone = this.said.splice(first)
    this.act.messages.remove(gone.map((one) => one.id))
    this.act.ask(text ?? gone[0].text)
  }

  #end() {
    const { said, path } = this
    if (this.asked) this.act.tell({ op: "stop" })
    this.show(false)
    const entries = this.entries.splice(0)
    this.asked = null
    this.said = []
    this.act.open(askedAt(this.act.agent(), true))
    if (!said.length) return
    const undo = () => {
      this.said = said
      this.entries = entries
      this.act.open(path)
    }
    window.llmUi.toast(t("The temporary chat is gone."), { action: t("Undo"), onAction: undo })
  }
}
