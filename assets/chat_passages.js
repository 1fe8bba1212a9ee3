// How the documents of a project are cut into passages: chosen, and seen on one of them before all are cut that way.

import { dialogNamed, field } from "./dialog.js"
import { make, textButton } from "./dom.js"

const PAUSE_MS = 300
const LEAST_TOKENS = 50
const MOST_TOKENS = 2_000

const shown = (number) => number.toLocaleString(document.documentElement.lang)

function number(value, least, most) {
  return Object.assign(make("input"), { type: "number", required: true, min: least, max: most, step: 10, value })
}

function choice(options) {
  const select = make("select")
  for (const [value, label] of options) select.append(Object.assign(make("option", "", label), { value }))
  return select
}

// What says how documents are cut: set({…}) fills it, wanted() tells it, isValid() whether it can be so.
export function cutFields() {
  const node = make("div", "cut-fields")
  const by = choice([["structure", t("With sections and paragraphs, over the ends of pages")], ["pages", t("As well, but never over the end of a page")]])
  const [size, overlap] = [number("", LEAST_TOKENS, MOST_TOKENS), number("", 0, MOST_TOKENS / 2)]
  const sizes = make("div", "numbers")
  sizes.append(field(t("Tokens of a passage"), size), field(t("of these repeated from the one before"), overlap))
  node.append(field(t("Where they begin and end"), by), sizes)
  const bound = () => { overlap.max = Math.floor((size.valueAsNumber || 0) / 2) }
  node.addEventListener("input", bound)
  return {
    node,
    set(cut) {
      Object.assign(by, { value: cut.by })
      Object.assign(size, { value: cut.passage_tokens })
      Object.assign(overlap, { value: cut.overlap_tokens })
      bound()
    },
    wanted: () => ({ by: by.value, passage_tokens: size.valueAsNumber || 0, overlap_tokens: overlap.valueAsNumber || 0 }),
    isValid: () => size.checkValidity() && overlap.checkValidity(),
  }
}

// A passage as it would be, with where it stands and how long it is.
function passage(one) {
  const node = make("li")
  const head = make("p", "muted", [one.headings.join(" › "), tn("{n} token", "{n} tokens", one.tokens, { n: shown(one.tokens) })].filter(Boolean).join(" · "))
  node.append(head, make("p", "text", one.text))
  return node
}

export class Passages {
  // `documents` gives those that can be looked at.
  constructor(tell, documents) {
    this.tell = tell
    this.documents = documents
    this.number = 0
    this.cutting = dialogNamed(t("Passages"), "cutting form-dialog")
  }

  ask(project) {
    this.project = project
    this.tell({ op: "read_cutting", project })
  }

  // What holds came: the form is filled with it.
  cuttings(op) {
    if (op.project !== this.project) return
    const { dialog, body } = this.cutting
    const form = make("form")
    this.fields = cutFields()
    this.fields.set(op)
    this.document = choice(this.documents().map(({ id, name }) => [id, name]))
    this.state = make("p", "muted")
    this.state.setAttribute("role", "status")
    this.list = make("ol", "cut")
    this.list.tabIndex = 0
    this.list.setAttribute("aria-label", t("Passages of the document"))
    const buttons = make("div", "buttons")
    buttons.append(make("button", "primary", t("Cut all documents this way")), textButton(t("Cancel"), "more", () => dialog.close()))
    form.append(
      make("p", "muted", t("Questions are answered from passages. Short ones are found more exactly, long ones say more of what is around.")),
      this.fields.node,
      ...(this.document.options.length ? [field(t("How it looks in"), this.document), this.state, this.list] : []), buttons,
    )
    form.addEventListener("input", () => this.#preview(PAUSE_MS))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.tell({ op: "save_cutting", project: this.project, ...this.fields.wanted() })
    })
    body.replaceChildren(form)
    dialog.showModal()
    this.#preview(0)
  }

  cut(op) {
    if (op.number !== this.number) return
    const about = { n: shown(op.count), mean: shown(op.mean_tokens) }
    this.state.textContent = op.is_all
      ? tn("{n} passage of {mean} tokens.", "{n} passages, {mean} tokens each on average.", op.count, about)
      : tn("{n} passage of {mean} tokens on the first pages.", "{n} passages on the first pages, {mean} tokens each on average.", op.count, about)
    this.list.replaceChildren(...op.passages.map(passage))
  }

  saved(op) {
    if (op.project !== this.project) return
    this.cutting.dialog.close()
    window.llmUi.toast(op.cut_anew ? tn("{n} document is cut anew.", "{n} documents are cut anew.", op.cut_anew, { n: shown(op.cut_anew) }) : t("Documents that come are cut this way."))
  }

  #preview(pause) {
    clearTimeout(this.timer)
    if (!this.document.value) return
    this.timer = setTimeout(() => {
      if (!this.fields.isValid()) return
      this.number += 1
      this.tell({ op: "preview_cutting", document: this.document.value, number: this.number, ...this.fields.wanted() })
    }, pause)
  }
}
