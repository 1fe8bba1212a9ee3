// Citations of an answer: a number in brackets becomes a chip that shows its passage and opens the document at it.

import { documents } from "./chat_document.js"
import { make, textButton } from "./dom.js"

const CITED = /\[(\d{1,3})\]/g
const NOT_IN = "a, button, summary, code, pre, math, .katex"
const CARD_PX = 360
const GAP_PX = 6
const LEAVE_MS = 150

function nameOf({ name, page, page_to: last }) {
  if (page === null) return name
  return page === last ? t("{name}, page {page}", { name, page }) : t("{name}, pages {page}–{last}", { name, page, last })
}

function open({ document_id: id, place, passage, text }) {
  documents.open({ document: id, page: place, passage, text })
}

// The passage beside its chip. It stays while the pointer is on it, and Escape takes it away.
class Card {
  constructor() {
    this.node = make("div", "source-card")
    this.node.id = "source-card"
    this.node.setAttribute("role", "tooltip")
    this.node.hidden = true
    this.chip = null
    this.node.addEventListener("mouseenter", () => clearTimeout(this.leaving))
    this.node.addEventListener("mouseleave", () => this.leave())
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") this.hide() })
    document.addEventListener("scroll", ({ target }) => this.#scrolled(target), { capture: true, passive: true })
    document.body.append(this.node)
  }

  show(chip, source) {
    clearTimeout(this.leaving)
    if (this.chip === chip) return
    this.hide()
    this.chip = chip
    this.node.replaceChildren(make("strong", "", nameOf(source)), make("p", "", source.text))
    this.node.hidden = false
    chip.setAttribute("aria-describedby", this.node.id)
    this.#place()
  }

  // A chip that gets the focus out of sight is scrolled into view: its passage goes with it.
  #scrolled(target) {
    if (!this.chip || target === this.node) return
    const { top, bottom } = this.chip.getBoundingClientRect()
    if (this.chip === document.activeElement && bottom > 0 && top < innerHeight) this.#place()
    else this.hide()
  }

  #place() {
    const box = this.chip.getBoundingClientRect()
    const width = Math.min(CARD_PX, innerWidth - 2 * GAP_PX)
    this.node.style.width = `${width}px`
    this.node.style.left = `${Math.max(GAP_PX, Math.min(box.left, innerWidth - width - GAP_PX))}px`
    const isAbove = box.top > innerHeight / 2
    this.node.style.top = isAbove ? "auto" : `${box.bottom + GAP_PX}px`
    this.node.style.bottom = isAbove ? `${innerHeight - box.top + GAP_PX}px` : "auto"
  }

  leave() {
    clearTimeout(this.leaving)
    this.leaving = setTimeout(() => this.hide(), LEAVE_MS)
  }

  hide() {
    this.chip?.removeAttribute("aria-describedby")
    this.chip = null
    this.node.hidden = true
  }
}

let card = null

export class Citations {
  // `sources` is what the answer may cite; none outside of projects with documents.
  constructor(sources) {
    this.sources = new Map((sources ?? []).map((source) => [source.number, source]))
    this.isSought = Array.isArray(sources)
    this.list = make("div", "sources")
    this.list.hidden = true
  }

  // Tools have found more.
  know(sources) {
    this.sources = new Map(sources.map((source) => [source.number, source]))
    this.isSought = true
  }

  // Make chips of the citations in a block.
  mark(block) {
    if (!this.sources.size || !block.textContent.includes("[")) return
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT)
    const texts = []
    while (walker.nextNode()) if (!walker.currentNode.parentElement.closest(NOT_IN)) texts.push(walker.currentNode)
    for (const text of texts) this.#markText(text)
  }

  #markText(text) {
    const found = [...text.data.matchAll(CITED)].filter((one) => this.sources.has(Number(one[1])))
    for (const one of found.reverse()) {
      const rest = text.splitText(one.index)
      rest.data = rest.data.slice(one[0].length)
      rest.before(this.#chip(this.sources.get(Number(one[1]))))
    }
  }

  #chip(source) {
    const chip = textButton("", "cite", () => open(source))
    // The brackets, which have no size, are for who copies the text.
    chip.append(make("span", "", "["), String(source.number), make("span", "", "]"))
    chip.setAttribute("aria-label", t("Source {number}: {name}", { number: source.number, name: nameOf(source) }))
    card ??= new Card()
    chip.addEventListener("mouseenter", () => card.show(chip, source))
    chip.addEventListener("focus", () => card.show(chip, source))
    for (const away of ["mouseleave", "blur"]) chip.addEventListener(away, () => card.leave())
    return chip
  }

  // Once the answer has ended: what it cites, or that it cites nothing.
  end(body) {
    if (!this.isSought) return
    const cited = new Set([...body.querySelectorAll(".cite")].map((chip) => Number(chip.childNodes[1].data)))
    this.list.hidden = false
    if (!cited.size) {
      this.list.replaceChildren(make("p", "muted", t("No document of the project is cited.")))
      return
    }
    const items = make("ul")
    items.setAttribute("aria-label", t("Sources"))
    for (const source of this.sources.values()) {
      if (!cited.has(source.number)) continue
      const item = make("li")
      const button = textButton("", "source", () => open(source))
      button.append(make("b", "", String(source.number)), make("span", "", nameOf(source)))
      item.append(button)
      items.append(item)
    }
    this.list.replaceChildren(items)
  }
}
