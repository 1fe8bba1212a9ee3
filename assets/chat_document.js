// A document beside the chat, page by page, with the passage that an answer has cited.

import { Beside } from "./chat_beside.js"
import { stateOf } from "./chat_documents.js"
import { quoted, WHOLE } from "./chat_quoted.js"
import { sourceOf } from "./chat_web.js"
import { icon, iconButton, make } from "./dom.js"

const MAX_LEVEL = 4

// A page as nodes: text only, whatever stands in it.
function nodesOf(blocks, cited) {
  const nodes = []
  let open = null
  const inside = (name, make_) => {
    if (open?.name !== name) {
      open = { name, ...make_() }
      nodes.push(open.outer)
    }
    return open.inner
  }
  blocks.forEach((block, number) => {
    const part = cited.get(number)
    const className = part === WHOLE ? "cited" : ""
    const text = textOf(block.text, part)
    if (block.kind === "item") {
      inside("list", () => { const list = make("ul"); return { outer: list, inner: list } }).append(filled(make("li", `${className} level-${Math.min(block.level ?? 0, MAX_LEVEL)}`), text))
    } else if (block.kind === "table_head" || block.kind === "table_row") {
      if (block.kind === "table_head") open = null
      const row = make("tr", part ? "cited" : "")
      row.append(...block.text.split(" | ").map((text) => make(block.kind === "table_head" ? "th" : "td", "", text)))
      inside("table", tablePlace).append(row)
    } else {
      open = null
      nodes.push(filled(plain(block, className), text))
    }
  })
  return nodes
}

function tablePlace() {
  const outer = make("div", "table-place")
  outer.tabIndex = 0
  outer.setAttribute("role", "group")
  outer.setAttribute("aria-label", t("Table"))
  const inner = make("table")
  outer.append(inner)
  return { outer, inner }
}

function plain({ kind, level = 1 }, className) {
  if (kind === "heading") return make(`h${Math.min(level + 2, 6)}`, className)
  return make(kind === "code" ? "pre" : "p", className)
}

function filled(node, text) {
  node.append(...text)
  return node
}

// The text of a block, with what is cited of it marked.
function textOf(text, part) {
  if (!part || part === WHOLE) return [text]
  const [from, to] = part
  return [text.slice(0, from), make("mark", "cited", text.slice(from, to)), text.slice(to)]
}

class DocumentView extends Beside {
  constructor() {
    super("document", t("Close the document"))
    this.tell = null
    this.wanted = null
    this.known = null
    this.text = null
  }

  connect(tell) {
    this.tell = tell
  }

  // Show a page of a document and, if one is given, the passage with this id on it; `text` is what it said, by which it
  // is found once the document was read anew.
  open({ document: id, page = 1, passage = null, text = null }) {
    const opener = this.isOpen ? this.opener : document.activeElement
    const isOther = this.wanted?.document !== id || !this.isOpen
    this.reveal(opener, isOther ? t("Document") : this.title.textContent)
    if (isOther) {
      this.known = null
      this.bar.hidden = true
      this.save.hidden = true
      this.body.replaceChildren(make("p", "muted", t("Looking it up …")))
    }
    this.text = text
    this.#ask({ document: id, page, passage })
  }

  // At a project's home: what the address asks for, if it does; what it does not ask for any more goes.
  follow() {
    const asked = new URLSearchParams(location.search)
    const [id, page, passage] = [asked.get("document"), Number(asked.get("page")) || 1, Number(asked.get("passage")) || null]
    if (id && (!this.isOpen || this.wanted.document !== id || this.wanted.page !== page)) this.open({ document: id, page, passage })
    else if (!id && this.isOpen && this.isAddressed) this.close()
    this.isAddressed = Boolean(id)
  }

  // At a project's home the address leads to the page that is open.
  show(id) {
    history.pushState(null, "", `${location.pathname}?document=${id}&page=1`)
    this.follow()
  }

