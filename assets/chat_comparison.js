// Several answers to one question, side by side; and the choice of models that are asked at once.

import { make, textButton } from "./dom.js"

const MAX_BESIDE = 3
const CHOICE = "llm-ui-beside"
const MARKS = { added: "ins", removed: "del" }

export class Comparison {
  // `act` has keep(id), merge(ids), readDifference(id, other), endComparison().
  constructor(act) {
    this.act = act
    this.node = make("section", "comparison")
    this.node.setAttribute("aria-label", t("Answers side by side"))
    const bar = make("div", "comparison-bar")
    this.about = make("span", "muted")
    this.mergeButton = textButton(t("Merge into one answer"), "bar-button", () => act.merge(this.#ids()))
    this.endButton = textButton(t("Show one"), "bar-button", () => act.endComparison())
    this.differenceButton = textButton(t("Show difference"), "bar-button", () => this.#compareWords(this.differenceButton.ariaPressed !== "true"))
    this.differenceButton.ariaPressed = "false"
    bar.append(this.about, this.differenceButton, this.mergeButton, this.endButton)
    this.columns = make("div", "columns")
    this.node.append(bar, this.columns)
    this.replayed = null
    this.marked = ""
  }

  get isOpen() {
    return this.node.isConnected
  }

  // Put answers next to each other, in the place of the first one. The same ones, shown anew, stay marked.
  open(answers) {
    if (!this.isOpen) answers[0].node.before(this.node)
    this.columns.replaceChildren(...answers.map((answer) => this.#column(answer)))
    const stays = this.differenceButton.ariaPressed === "true" && this.marked === String(this.#ids())
    this.#compareWords(stays)
    this.update(answers)
  }

  // Once an answer stands beside its replay, what differs is what one wants to see.
  awaitReplay(answer) {
    this.replayed = answer
  }

  // Whether they can be merged depends on their being whole.
  update(answers) {
    const isWriting = answers.some((answer) => answer.isLive)
    this.about.textContent = isWriting ? t("Keep the one you like best: the others end then.") : t("Keep the one you like best; the others stay as its versions.")
    this.mergeButton.disabled = this.endButton.disabled = this.differenceButton.disabled = isWriting
    if (isWriting || !answers.some((answer) => answer.id === this.replayed)) return
    this.replayed = null
    this.#compareWords(true)
  }

  // What an answer says that the first one does not, and what that says instead: word by word, as they were written.
  showDifference({ answer, other, pieces }) {
    const [first, ...others] = this.columns.children
    const shown = others.find((column) => column.querySelector("article")?.dataset.id === other)
    if (this.differenceButton.ariaPressed !== "true" || !shown || first.querySelector("article")?.dataset.id !== answer) return
    this.#mark(shown, pieces, "removed")
    // With several others the first answer shows what it does not share with the next.
    if (shown === others[0]) this.#mark(first, pieces, "added")
  }

  #compareWords(isWanted) {
    this.differenceButton.ariaPressed = String(isWanted)
    for (const column of this.columns.children) {
      column.classList.remove("marked")
      column.querySelector(".difference")?.remove()
    }
    this.marked = String(this.#ids())
    const [first, ...others] = this.#ids()
    if (isWanted) for (const other of others) this.act.readDifference(first, other)
  }

  #mark(column, pieces, without) {
    const words = make("div", "words difference")
    for (const { kind, text } of pieces) if (kind !== without) words.append(kind in MARKS ? make(MARKS[kind], "", text) : text)
    column.querySelector(".difference")?.remove()
    column.querySelector("header").after(words)
    column.classList.add("marked")
  }

  // Back to the list with them, for whoever draws it next.
  dissolve() {
    if (!this.isOpen) return
    this.node.before(...this.columns.querySelectorAll("article"))
    this.node.remove()
  }

  #column(answer) {
    const column = make("div", "column-of")
    const head = make("header")
    const keep = textButton(t("Keep"), "keep", () => this.act.keep(answer.id))
    keep.setAttribute("aria-label", answer.data.model ? t("Keep the answer of {model}", { model: answer.data.model }) : t("Keep the answer of this model"))
    head.append(make("strong", "", answer.data.model || t("Answer")), keep)
    column.append(head, answer.node)
    return column
  }

  #ids() {
    return [...this.columns.querySelectorAll("article")].map((node) => node.dataset.id)
  }
}

// A menu of models, kept for this page: those ticked are asked beside the one in the top bar.
export class ComparisonChoice {
  constructor(menu, models) {
    this.menu = menu
    this.models = models
    this.chosen = JSON.parse(sessionStorage.getItem(CHOICE) ?? "[]")
    menu.addEventListener("toggle", () => { if (menu.open) this.#fill() })
    this.show()
  }

  // The ids of the models that are asked too.
  get ids() {
    const known = new Set(this.models().map((model) => model.id))
    return this.chosen.filter((id) => known.has(id))
  }

  show() {
    const count = this.ids.length
    const summary = this.menu.firstElementChild
    summary.textContent = count ? t("Compare: {count} models", { count: count + 1 }) : t("Compare")
    summary.classList.toggle("on", count > 0)
    this.menu.hidden = this.models().length < 2
  }

  #fill() {
    const list = make("fieldset")
    list.append(make("legend", "", t("Ask these too, side by side")))
    for (const model of this.models()) {
      const line = make("label")
      const box = Object.assign(make("input"), { type: "checkbox", checked: this.chosen.includes(model.id) })
      box.addEventListener("change", () => this.#choose(model.id, box))
      line.append(box, ` ${model.label}`)
      list.append(line)
    }
    const about = make("p", "", t("The model in the top bar is asked in any case. Each answer costs as if asked alone."))
    this.menu.lastElementChild.replaceChildren(list, about)
  }

  #choose(id, box) {
    const others = this.ids.filter((one) => one !== id)
    if (box.checked && others.length >= MAX_BESIDE) {
      box.checked = false
      window.llmUi.toast(t("Four models at once are the most. Untick one first."), { isError: true })
      return
    }
    this.chosen = box.checked ? [...others, id] : others
    sessionStorage.setItem(CHOICE, JSON.stringify(this.chosen))
    this.show()
  }
}
