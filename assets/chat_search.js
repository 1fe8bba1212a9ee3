// Search over all chats: Ctrl+K or the button in the sidebar; what is found opens at its message.

import { make, textButton } from "./dom.js"

const PAUSE_MS = 150

export class Search {
  constructor({ ask, open }) {
    this.ask = ask
    this.open = open
    this.number = 0
    this.dialog = make("dialog", "search")
    this.dialog.setAttribute("aria-label", "Search chats")
    this.box = Object.assign(make("input"), { type: "search", placeholder: "Search titles and messages", maxLength: 500 })
    this.box.setAttribute("aria-label", "Search chats")
    this.box.setAttribute("aria-controls", "search-results")
    this.state = make("p", "muted")
    this.state.setAttribute("role", "status")
    this.list = make("ul")
    this.list.id = "search-results"
    this.more = textButton("Show more", "more", () => this.#search(this.list.children.length))
    this.dialog.append(this.box, this.state, this.list, this.more)
    document.body.append(this.dialog)
    this.box.addEventListener("input", () => {
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.#search(0), PAUSE_MS)
    })
    this.dialog.addEventListener("keydown", (event) => this.#move(event))
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close() })
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return
      event.preventDefault()
      this.show()
    })
  }

  show() {
    if (this.dialog.open) return
    this.dialog.showModal()
    this.box.select()
    this.#search(0)
  }

  found(op) {
    if (op.number !== this.number) return
    const nodes = op.items.map((item) => this.#line(item))
    if (op.offset) this.list.append(...nodes)
    else this.list.replaceChildren(...nodes)
    this.more.hidden = !op.has_more
    const words = this.box.value.trim()
    this.state.textContent = !words ? "Type a word that you remember." : op.items.length || op.offset ? "" : `Nothing holds “${words}”. Try fewer or other words.`
  }

  #search(offset) {
    this.number += 1
    this.ask({ op: "search", number: this.number, text: this.box.value, offset })
  }

  #line(item) {
    const link = make("a")
    link.href = `/c/${item.chat}${item.message ? `#m-${item.message}` : ""}`
    const head = make("span", "head")
    const when = new Date(item.at).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" })
    head.append(make("strong", "", item.title || "New chat"), make("time", "", when))
    link.append(head)
    if (item.message) {
      const said = make("span", "snippet", item.role === "user" ? "You: " : "")
      for (const [text, isMatch] of item.pieces) said.append(isMatch ? make("mark", "", text) : text)
      link.append(said)
    }
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      this.dialog.close()
      this.open(`/c/${item.chat}`, item.message)
    })
    const node = make("li")
    node.append(link)
    return node
  }

  // Arrow keys go through what was found, Enter opens it.
  #move(event) {
    const links = [...this.list.querySelectorAll("a")]
    const at = links.indexOf(document.activeElement)
    if (event.key === "ArrowDown" && links.length) {
      event.preventDefault()
      links[Math.min(at + 1, links.length - 1)].focus()
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault()
      if (at === 0) this.box.focus()
      else links[at - 1].focus()
    } else if (event.key === "Escape") {
      // Of itself it would only empty the field.
      event.preventDefault()
      this.dialog.close()
    } else if (event.key === "Enter" && document.activeElement === this.box && links.length) {
      event.preventDefault()
      links[0].click()
    }
  }
}