  // The person leaves the home where it was opened.
  leave() {
    if (this.isAddressed) this.close()
  }

  close(how) {
    super.close(how)
    if (this.isAddressed) history.replaceState(null, "", location.pathname)
    this.isAddressed = false
    this.wanted = null
  }

  tools() {
    this.save = make("a", "bar-button")
    this.save.append(icon("save"), make("span", "visually-hidden", t("Download")))
    this.save.title = t("Download")
    this.number = Object.assign(make("input"), { type: "number", min: 1, inputMode: "numeric" })
    this.number.addEventListener("change", () => this.#turnTo(Math.round(Number(this.number.value)) || 1))
    this.of = make("span", "of")
    this.before = iconButton(t("Previous page"), "before", () => this.#turnTo(this.wanted.page - 1))
    this.after = iconButton(t("Next page"), "after", () => this.#turnTo(this.wanted.page + 1))
    this.bar = make("div", "pages-bar")
    this.bar.append(this.before, this.number, this.of, this.after)
    return [this.bar, this.save]
  }

  #turnTo(page) {
    const most = this.known?.pages ?? 1
    this.#ask({ document: this.wanted.document, page: Math.min(Math.max(page, 1), most), passage: null })
    if (this.isAddressed) history.replaceState(null, "", `${location.pathname}?document=${this.wanted.document}&page=${this.wanted.page}`)
  }

  #ask(wanted) {
    this.wanted = wanted
    this.tell({ op: "read_page", ...wanted })
  }

  // ---- What the server tells --------------------------------------------------------------------------------------
  gone(op) {
    if (op.document !== this.wanted?.document) return
    this.title.textContent = t("This document is gone")
    this.body.replaceChildren(make("p", "muted", t("It was deleted, or it is not yours. What answers quote of it stays in their chats.")))
  }

  update(op) {
    if (op.document.id !== this.wanted?.document || op.page !== this.wanted.page) return
    this.known = op.document
    const { name, pages, has_pages: hasPages } = op.document
    this.title.textContent = name
    this.title.title = name
    Object.assign(this.save, { href: `/documents/${op.document.id}/file`, download: name, hidden: false })
    this.bar.hidden = !pages
    Object.assign(this.number, { value: op.page, max: pages })
    this.number.setAttribute("aria-label", hasPages ? t("Page") : t("Part"))
    this.of.textContent = t("of {n}", { n: pages.toLocaleString(document.documentElement.lang) })
    this.before.disabled = op.page <= 1
    this.after.disabled = op.page >= pages
    this.#draw(op)
  }

  #draw({ document: known, blocks, passage: found }) {
    const passage = found ?? (this.wanted.passage && this.text)
    if (!blocks) {
      const why = known.stage === "ready" ? t("This document has no such page.") : stateOf(known)
      this.body.replaceChildren(make("p", "muted", why))
      return
    }
    const cited = passage ? quoted(blocks, passage) : new Map()
    const sheet = make("div", "sheet")
    if (known.source) {
      const from = make("p", "muted from")
      from.append(sourceOf(known.source))
      sheet.append(from)
    }
    // Set quite otherwise than on its page: then it is shown by itself.
    if (passage && !cited.size) sheet.append(make("blockquote", "cited", passage))
    sheet.append(...nodesOf(blocks, cited))
    if (!blocks.length) sheet.append(make("p", "muted", t("Nothing was read on this page.")))
    this.body.replaceChildren(sheet)
    const first = sheet.querySelector(".cited")
    if (!first) {
      this.body.scrollTop = 0
      return
    }
    if (!first.matches("tr")) first.prepend(make("span", "visually-hidden", t("Cited from here: ")))
    // Of what is higher than the pane the beginning is seen.
    first.scrollIntoView({ block: first.getBoundingClientRect().height < this.body.clientHeight ? "center" : "start" })
  }
}

export const documents = new DocumentView()
