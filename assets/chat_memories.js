// What models know of the person, or in a project: facts to see, write, switch off and delete.

import { dialogNamed } from "./dialog.js"
import { make, textButton } from "./dom.js"

const MAX_FACT_CHARS = 500

export class Memories {
  constructor(tell) {
    this.tell = tell
    Object.assign(this, dialogNamed(t("What models know of you"), "memories library form-dialog"))
    document.getElementById("show-memories").addEventListener("click", () => this.show())
  }

  // `project` is null, or has id and name: then it is about its facts.
  show(project = null) {
    document.getElementById("options").open = false
    this.project = project
    this.title.textContent = project ? t("What models know in “{name}”", { name: project.name }) : t("What models know of you")
    this.body.replaceChildren(make("p", "muted", t("Looking it up …")))
    this.dialog.showModal()
    this.#ask({ op: "list_memories" })
  }

  update(op) {
    if (op.project !== (this.project?.id ?? null)) return
    this.data = op
    if (this.dialog.open) this.#drawList()
  }

  #ask(op) {
    this.tell({ ...op, project: this.project?.id ?? null })
  }

  #drawList() {
    const { facts, is_used: isUsed, most } = this.data
    const list = make("ul")
    list.append(...facts.map((fact) => this.#item(fact, isUsed)))
    const about = make("p", "muted", this.project
      ? t("They go along with every question in this project, and with none outside of it. What the model saw shows them.")
      : t("They go along with every question you ask, marked as information about you. What the model saw shows them."))
    const using = this.project ? t("Tell models here what they know of me, too") : t("Tell models these facts")
    const add = textButton(t("Add a fact"), "primary", () => this.#drawForm(null))
    add.disabled = facts.length >= most
    this.body.replaceChildren(
      about, this.#check(using, isUsed, (is_used) => this.#ask({ op: "use_memory", is_used })), list,
      add, " ", textButton(t("Close"), "more", () => this.dialog.close()),
    )
    if (!facts.length) list.replaceWith(make("p", "muted none", this.project
      ? t("Nothing yet. Add for example who takes part, what was decided, or which words are used.")
      : t("Nothing yet. Add for example your trade, your language, or what answers should look like.")))
  }

  #check(label, isOn, act) {
    const line = make("label", "check")
    const box = Object.assign(make("input"), { type: "checkbox", checked: isOn })
    box.addEventListener("change", () => act(box.checked))
    line.append(box, ` ${label}`)
    return line
  }

  #item(fact, isUsed) {
    const item = make("li", fact.is_on && (isUsed || this.project) ? "" : "off")
    const line = this.#check(fact.text, fact.is_on, (is_on) => this.#ask({ op: "save_memory", memory: fact.id, text: fact.text, is_on }))
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
      value: fact?.text ?? "", rows: 3, required: true, maxLength: MAX_FACT_CHARS, placeholder: this.project ? t("The report is due on 3 March.") : t("I teach mathematics at a primary school."),
    })
    label.append(text)
    form.append(label, make("button", "primary", t("Save fact")), textButton(t("Cancel"), "more", () => this.#drawList()))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#ask({ op: "save_memory", memory: fact?.id ?? null, text: text.value, is_on: fact?.is_on ?? true })
    })
    this.body.replaceChildren(form)
    text.focus()
  }

  #remove(fact) {
    this.#ask({ op: "delete_memory", memory: fact.id })
    const project = this.project?.id ?? null
    const undo = () => this.tell({ op: "save_memory", project, text: fact.text, is_on: fact.is_on })
    window.llmUi.toast(t("The fact is deleted."), { action: t("Undo"), onAction: undo })
  }
}
