// What opens while one writes: "@" offers models and agents, "#" documents, "/" at the beginning the person's prompts.

import { make } from "./dom.js"

const MENTION = /(^|\s)@([\w.:-]*)$/
const DOCUMENT = /(^|\s)#([^\s#]*)$/
const COMMAND = /^\/([\w-]*)$/
const MAX_SHOWN = 8
const NAMES = { models: t("Models and agents"), prompts: t("Prompts"), documents: t("Documents") }

export class Mentions {
  // `sources` has models() and prompts(), each a list of { label, about, take(replaceWith) }; documents has
  // offered(typed), such a list or null while it is on its way, and note: why there is none.
  constructor(box, node, sources) {
    this.box = box
    this.node = node
    this.sources = sources
    this.found = []
    this.at = 0
    node.setAttribute("role", "listbox")
    box.addEventListener("input", () => this.#look())
    box.addEventListener("blur", () => this.close())
    // Before the composer's own keys.
    box.addEventListener("keydown", (event) => this.#pressed(event), { capture: true })
  }

  get isOpen() {
    return !this.node.hidden
  }

  close() {
    this.node.hidden = true
    this.sources.documents.forget()
    this.box.removeAttribute("aria-activedescendant")
  }

  // What is offered may have changed.
  look() {
    if (document.activeElement === this.box) this.#look()
  }

  #look() {
    const before = this.box.value.slice(0, this.box.selectionStart)
    const [kind, typed] = this.#asked(before)
    if (!kind) {
      this.close()
      return
    }
    this.start = before.length - typed.length - 1
    this.at = 0
    this.node.setAttribute("aria-label", NAMES[kind])
    if (kind === "documents") {
      const offered = this.sources.documents.offered(typed.toLowerCase())
      if (!offered) return
      this.found = offered
      this.#draw(typed ? "" : this.sources.documents.note)
      return
    }
    const offered = this.sources[kind]()
    const always = offered.filter((one) => one.isAlways)
    const fitting = offered.filter((one) => !one.isAlways && one.label.toLowerCase().includes(typed.toLowerCase()))
    this.found = [...fitting.slice(0, MAX_SHOWN - always.length), ...always]
    this.#draw()
  }

  // What is being picked, and what is typed of it.
  #asked(before) {
    const [mention, picked, command] = [MENTION, DOCUMENT, COMMAND].map((pattern) => before.match(pattern))
    if (mention) return ["models", mention[2]]
    if (picked) return ["documents", picked[2]]
    return command ? ["prompts", command[1]] : [null, ""]
  }

  #draw(note = "") {
    this.node.hidden = !this.found.length && !note
    if (note) {
      this.node.replaceChildren(make("p", "note", note))
      return
    }
    this.node.replaceChildren(...this.found.map((one, index) => {
      const option = make("div", "option")
      option.id = `mention-${index}`
      option.setAttribute("role", "option")
      option.setAttribute("aria-selected", String(index === this.at))
      option.append(make("strong", "", one.label), make("span", "", one.about ?? ""))
      // The box keeps the focus while an option is pressed.
      option.addEventListener("pointerdown", (event) => event.preventDefault())
      option.addEventListener("click", () => this.#take(one))
      return option
    }))
    if (!this.isOpen) return
    this.box.setAttribute("aria-activedescendant", `mention-${this.at}`)
    this.node.children[this.at].scrollIntoView({ block: "nearest" })
  }

  #pressed(event) {
    if (!this.isOpen) return
    // A note takes no keys but the one that closes it.
    if (!this.found.length && event.key !== "Escape") return
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      this.at = (this.at + step + this.found.length) % this.found.length
      this.#draw()
    } else if (event.key === "Enter" || event.key === "Tab") this.#take(this.found[this.at])
    else if (event.key === "Escape") this.close()
    else return
    event.preventDefault()
    event.stopImmediatePropagation()
  }

  #take(one) {
    const end = this.box.selectionStart
    this.close()
    one.take((text) => {
      this.box.setRangeText(text, this.start, end, "end")
      this.box.dispatchEvent(new Event("input"))
      this.box.focus()
    })
  }
}
