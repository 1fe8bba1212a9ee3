// The chat page. Lives in the light DOM, outside Panel's views, so that a reconnect or a restarted server leaves
// draft, focus and scroll where they are. Talks to llm_ui/chat/view.py in small operations.

import { Messages } from "./chat_messages.js"
import { ChatList } from "./chat_list.js"

const NEAR_PX = 80
const MAX_BOX_PX = 260
const EXAMPLES = [
  ["What can I do here?", "A short guide to this workspace"],
  ["What is 47 * 89?", "Arithmetic, exactly"],
  ["Show me a table and some code", "See how answers look"],
]

const find = (id) => document.getElementById(id)
const newKey = () => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (n) => n.toString(16).padStart(2, "0")).join("")

class ChatPage {
  constructor() {
    this.model = null
    this.chat = null
    this.isStreaming = false
    this.hasOlder = false
    this.isStuck = true
    this.pending = null
    this.scroll = find("scroll")
    this.box = find("message")
    this.send = find("send")
    this.messages = new Messages(find("messages"), { regenerate: (id) => this.regenerate(id) })
    this.list = new ChatList(find("chats"), {
      rename: (chat, title) => this.tell({ op: "rename", chat: chat.id, title }),
      delete: (chat) => this.tell({ op: "delete", chat: chat.id }),
      more: () => this.tell({ op: "more_chats" }),
    })
    this.#listen()
    this.#drawStart()
  }

  // ---- The bridge ------------------------------------------------------------------------------------------------
  attach(model) {
    this.model = model
    this.tell({ op: "ready", path: location.pathname })
    // A question nobody confirmed before the connection broke: the same key makes it the same question.
    if (this.pending) this.tell({ op: "send", ...this.pending })
  }

  detach(model) {
    if (this.model === model) this.model = null
  }

  tell(op) {
    this.model?.send_msg(op)
  }

  apply(op) {
    this[`on_${op.op}`]?.(op)
  }

  // ---- Operations of the server ----------------------------------------------------------------------------------
  on_snapshot(op) {
    window.llmUi.showConnection("")
    const isOther = op.chat !== this.chat || !this.box.dataset.ready
    this.#openChat(op.chat)
    this.messages.show(op.messages)
    if (this.pending && (this.pending.chat ?? null) === op.chat) this.messages.addPending(this.pending.key, this.pending.text)
    this.hasOlder = op.has_older
    this.#retitle(op.title)
    this.#setStreaming(op.is_streaming)
    this.#showStart()
    this.box.disabled = false
    this.box.dataset.ready = "yes"
    if (isOther) {
      this.#restoreDraft()
      this.isStuck = true
      if (matchMedia("(pointer: fine)").matches) this.box.focus({ preventScroll: true })
    }
    this.#follow()
  }

  on_sent(op) {
    const isNew = this.chat === null
    if (this.pending?.key === op.key) {
      this.messages.dropPending(op.key)
      this.pending = null
      localStorage.removeItem(this.#draftKey())
    }
    if (isNew) {
      this.chat = op.chat
      history.pushState(null, "", `/c/${op.chat}`)
      this.list.select(op.chat)
    }
    this.#setStreaming(true)
    if (op.messages) this.messages.add(op.messages)
    this.#showStart()
    this.#follow()
  }

  on_refused(op) {
    const isMine = this.pending?.key === op.key
    if (isMine) {
      this.messages.dropPending(op.key)
      this.pending = null
      if (!this.box.value) this.box.value = op.text
      this.#draftChanged()
    }
    this.#setStreaming(false)
    this.#showStart()
    if (isMine || !op.key) this.#refuse(op.message)
    else window.llmUi.toast(op.message, { isError: true })
  }

  on_delta(op) {
    this.messages.delta(op)
    this.#follow()
    requestAnimationFrame(() => this.tell({ op: "ack" }))
  }

  on_finish(op) {
    this.messages.finish(op)
    this.#setStreaming(false)
    find("status").textContent = op.is_error ? `The answer failed: ${op.remark}` : "The answer is complete."
    this.#follow()
  }

  on_status(op) {
    this.#setStreaming(op.is_streaming)
  }

  on_title(op) {
    this.#retitle(op.title)
    if (this.chat) this.list.retitle(this.chat, op.title)
  }

  on_older(op) {
    const height = this.scroll.scrollHeight
    const top = this.scroll.scrollTop
    this.messages.addOlder(op.messages)
    this.hasOlder = op.has_older
    this.isAskingOlder = false
    this.scroll.scrollTop = top + this.scroll.scrollHeight - height
  }

  on_chats(op) {
    this.list.update(op)
  }

  on_deleted(op) {
    const restore = () => this.tell({ op: "restore", chat: op.chat })
    window.llmUi.toast("The chat is in the bin.", { action: "Undo", onAction: restore })
    if (op.chat === this.chat) this.navigate("/")
  }

  on_missing(op) {
    window.llmUi.toast(op.text, { isError: true })
    history.replaceState(null, "", "/")
    this.on_snapshot({ chat: null, title: "", messages: [], has_older: false, is_streaming: false })
  }

  on_toast(op) {
    window.llmUi.toast(op.text, { isError: op.is_error })
  }

  on_signed_out() {
    window.llmUi.goToSignIn()
  }

  // ---- What a person does ----------------------------------------------------------------------------------------
  submit() {
    if (this.isStreaming) {
      this.tell({ op: "stop" })
      return
    }
    const text = this.box.value
    if (!text.trim() || this.pending) return
    this.#refuse("")
    this.pending = { key: newKey(), text, chat: this.chat }
    localStorage.setItem(this.#draftKey(), text)
    this.messages.addPending(this.pending.key, text)
    this.box.value = ""
    this.#resizeBox()
    this.isStuck = true
    this.#showStart()
    this.#follow()
    this.tell({ op: "send", ...this.pending })
  }

  regenerate(answer) {
    if (this.isStreaming) return
    this.#setStreaming(true)
    this.isStuck = true
    this.tell({ op: "regenerate", key: newKey(), answer })
  }

  navigate(path) {
    if (path !== location.pathname) history.pushState(null, "", path)
    window.llmUi.showSidebar(false)
    this.tell({ op: "open", path })
  }

  #listen() {
    find("composer").addEventListener("submit", (event) => {
      event.preventDefault()
      this.submit()
    })
    this.box.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return
      event.preventDefault()
      if (!this.isStreaming) this.submit()
    })
    this.box.addEventListener("input", () => this.#draftChanged())
    this.scroll.addEventListener("scroll", () => this.#scrolled(), { passive: true })
    find("to-latest").addEventListener("click", () => {
      this.isStuck = true
      this.#follow()
    })
    find("new-chat").addEventListener("click", () => this.navigate("/"))
    document.addEventListener("click", (event) => {
      const link = event.target.closest?.("a[data-path]")
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return
      event.preventDefault()
      this.navigate(link.dataset.path)
    })
    addEventListener("popstate", () => this.tell({ op: "open", path: location.pathname }))
    new ResizeObserver(() => this.#follow()).observe(find("messages"))
  }

  // ---- Drawing ---------------------------------------------------------------------------------------------------
  #openChat(chat) {
    if (chat !== this.chat) this.#refuse("")
    this.chat = chat
    this.list.select(chat)
  }

  #retitle(title) {
    find("chat-title").textContent = title
    document.title = title ? `${title} · LLM UI` : "LLM UI"
  }

