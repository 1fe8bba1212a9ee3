// A project's home, in the place of the start page: what models are told in it, and its documents.

import { documents } from "./chat_document.js"
import { DocumentList } from "./chat_documents.js"
import { Bench } from "./chat_bench.js"
import { Passages } from "./chat_passages.js"
import { budgetLine, keptFor } from "./chat_limits.js"
import { isShared, mayEdit, mayOwn, told } from "./chat_members.js"
import { projectIcon } from "./chat_project_look.js"
import { Uploads } from "./chat_uploads.js"
import { FromWeb } from "./chat_web.js"
import { dialogNamed, field } from "./dialog.js"
import { make, textButton } from "./dom.js"

const PATH = /^\/p\/([0-9a-f-]{36})\/?$/
const MAX_INSTRUCTIONS_CHARS = 20_000
const MAX_TITLE_CHARS = 150

function cell(scope, text) {
  const node = make("th", "", text)
  node.scope = scope
  return node
}

export class ProjectHome {
  // `act` has tell(op), list(project): its chats in the sidebar, find(project), settings(project), members(project), limits(project, budget), menu(project), model(id): its name, leave(sentence), retitled(), know(project), bytes():
  // what a document may have, and fetches(): whether some may come from the web.
  constructor(node, act) {
    this.node = node
    this.act = act
    this.id = null
    this.data = null
    this.writing = dialogNamed(t("Instructions"), "instructions-dialog form-dialog")
    this.adding = dialogNamed(t("New document"), "add-text form-dialog")
    documents.connect(act.tell)
    this.#build()
  }

  get isOpen() {
    return Boolean(this.id)
  }

  get name() {
    return this.id ? this.act.find(this.id).name : ""
  }

  // Go where the address leads: to a project, or away from it.
  visit() {
    const id = location.pathname.match(PATH)?.[1] ?? null
    if (id !== this.id) {
      this.id = id
      this.data = null
      // Beside the chat that was begun here it stays.
      if (!location.pathname.startsWith("/c/")) documents.leave()
      this.list.open(id)
      this.uploads.show(id)
      this.#draw()
    }
    if (!id) return
    this.act.list(id)
    this.act.tell({ op: "read_project", project: id })
  }

  // Show it while nothing is asked. Returns whether it is shown.
  show(isEmpty) {
    const isShown = isEmpty && this.isOpen
    this.node.hidden = !isShown
    this.list.watch(isShown)
    if (this.isOpen) documents.follow()
    return isShown
  }

  // What is dropped on the page while it is shown.
  takesDrops() {
    const project = this.act.find(this.id)
    return this.node.hidden || project.is_archived || !mayEdit(project) ? null : { text: t("Drop files to add them to the project"), take: (files) => this.uploads.add(files) }
  }

  update(op) {
    if (op.project !== this.id) return
    this.data = op
    if (op.is_saved) this.writing.dialog.close()
    else this.list.first(op)
    this.#draw()
  }

  // It has another name, or other settings.
  change() {
    if (!this.isOpen) return
    // Whoever is given another role sees at once what that allows.
    if (this.role === this.act.find(this.id).role) this.#drawHead()
    else this.#draw()
    this.act.retitled()
  }

  gone(op) {
    if (op.project === this.id) this.act.leave(op.text)
  }

  // News of documents, by the name of the operation.
  news(op) {
    if (op.project !== this.id) return
    this.list[op.op](op)
    if (op.is_deleted) documents.gone(op)
  }

  #build() {
    this.head = make("div", "project-top")
    this.title = make("h2")
    this.title.id = "project-name"
    this.begins = make("p", "muted")
    this.shared = make("p", "muted shared-with")
    this.kept = make("p", "muted")
    this.node.setAttribute("aria-labelledby", "project-name")
    this.told = make("div", "told")
    this.used = make("section", "used")
    this.used.setAttribute("aria-labelledby", "used-title")
    this.web = new FromWeb(this.act.tell)
    this.passages = new Passages(this.act.tell, () => this.list.rows.map(({ one }) => one).filter(({ stage }) => stage === "ready"))
    this.bench = new Bench(this.act.tell)
    this.list = new DocumentList({ tryOut: () => this.bench.ask(this.id), cut: () => this.passages.ask(this.id), tell: this.act.tell, buttons: () => this.#buttons(), open: (id) => documents.show(id), web: this.web, fetches: this.act.fetches() })
    const uploads = make("section", "uploads")
    uploads.hidden = true
    uploads.setAttribute("aria-label", t("Uploads"))
    this.uploads = new Uploads(uploads, {
      arrived: (project, document) => { if (project === this.id) this.list.look([document]) },
      bytes: () => this.act.bytes(),
    })
    this.input = Object.assign(make("input"), { type: "file", multiple: true, hidden: true })
    this.input.addEventListener("change", () => {
      this.uploads.add([...this.input.files])
      this.input.value = ""
    })
    this.node.append(this.head, this.begins, this.shared, this.kept, this.told, this.input, uploads, this.list.node, this.used)
  }

  #buttons() {
    const row = make("div", "buttons")
    row.append(textButton(t("Upload files"), "primary", () => this.input.click()))
    if (this.act.fetches()) row.append(textButton(t("From the web"), "more", () => this.web.ask(this.id)))
    row.append(textButton(t("Add text"), "more", () => this.#addText()))
    return row
  }

  #drawHead() {
    const project = this.act.find(this.id)
    this.role = project.role
    this.title.textContent = project.name
    const settings = textButton(t("Settings …"), "bar-button", () => this.act.settings(this.id))
    settings.setAttribute("aria-label", t("Settings of the project"))
    const members = textButton(isShared(project) ? t("Members ({n})", { n: project.members }) : t("Share …"), "bar-button", () => this.act.members(project))
    members.setAttribute("aria-label", t("Members of the project"))
    const actions = make("div", "project-actions")
    actions.append(members, ...(mayEdit(project) ? [settings] : []), this.act.menu(project))
    this.head.replaceChildren(projectIcon(project), this.title, actions)
    this.kept.textContent = keptFor(project.keep_days)
    this.kept.hidden = !project.keep_days
    this.shared.hidden = !isShared(project)
    this.shared.textContent = isShared(project) ? [told(project), t("Nobody reads the chats of another member.")].join(" ") : ""
    this.begins.textContent = project.is_archived ? t("Archived. Its chats, facts and documents are still here.") : this.#beginning(project)
    this.node.classList.toggle("is-archived", Boolean(project.is_archived))
    this.node.classList.toggle("is-read", !mayEdit(project))
    this.list.allow(mayEdit(project))
  }

  // What a chat begins with that is begun here.
  #beginning({ model, model_name: name, temperature, max_tokens: most, is_template: isTemplate }) {
    const label = this.act.model(model)
    if (name && !label) return t("New chats here were to begin with {name}, which is not available any more: they begin with the model picked above. Pick another one in the settings.", { name })
    const said = [t("What you ask below begins a chat in this project.")]
    const number = (value) => value.toLocaleString(document.documentElement.lang)
    if (label) said.push(t("It begins with {name}.", { name: label }))
    if (typeof temperature === "number") said.push(t("Temperature: {n}.", { n: number(temperature) }))
    if (most) said.push(t("Longest answer: {n} tokens.", { n: number(most) }))
    if (isTemplate) said.push(t("New projects can begin like this one."))
    return said.join(" ")
  }

