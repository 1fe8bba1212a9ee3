// The documents of a project: listed by name, with how far each is, and what can be done to it.

import { sizeOf } from "./chat_files.js"
import { sourceOf } from "./chat_web.js"
import { confirmed, dialogNamed, field } from "./dialog.js"
import { iconMenu, make, menuEntry, textButton } from "./dom.js"

const LOOK_AGAIN_MS = 1_000
// While nothing but the search by meaning is waited for.
const LOOK_LATER_MS = 5_000
const PAUSE_MS = 150
const MANY = 8
const MAX_NAME_CHARS = 200
const MAX_LOOKED_AT = 200

const shown = (number) => number.toLocaleString(document.documentElement.lang)
const isBusy = ({ stage }) => stage === "received" || stage === "parsed"
const isWaiting = (one) => isBusy(one) || one.meaning === "waiting"
const key = ({ name }) => name.toLowerCase()

// How far a document is, in words.
export function stateOf(one) {
  if (one.stage === "failed") return t("Could not be read: {why}", { why: one.error })
  if (one.stage === "parsed") return t("Read; its passages are being stored")
  if (one.stage === "received") return one.pages ? t("Reading, page {page}", { page: shown(one.pages) }) : t("Waiting to be read")
  if (one.embed_error) return t("Found by its words only: {why}", { why: one.embed_error })
  if (one.meaning === "waiting") return t("Found by its words; by meaning in a moment")
  return t("Ready")
}

// How much room is taken, of how much there is.
function takenOf(size, most) {
  return most ? t("{size} of {most}", { size: sizeOf(size), most: sizeOf(most) }) : sizeOf(size)
}

function figuresOf(one) {
  const parts = [sizeOf(one.size)]
  if (one.stage === "ready") {
    if (one.has_pages) parts.push(tn("{n} page", "{n} pages", one.pages, { n: shown(one.pages) }))
    parts.push(tn("{n} passage", "{n} passages", one.passages, { n: shown(one.passages) }))
  }
  if (one.version > 1) parts.push(t("version {version}", { version: one.version }))
  return parts
}

export class DocumentList {
  // `act` has tell(op), open(id), cut() and tryOut(): their dialogs, buttons(): what adds documents, web: what is still to be fetched, and fetches: whether
  // anything may be.
  constructor(act) {
    this.act = act
    this.project = null
    // What may be done to them.
    this.mayEdit = true
    this.rows = []
    this.number = 0
    this.node = make("section", "documents")
    this.node.setAttribute("aria-labelledby", "documents-title")
    this.naming = dialogNamed(t("Document"), "naming-document form-dialog")
    this.sure = dialogNamed(t("Delete the document"), "deleting-document form-dialog")
    this.#build()
    // Much may have happened on other pages meanwhile; a long list stays as far as it was loaded.
    document.addEventListener("visibilitychange", () => {
      if (document.hidden || !this.isWatched) return
      if (this.rows.length <= MAX_LOOKED_AT) this.#list(0)
      else this.#lookAgain()
    })
  }

  #build() {
    const title = make("h3", "", t("Documents"))
    title.id = "documents-title"
    const head = make("div", "documents-head")
    head.append(title, this.act.buttons())
    this.total = make("p", "muted")
    this.figuresRow = make("div", "documents-figures")
    this.tools = make("div", "tools")
    this.tools.append(textButton(t("Search on trial …"), "bar-button", () => this.act.tryOut()), textButton(t("Passages …"), "bar-button", () => this.act.cut()))
    this.figuresRow.append(this.total, this.tools)
    this.said = make("p", "visually-hidden")
    this.said.setAttribute("role", "status")
    this.box = Object.assign(make("input"), { type: "search", placeholder: t("Find by name"), maxLength: MAX_NAME_CHARS })
    this.box.setAttribute("aria-label", t("Find documents"))
    this.box.addEventListener("input", () => {
      clearTimeout(this.typing)
      this.typing = setTimeout(() => this.#list(0), PAUSE_MS)
    })
    this.list = make("ul")
    this.list.setAttribute("aria-labelledby", "documents-title")
    this.empty = make("p", "empty")
    this.more = textButton(t("Show more"), "more", () => this.#list(this.rows.length))
    this.node.append(head, this.figuresRow, this.said, this.act.web.node, this.box, this.list, this.empty, this.more)
  }

  // Another project, or none: nothing of it is known yet.
  open(project) {
    clearTimeout(this.timer)
    Object.assign(this, { project, figures: null, hasMore: false })
    this.box.value = ""
    this.act.web.show([])
    this.#replace([])
    this.#drawFigures()
  }

  // The first of them came with the project, unless something is looked for.
  first(op) {
    if (this.box.value) this.#list(0)
    else this.#take(op)
  }

  // Look again from time to time, while it is shown and something is being read.
  watch(isWatched) {
    this.isWatched = isWatched
    clearTimeout(this.timer)
    const { busy, unembedded } = this.figures ?? {}
    const isSoon = busy || this.act.web.isBusy
    if (!isWatched || !(isSoon || unembedded) || document.hidden) return
    this.timer = setTimeout(() => this.#lookAgain(), isSoon ? LOOK_AGAIN_MS : LOOK_LATER_MS)
  }

  look(documents) {
    this.act.tell({ op: "look_at_documents", project: this.project, documents })
  }

  #lookAgain() {
    this.look(this.rows.filter(({ one }) => isWaiting(one)).slice(0, MAX_LOOKED_AT).map(({ one }) => one.id))
    // An answer that never comes must not end it.
    this.watch(this.isWatched)
  }

  #list(offset) {
    this.number += 1
    this.act.tell({ op: "list_documents", project: this.project, number: this.number, name: this.box.value.trim(), offset })
  }

