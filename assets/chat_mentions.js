// What opens while one writes: "@" offers the models, "/" at the beginning the person's prompts.

import { make } from "./dom.js"

const MENTION = /(^|\s)@([\w.:-]*)$/
const COMMAND = /^\/([\w-]*)$/
const MAX_SHOWN = 8

export class Mentions {
  // `sources` has models() and prompts(), each a list of { label, about, take(replaceWith) }.
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
    this.box.removeAttribute("aria-activedescendant")
  }

  // What is offered may have changed.
  look() {
    if (document.activeElement === this.box) this.#look()
  }

  #look() {
    const before = this.box.value.slice(0, this.box.selectionStart)
    const mention = before.match(MENTION)
    const command = before.match(COMMAND)
    if (!mention && !command) {
      this.close()
      return
    }
    const typed = (mention ? mention[2] : command[1]).toLowerCase()
    this.start = before.length - typed.length - 1
    const offered = mention ? this.sources.models() : this.sources.prompts()
    const always = offered.filter((one) => one.isAlways)
    const fitting = offered.filter((one) => !one.isAlways && one.label.toLowerCase().includes(typed))
    this.found = [...fitting.slice(0, MAX_SHOWN - always.length), ...always]
    this.at = 0
    this.node.setAttribute("aria-label", mention ? t("Models") : t("Prompts"))
    this.#draw()
  }

  #draw() {
    this.node.hidden = !this.found.length
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
    if (this.isOpen) this.box.setAttribute("aria-activedescendant", `mention-${this.at}`)
  }

  #pressed(event) {
    if (!this.isOpen) return
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
