// What models know of the person: facts to see, write, switch off and delete.

import { dialogNamed } from "./dialog.js"
import { make, textButton } from "./dom.js"

const MAX_FACT_CHARS = 500

export class Memories {
  constructor(tell) {
    this.tell = tell
    Object.assign(this, dialogNamed(t("What models know of you"), "memories library form-dialog"))
    document.getElementById("show-memories").addEventListener("click", () => this.show())
  }

  show() {
    document.getElementById("options").open = false
    this.body.replaceChildren(make("p", "muted", t("Looking it up …")))
    this.dialog.showModal()
    this.tell({ op: "list_memories" })
  }

  update(op) {
    this.data = op
    if (this.dialog.open) this.#drawList()
  }

  #drawList() {
    const { facts, is_used: isUsed, most } = this.data
    const list = make("ul")
    list.append(...facts.map((fact) => this.#item(fact, isUsed)))
    const about = make("p", "muted", t("They go along with every question you ask, marked as information about you. What the model saw shows them."))
    const add = textButton(t("Add a fact"), "primary", () => this.#drawForm(null))
    add.disabled = facts.length >= most
    this.body.replaceChildren(
      about, this.#check(t("Tell models these facts"), isUsed, (is_used) => this.tell({ op: "use_memory", is_used })), list,
      add, " ", textButton(t("Close"), "more", () => this.dialog.close()),
    )
    if (!facts.length) list.replaceWith(make("p", "muted none", t("Nothing yet. Add for example your trade, your language, or what answers should look like.")))
  }

  #check(label, isOn, act) {
    const line = make("label", "check")
    const box = Object.assign(make("input"), { type: "checkbox", checked: isOn })
    box.addEventListener("change", () => act(box.checked))
    line.append(box, ` ${label}`)
    return line
  }

  #item(fact, isUsed) {
    const item = make("li", fact.is_on && isUsed ? "" : "off")
    const line = this.#check(fact.text, fact.is_on, (is_on) => this.tell({ op: "save_memory", memory: fact.id, text: fact.text, is_on }))
    const edit = textButton(t("Edit"), "more", () => this.#drawForm(fact))
    edit.setAttribute("aria-label", t("Edit: {text}", { text: fact.text }))
    const remove = textButton(t("Delete"), "more", () => this.#remove(fact))
    remove.setAttribute("aria-label", t("Delete: {text}", { text: fact.text }))
    item.append(line, edit, remove)
    return item
  }

  #drawForm(fact) {
    const form = make("form")
    const label = make("label", "", t("One fact, in a sentence"))
    const text = Object.assign(make("textarea"), {
      value: fact?.text ?? "", rows: 3, required: true, maxLength: MAX_FACT_CHARS, placeholder: t("I teach mathematics at a primary school."),
    })
    label.append(text)
    form.append(label, make("button", "primary", t("Save fact")), textButton(t("Cancel"), "more", () => this.#drawList()))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.tell({ op: "save_memory", memory: fact?.id ?? null, text: text.value, is_on: fact?.is_on ?? true })
    })
    this.body.replaceChildren(form)
    text.focus()
  }

  #remove(fact) {
    this.tell({ op: "delete_memory", memory: fact.id })
    const undo = () => this.tell({ op: "save_memory", text: fact.text, is_on: fact.is_on })
    window.llmUi.toast(t("The fact is deleted."), { action: t("Undo"), onAction: undo })
  }
}