  #setStreaming(isStreaming) {
    if (isStreaming && !this.isStreaming) find("status").textContent = "An answer is being written."
    this.isStreaming = isStreaming
    this.send.setAttribute("aria-label", isStreaming ? "Stop" : "Send")
    this.send.classList.toggle("stop", isStreaming)
    this.#allowSend()
  }

  #allowSend() {
    this.send.disabled = !this.isStreaming && !this.box.value.trim()
  }

  #refuse(message) {
    find("refusal").textContent = message
    find("refusal").hidden = !message
  }

  #draftKey() {
    return `llm-ui-draft ${this.chat ?? "new"}`
  }

  #draftChanged() {
    if (this.box.value) localStorage.setItem(this.#draftKey(), this.box.value)
    else localStorage.removeItem(this.#draftKey())
    this.#resizeBox()
    this.#allowSend()
  }

  #restoreDraft() {
    this.box.value = this.pending ? "" : localStorage.getItem(this.#draftKey()) ?? ""
    this.#resizeBox()
    this.#allowSend()
  }

  #resizeBox() {
    this.box.style.height = "auto"
    this.box.style.height = `${Math.min(this.box.scrollHeight, MAX_BOX_PX)}px`
    this.#allowSend()
  }

  #drawStart() {
    const start = find("start")
    const title = Object.assign(document.createElement("h2"), { textContent: "What is on your mind?" })
    const list = Object.assign(document.createElement("div"), { className: "examples" })
    for (const [text, about] of EXAMPLES) {
      const button = Object.assign(document.createElement("button"), { type: "button" })
      button.append(
        Object.assign(document.createElement("strong"), { textContent: text }),
        Object.assign(document.createElement("span"), { textContent: about }),
      )
      button.addEventListener("click", () => {
        this.box.value = text
        this.submit()
      })
      list.append(button)
    }
    start.append(title, list)
  }

  #showStart() {
    const isEmpty = this.chat === null && !this.pending
    find("start").hidden = !isEmpty
    find("chat").classList.toggle("empty", isEmpty)
  }

  #scrolled() {
    const below = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight
    this.isStuck = below < NEAR_PX
    find("to-latest").hidden = this.isStuck
    if (this.scroll.scrollTop < 400 && this.hasOlder && !this.isAskingOlder) {
      const before = this.messages.firstId()
      if (before) {
        this.isAskingOlder = true
        this.tell({ op: "older", before })
      }
    }
  }

  #follow() {
    if (this.isStuck) this.scroll.scrollTop = this.scroll.scrollHeight
    find("to-latest").hidden = this.isStuck
  }
}

let page = null

export function render({ model }) {
  page ??= new ChatPage()
  const apply = (op) => page.apply(op)
  model.on("msg:custom", apply)
  model.on("remove", () => {
    model.off("msg:custom", apply)
    page.detach(model)
  })
  page.attach(model)
  const anchor = document.createElement("span")
  anchor.hidden = true
  return anchor
}