  // Whether they may be changed by who looks at them.
  allow(mayEdit) {
    if (this.mayEdit === mayEdit) return
    this.mayEdit = mayEdit
    this.tools.hidden = !mayEdit
    this.#replace(this.rows.map(({ one }) => one))
    this.#drawFigures()
  }

  // ---- News -------------------------------------------------------------------------------------------------------
  documents(op) {
    if (op.number === this.number) this.#take(op, op.offset)
  }

  documents_now(op) {
    if (op.is_begun) this.act.web.close()
    for (const one of op.documents) this.#put(one)
    const wasBusy = this.figures?.busy
    this.#figure(op)
    if (wasBusy && !op.busy) this.said.textContent = t("All documents are read.")
    // Deleted on another page.
    if (!op.busy && this.rows.some(({ one }) => isBusy(one))) this.#list(0)
  }

  document_changed(op) {
    if (op.is_deleted) {
      this.rows.find(({ one }) => one.id === op.document)?.node.remove()
      this.rows = this.rows.filter(({ one }) => one.id !== op.document)
      window.llmUi.toast(t("{name} is deleted.", { name: op.name }))
    } else for (const one of op.documents) this.#put(one)
    this.naming.dialog.close()
    this.#figure(op)
  }

  #take(op, offset = 0) {
    if (offset) for (const one of op.documents) this.#append(one)
    else this.#replace(op.documents)
    this.hasMore = op.has_more
    this.#figure(op)
    this.act.web.tellUnchanged(op.documents)
  }

  #figure(op) {
    this.figures = op
    // What was fetched has become a document, or replaced one.
    if (this.act.web.show(op.fetches)) this.#list(0)
    this.#drawFigures()
    this.watch(this.isWatched)
  }

  // ---- Rows -------------------------------------------------------------------------------------------------------
  #replace(documents) {
    this.rows = []
    this.list.replaceChildren()
    for (const one of documents) this.#append(one)
  }

  #append(one) {
    const row = { one, node: this.#row(one) }
    this.rows.push(row)
    this.list.append(row.node)
  }

  // Put a document where it belongs, in the place of how it was.
  #put(one) {
    const at = this.rows.findIndex((row) => row.one.id === one.id)
    const old = this.rows[at]
    if (old && JSON.stringify(old.one) === JSON.stringify(one)) return
    if (old && key(old.one) === key(one)) {
      const node = this.#row(one)
      old.node.replaceWith(node)
      this.rows[at] = { one, node }
      return
    }
    if (old) {
      old.node.remove()
      this.rows.splice(at, 1)
    }
    if (!key(one).includes(this.box.value.trim().toLowerCase())) return
    const next = this.rows.findIndex((row) => key(row.one) > key(one))
    // What comes after the last one shown is loaded with those that follow.
    if (next < 0 && this.hasMore) return
    const row = { one, node: this.#row(one) }
    this.list.insertBefore(row.node, this.rows[next]?.node ?? null)
    this.rows.splice(next < 0 ? this.rows.length : next, 0, row)
  }

  #row(one) {
    const node = make("li", one.stage)
    const kind = make("span", "kind", one.name.match(/\.(\w{1,4})$/)?.[1].toUpperCase() ?? "…")
    kind.setAttribute("aria-hidden", "true")
    const about = make("div", "about")
    // What was read of it can be looked at.
    const name = one.pages ? textButton(one.name, "name", () => this.act.open(one.id)) : make("span", "name", one.name)
    name.title = one.name
    const state = make("p", "state")
    state.append(make("span", "how", stateOf(one)), ` · ${figuresOf(one).join(" · ")}`)
    if (one.source) state.append(" · ", sourceOf(one.source))
    about.append(name, state)
    if (one.remark) about.append(make("p", "state", one.remark))
    node.append(kind, about)
    if (this.mayEdit && (one.stage === "failed" || one.embed_error)) {
      const retry = textButton(t("Retry"), "bar-button", () => this.act.tell({ op: "retry_document", document: one.id }))
      retry.setAttribute("aria-label", t("Read {name} once more", { name: one.name }))
      node.append(retry)
    }
    node.append(iconMenu(t("Actions for {title}", { title: one.name }), "more", (menu) => this.#actions(one, menu)))
    return node
  }

  #actions(one, menu) {
    const save = make("a", "", t("Download"))
    save.href = `/documents/${one.id}/file`
    save.download = one.name
    save.addEventListener("click", () => { menu.open = false })
    if (!this.mayEdit) return [save]
    const entries = [menuEntry(menu, t("Rename"), () => this.#rename(one)), save]
    if (one.source && this.act.fetches) entries.push(menuEntry(menu, t("Fetch again"), () => this.act.web.again(one)))
    return [...entries, menuEntry(menu, t("Delete"), () => this.#delete(one))]
  }

  #drawFigures() {
    const { figures } = this
    const isEmpty = figures?.count === 0
    const parts = []
    if (figures?.count) {
      parts.push(tn("{n} document", "{n} documents", figures.count, { n: shown(figures.count) }), takenOf(figures.size, figures.most_size))
      if (figures.busy) parts.push(tn("{n} not read yet", "{n} not read yet", figures.busy, { n: shown(figures.busy) }))
      if (figures.unembedded) parts.push(tn("{n} not found by meaning yet", "{n} not found by meaning yet", figures.unembedded, { n: shown(figures.unembedded) }))
      if (figures.failed) parts.push(tn("{n} could not be read", "{n} could not be read", figures.failed, { n: shown(figures.failed) }))
      const [now] = figures.being_read
      if (figures.most_all_size) parts.push(t("your documents in all projects and files in chats: {size}", { size: takenOf(figures.all_size, figures.most_all_size) }))
      if (now) parts.push(now.page ? t("reading {name}, page {page}", { name: now.name, page: shown(now.page) }) : t("reading {name}", { name: now.name }))
    }
    this.total.textContent = parts.join(" · ")
    this.figuresRow.hidden = !parts.length
    this.box.hidden = !(figures?.count > MANY || this.box.value)
    this.more.hidden = !this.hasMore
    this.list.hidden = !this.rows.length
    this.empty.hidden = !figures || this.rows.length > 0
    this.empty.textContent = isEmpty && !this.mayEdit ? t("There are no documents here yet.") : isEmpty
      ? t("Drop files anywhere on this page: contracts, papers, minutes, tables. They are read once, and every chat of this project can then answer from them and say on which page it stands.")
      : t("No document has “{words}” in its name.", { words: this.box.value.trim() })
  }

  // ---- Dialogs ----------------------------------------------------------------------------------------------------
  #rename(one) {
    const { dialog, title, body } = this.naming
    title.textContent = t("Rename the document")
    const form = make("form")
    const name = Object.assign(make("input"), { value: one.name, maxLength: MAX_NAME_CHARS, required: true })
    const buttons = make("div", "buttons")
    buttons.append(make("button", "primary", t("Rename")), textButton(t("Cancel"), "more", () => dialog.close()))
    form.append(field(t("Name"), name), buttons)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.act.tell({ op: "rename_document", document: one.id, name: name.value })
    })
    body.replaceChildren(form)
    dialog.showModal()
    // Without its ending, which stays as it is most of the time.
    name.setSelectionRange(0, one.name.replace(/\.\w{1,4}$/, "").length)
  }

  #delete(one) {
    confirmed(this.sure, t("{name} and all that was read of it are deleted. Chats keep what they have quoted.", { name: one.name }), () => {
      this.act.tell({ op: "delete_document", document: one.id })
    })
  }
}