  #draw() {
    if (this.id) this.#drawHead()
    const instructions = this.data?.instructions ?? ""
    const head = make("div", "told-head")
    head.append(make("h3", "", t("Instructions")))
    const edit = textButton(instructions ? t("Edit") : t("Add"), "bar-button", () => this.#write())
    edit.setAttribute("aria-label", instructions ? t("Edit the instructions") : t("Add instructions"))
    edit.disabled = !this.data
    const know = textButton(t("What models know …"), "bar-button", () => this.act.know({ id: this.id, name: this.name }))
    const buttons = make("div", "buttons")
    buttons.append(know, ...(mayEdit(this.act.find(this.id)) ? [edit] : []))
    head.append(buttons)
    const text = instructions ? make("p", "text", instructions) : make("p", "muted", t("Models are told them in every chat of this project: what it is about, and how to answer."))
    this.told.replaceChildren(head, text)
    this.#drawUsed()
  }

  // Chats, messages, tokens and their price, this month and in all.
  #drawUsed() {
    const { used, budget } = this.data ?? {}
    const owns = mayOwn(this.act.find(this.id))
    const isUsed = Boolean(used?.all.messages || used?.all.tokens)
    this.used.hidden = !this.data || !(isUsed || budget || owns)
    if (this.used.hidden) return
    const title = make("h3", "", t("Usage"))
    title.id = "used-title"
    const limits = textButton(t("Limits …"), "bar-button", () => this.act.limits(this.act.find(this.id), budget?.value ?? null))
    limits.setAttribute("aria-label", t("Limits of the project"))
    const head = make("div", "used-head")
    head.append(title, ...(owns ? [limits] : []))
    this.used.replaceChildren(head, ...(budget ? [budgetLine(budget)] : []), isUsed ? this.#figures(used) : make("p", "muted", t("Nothing was used yet. What chats of this project use is counted here.")))
  }

  #figures(used) {
    const table = make("table")
    const head = make("tr")
    head.append(make("td"), ...[t("Chats"), t("Messages"), t("Tokens"), t("Cost")].map((name) => cell("col", name)))
    const row = (label, { chats, messages, tokens, cost }) => {
      const line = make("tr")
      line.append(cell("row", label), ...[chats, messages, tokens].map((n) => make("td", "", n.toLocaleString(document.documentElement.lang))), make("td", "", cost ?? t("unknown")))
      return line
    }
    table.append(head, row(t("This month"), used.month), row(t("In all"), used.all))
    return table
  }

  #write() {
    const { dialog, body } = this.writing
    const form = make("form")
    const text = Object.assign(make("textarea"), {
      value: this.data.instructions, rows: 10, maxLength: MAX_INSTRUCTIONS_CHARS, placeholder: t("This is about our house. Answer briefly, and name the paragraph of the contract."),
    })
    const buttons = make("div", "buttons")
    buttons.append(make("button", "primary", t("Save")), textButton(t("Cancel"), "more", () => dialog.close()))
    form.append(field(t("What models are told in every chat of this project"), text), buttons)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.act.tell({ op: "save_instructions", project: this.id, instructions: text.value })
    })
    body.replaceChildren(form)
    dialog.showModal()
  }

  // What is written or pasted becomes a document like the others.
  #addText() {
    const { dialog, body } = this.adding
    const form = make("form")
    const title = Object.assign(make("input"), { required: true, maxLength: MAX_TITLE_CHARS, placeholder: t("Minutes of the meeting") })
    const text = Object.assign(make("textarea"), { required: true, rows: 10 })
    const buttons = make("div", "buttons")
    buttons.append(make("button", "primary", t("Add")), textButton(t("Cancel"), "more", () => dialog.close()))
    form.append(field(t("Title"), title), field(t("Text"), text), buttons)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      const name = title.value.replaceAll(/[/\\]/g, "-").trim() || t("Text")
      this.uploads.add([new File([text.value], `${name}.md`, { type: "text/markdown" })])
      dialog.close()
    })
    body.replaceChildren(form)
    dialog.showModal()
  }
}
