// What lies beside the chat, one at a time: the preview of a code block, or a document.

import { make, textButton } from "./dom.js"

const NARROW = matchMedia("(max-width: 900px)")
let shown = null

export function closeBeside() {
  shown?.close()
}

// Beside the chat there is room for both; on a phone it lies over the chat, which must not be reached then.
function fit() {
  document.getElementById("main").classList.toggle("with-preview", Boolean(shown))
  document.getElementById("chat").inert = Boolean(shown) && NARROW.matches
}

NARROW.addEventListener("change", fit)

export class Beside {
  // `name` begins its ids and classes, `closing` says what its cross does.
  constructor(name, closing) {
    this.name = name
    this.closing = closing
    this.node = null
  }

  get isOpen() {
    return shown === this
  }

  // Show it in the place of what is there; `opener` gets the focus back.
  reveal(opener, title) {
    if (!this.node) this.#build()
    if (shown !== this) shown?.close({ isReplaced: true })
    shown = this
    this.opener = opener
    this.title.textContent = title
    this.node.hidden = false
    fit()
    this.title.focus()
  }

  close({ isReplaced = false } = {}) {
    if (!this.isOpen) return
    const hadFocus = this.node.contains(document.activeElement)
    shown = null
    this.node.hidden = true
    this.body.replaceChildren()
    if (isReplaced) return
    fit()
    if (!hadFocus) return
    // What was drawn anew meanwhile is not there any more.
    if (this.opener?.isConnected) this.opener.focus()
    else document.getElementById("message").focus()
  }

  // What stands in its head, between the title and the cross.
  tools() {
    return []
  }

  #build() {
    this.node = make("aside", `preview ${this.name}-pane`)
    this.node.setAttribute("aria-labelledby", `${this.name}-title`)
    const head = make("header")
    this.title = make("h2")
    this.title.id = `${this.name}-title`
    this.title.tabIndex = -1
    const close = textButton("✕", "close", () => this.close())
    close.setAttribute("aria-label", this.closing)
    head.append(this.title, ...this.tools(), close)
    this.body = make("div", "preview-body")
    this.node.append(head, this.body)
    document.getElementById("main").append(this.node)
    this.node.addEventListener("keydown", ({ key }) => { if (key === "Escape") this.close() })
  }
}
