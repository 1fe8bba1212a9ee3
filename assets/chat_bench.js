// The retrieval bench of a project: what a question finds, what it should find, and which way to search does it best.

import { documents } from "./chat_document.js"
import { cutFields } from "./chat_passages.js"
import { dialogNamed, field } from "./dialog.js"
import { iconButton, make, textButton } from "./dom.js"

const MAX_QUESTION_CHARS = 1_000
const MAX_PASSAGE_CHARS = 10_000
const WAYS = { lexical: t("By words"), vector: t("By meaning"), hybrid: t("By both"), answers: t("As in answers"), reranked: t("Reranked") }
const LEFT_OUT = {
  weak: t("Left out: it barely matches."),
  alike: t("Left out: it says nearly the same as another passage."),
  room: t("Left out: the model takes no more passages."),
}
const USED = {
  lexical: t("Chats of this project search by words."),
  vector: t("Chats of this project search by meaning, and by words where no model can tell it."),
  hybrid: t("Chats of this project search by both words and meaning, and by words where no model can tell it."),
}

const FIGURES = [t("nDCG@10"), t("Recall@10"), t("MRR@10"), t("Unwanted"), t("Time")]

const shown = (number, places = 0) => number.toLocaleString(document.documentElement.lang, { minimumFractionDigits: places, maximumFractionDigits: places })
const took = (ms) => t("{n} ms", { n: shown(ms, ms < 10 ? 1 : 0) })
const isSame = (one, other) => one.by === other.by && one.passage_tokens === other.passage_tokens && one.overlap_tokens === other.overlap_tokens
const placeOf = ({ page, has_pages: hasPages, headings }) => [hasPages && t("page {page}", { page: shown(page) }), headings.join(" › ")].filter(Boolean).join(" · ")

function cutName({ by, passage_tokens: tokens, overlap_tokens: overlap }) {
  const sizes = t("{tokens} tokens, {overlap} repeated", { tokens: shown(tokens), overlap: shown(overlap) })
  return by === "pages" ? [sizes, t("page by page")].join(", ") : sizes
}

// How passages come into an answer: beyond what is found, by what they are put in order and for whom there is room.
function answersSaid({ passages, model, reranked_by: by, not_reranked: problem, reranking_ms: ms }) {
  const sent = passages.filter(({ left_out: why }) => !why).length
  const said = [model ? tn("{model} would be sent {n} passage.", "{model} would be sent {n} passages.", sent, { model, n: shown(sent) }) : t("No model can be asked: how many passages there is room for is not known.")]
  if (by) said.push(t("{model} put them in order in {time}.", { model: by, time: took(ms) }))
  if (problem) said.push(t("They were not put in order: {why}", { why: problem }))
  return said
}

export class Bench {
  constructor(tell) {
    this.tell = tell
    this.number = 0
    this.frame = dialogNamed(t("Search on trial"), "bench form-dialog")
    this.#build()
  }

  ask(project) {
    if (project !== this.project) {
      Object.assign(this, { project, data: null, tried: null, measured: null, way: null, editing: null, isSaving: false })
      this.query.value = ""
      this.#show("try")
    }
    // What was asked for may never have come, as the connection was lost.
    this.measuring.disabled = false
    if (!this.measured) this.compared.textContent = ""
    this.tell({ op: "read_bench", project })
  }

  // The test set came, changed or not.
  update(op) {
    if (op.project !== this.project) return
    const isOpened = !this.frame.dialog.open
    this.data = op
    // Whoever edits a case goes on while others change: what was typed stays until it is saved.
    if (this.isSaving || !op.cases.some(({ id }) => id === this.editing)) this.editing = null
    this.isSaving = false
    this.problem.textContent = ""
    if (isOpened) this.frame.dialog.showModal()
    this.#draw()
    if (isOpened) this.query.focus()
  }

  found(op) {
    if (op.project !== this.project || op.number !== this.number) return
    this.tried = op.error ? null : op
    this.said.textContent = op.error ?? ""
    if (this.tried && !this.tried.rankings.some(({ strategy }) => strategy === this.way)) this.way = this.tried.rankings.at(-1).strategy
    this.#drawFound()
  }

  compare(op) {
    if (op.project !== this.project) return
    this.measuring.disabled = false
    this.measured = op.error ? null : op
    this.compared.textContent = op.error ?? ""
    this.#drawTable()
  }

  // A toast would be behind the dialog.
  refused(op) {
    this.isSaving = false
    this.problem.textContent = op.text
  }

  promoted(op) {
    if (op.project !== this.project) return
    this.update(op)
    this.frame.dialog.close()
    window.llmUi.toast(op.cut_anew ? tn("Taken over. {n} document is cut anew.", "Taken over. {n} documents are cut anew.", op.cut_anew, { n: shown(op.cut_anew) }) : t("Taken over: chats of this project search this way."))
  }

  #build() {
    const { body } = this.frame
    this.views = make("div", "views")
    this.views.setAttribute("role", "group")
    this.views.setAttribute("aria-label", t("Views"))
    this.problem = make("p", "problem")
    this.problem.setAttribute("role", "alert")
    this.parts = { try: this.#tryPart(), cases: make("section"), compare: this.#comparePart() }
    this.parts.cases.setAttribute("aria-label", t("Test set"))
    const close = make("div", "buttons")
    close.append(textButton(t("Close"), "more", () => this.frame.dialog.close()))
    body.append(
      make("p", "muted", t("What a question finds before a model sees it. Mark what is wanted and what is not: the marks are the project's test set, on which ways to search and to cut are compared.")),
      this.views, this.problem, ...Object.values(this.parts), close,
    )
  }

  #tryPart() {
    const part = make("section")
    part.setAttribute("aria-label", t("Try a question"))
    const form = make("form", "asking")
    this.query = Object.assign(make("input"), { type: "search", required: true, maxLength: MAX_QUESTION_CHARS, placeholder: t("When is the rent due?") })
    this.query.setAttribute("aria-label", t("Question"))
    form.append(this.query, make("button", "primary", t("Search")))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.number += 1
      this.said.textContent = t("Looking it up …")
      this.tell({ op: "try_search", project: this.project, number: this.number, query: this.query.value.trim() })
    })
    this.said = make("p", "muted")
    this.said.setAttribute("role", "status")
    this.ways = make("div", "views")
    this.ways.setAttribute("role", "group")
    this.ways.setAttribute("aria-label", t("Ways to search"))
    this.list = make("ol", "ranked")
    part.append(form, this.said, this.ways, this.list)
    return part
  }

  #comparePart() {
    const part = make("section")
    part.setAttribute("aria-label", t("Compare"))
    this.used = make("p", "muted")
    const form = make("form")
    this.other = Object.assign(make("input"), { type: "checkbox" })
    const label = make("label", "check")
    label.append(this.other, t("Also cut otherwise, on trial: searched by words, and nothing that is there changes"))
    this.cut = cutFields()
    // Out of sight it is no part of the form.
    const place = Object.assign(make("fieldset"), { hidden: true, disabled: true })
    place.append(this.cut.node)
    this.other.addEventListener("change", () => {
      place.hidden = place.disabled = !this.other.checked
      if (this.other.checked) this.cut.set(this.data.cut)
    })
    this.measuring = make("button", "primary", t("Measure"))
    const buttons = make("div", "buttons")
    buttons.append(this.measuring)
    form.append(label, place, buttons)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.measuring.disabled = true
      this.compared.textContent = t("Measuring …")
      this.tell({ op: "measure_cases", project: this.project, other: this.other.checked ? this.cut.wanted() : null })
    })
    this.compared = make("p", "muted")
    this.compared.setAttribute("role", "status")
    this.table = make("div", "table-place")
    this.table.tabIndex = 0
    this.table.setAttribute("role", "group")
    this.table.setAttribute("aria-label", t("How well each way finds what is wanted"))
    this.legend = make("p", "muted", t("nDCG is 1 when all that is wanted comes first, and 0 when nothing of it is among the first ten. Recall is how much of it is among them, MRR is 1 over the place of the first. Unwanted passages among the first ten are counted."))
    part.append(this.used, form, this.compared, this.table, this.legend)
    return part
  }

  #show(view) {
    this.view = view
    this.#draw()
  }

  #draw() {
    for (const [name, part] of Object.entries(this.parts)) part.hidden = name !== this.view
    const count = this.data?.cases.length ?? 0
    const names = { try: t("Try a question"), cases: count ? t("Test set: {n}", { n: shown(count) }) : t("Test set"), compare: t("Compare") }
    this.views.replaceChildren(...Object.entries(names).map(([name, label]) => this.#toggle(label, name === this.view, this.views, () => this.#show(name))))
    this.used.textContent = this.data ? USED[this.data.strategy] ?? t("Chats of this project search by both words and meaning where a model can tell it, else by words; a reranking model, where one is set, puts what is found in order.") : ""
    this.#drawFound()
    if (this.editing === null || !this.parts.cases.querySelector("form")) this.#drawCases()
    this.#drawTable()
  }

  // Focus stays on the button that was pressed, although all are drawn anew.
  #toggle(label, isOn, row, act) {
    const button = textButton(label, "bar-button", () => {
      act()
      row.querySelector('[aria-pressed="true"]')?.focus()
    })
    button.setAttribute("aria-pressed", String(isOn))
    return button
  }

  // Whoever pressed a button goes on from there, although it was drawn anew.
  #replace(place, nodes) {
    const at = [...place.querySelectorAll("button")].indexOf(document.activeElement)
    place.replaceChildren(...nodes)
    if (at < 0) return
    const buttons = place.querySelectorAll("button")
    const next = buttons[Math.min(at, buttons.length - 1)] ?? this.views.querySelector('[aria-pressed="true"]')
    next.focus()
  }

  // ---- What a question finds ------------------------------------------------------------------------------------
  #drawFound() {
    const { tried } = this
    this.ways.hidden = !tried
    this.list.hidden = !tried
    if (!tried) return
    const ranking = tried.rankings.find(({ strategy }) => strategy === this.way)
    this.ways.replaceChildren(...tried.rankings.map(({ strategy, took_ms: ms }) => this.#toggle(`${WAYS[strategy]} · ${took(ms)}`, strategy === this.way, this.ways, () => {
      this.way = strategy
      this.#drawFound()
    })))
    const said = []
    if (tried.vector_ms !== null) said.push(t("The question's vector took {time}.", { time: took(tried.vector_ms) }))
    else said.push(tried.problem ? t("Only words are searched: {why}", { why: tried.problem }) : t("Only words are searched: no model is set that tells what passages mean."))
    if (this.way === "answers") said.push(...answersSaid(ranking))
    if (!ranking.passages.length) said.push(t("Nothing was found this way."))
    this.said.textContent = said.join(" ")
    this.#replace(this.list, ranking.passages.map((one, place) => this.#result(one, place)))
  }

  #result(one, place) {
    const node = make("li")
    const name = textButton(one.name, "name", () => {
      this.frame.dialog.close()
      documents.open({ document: one.document_id, page: one.page, passage: one.passage, text: one.text })
    })
    const elsewhere = this.tried.rankings.filter(({ strategy }) => strategy !== this.way).map(({ strategy, passages }) => {
      const at = passages.findIndex(({ passage, left_out: why }) => passage === one.passage && !why)
      return t("{way}: {place}", { way: WAYS[strategy], place: at < 0 ? "–" : shown(at + 1) })
    })
    const isScored = this.way !== "answers"
    const facts = [placeOf(one), isScored && t("score {score}", { score: shown(one.score, one.score < 1 ? 4 : 2) }), one.is_beside && t("stands beside a passage that was found"), ...elsewhere].filter(Boolean).join(" · ")
    const head = make("div", "passage-head")
    head.append(make("span", "rank", one.left_out ? "–" : `${shown(one.number ?? place + 1)}.`), name, ...[true, false].map((isWanted) => this.#mark(one, isWanted)))
    const text = make("p", "text")
    for (const [piece, isMatch] of one.pieces) text.append(isMatch ? make("mark", "", piece) : piece)
    node.append(head, make("p", "muted", facts), ...(one.left_out ? [make("p", "left-out", LEFT_OUT[one.left_out])] : []), text)
    return node
  }

  #mark(one, isWanted) {
    const known = this.data.cases.find((each) => each.question === this.#asked() && each.document === one.document_id && each.passage === one.text.trim().slice(0, MAX_PASSAGE_CHARS) && each.is_wanted === isWanted)
    const label = isWanted ? t("This is wanted") : t("This is not wanted")
    const button = iconButton(label, isWanted ? "up" : "down", () => {
      if (known) this.tell({ op: "delete_case", case: known.id })
      else this.tell({ op: "judge_passage", project: this.project, document: one.document_id, question: this.tried.query, passage: one.text, is_wanted: isWanted })
    })
    button.setAttribute("aria-pressed", String(Boolean(known)))
    return button
  }

  // As cases have it: on one line.
  #asked() {
    return this.tried.query.split(/\s+/).filter(Boolean).join(" ")
  }

  // ---- The test set -----------------------------------------------------------------------------------------------
  #drawCases() {
    const { cases = [] } = this.data ?? {}
    if (!cases.length) {
      this.#replace(this.parts.cases, [make("p", "empty", t("No cases yet. Try a question, and mark a passage that answers it."))])
      return
    }
    const groups = Map.groupBy ? Map.groupBy(cases, ({ question }) => question) : cases.reduce((all, one) => all.set(one.question, [...all.get(one.question) ?? [], one]), new Map())
    const nodes = [...groups].flatMap(([question, of]) => {
      const list = make("ul")
      list.append(...of.map((one) => this.#case(one)))
      return [make("h3", "", question), list]
    })
    this.#replace(this.parts.cases, nodes)
  }

  #case(one) {
    const node = make("li")
    if (this.editing === one.id) {
      node.append(this.#form(one))
      return node
    }
    const head = make("div", "passage-head")
    head.append(make("span", one.is_wanted ? "wanted" : "unwanted", one.is_wanted ? t("wanted") : t("not wanted")), make("span", "name", one.name),
      iconButton(t("Edit the case"), "edit", () => {
        this.editing = one.id
        this.#drawCases()
        this.parts.cases.querySelector("form input").focus()
      }),
      iconButton(t("Delete the case"), "trash", () => this.tell({ op: "delete_case", case: one.id })))
    node.append(head, make("p", one.passage ? "text" : "muted", one.passage || t("any passage of this document")))
    return node
  }

  #form(one) {
    const form = make("form")
    const question = Object.assign(make("input"), { required: true, maxLength: MAX_QUESTION_CHARS, value: one.question })
    const passage = Object.assign(make("textarea"), { rows: 5, maxLength: MAX_PASSAGE_CHARS, value: one.passage })
    const wanted = make("select")
    for (const [value, label] of [["yes", t("wanted")], ["no", t("not wanted")]]) wanted.append(Object.assign(make("option", "", label), { value }))
    wanted.value = one.is_wanted ? "yes" : "no"
    const buttons = make("div", "buttons")
    buttons.append(make("button", "primary", t("Save")), textButton(t("Cancel"), "more", () => {
      this.editing = null
      this.#drawCases()
    }))
    form.append(field(t("Question"), question), field(t("Passage: shortened to what matters it is found however the document is cut. Empty: any passage of it."), passage), field(t("It is"), wanted), buttons)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.isSaving = true
      this.tell({ op: "change_case", case: one.id, question: question.value, passage: passage.value, is_wanted: wanted.value === "yes" })
    })
    return form
  }

  // ---- Which way is best ------------------------------------------------------------------------------------------
  #drawTable() {
    const { measured, data } = this
    this.table.hidden = !measured
    this.legend.hidden = !measured
    if (!measured) return
    const said = [tn("{n} question", "{n} questions", measured.questions, { n: shown(measured.questions) }), tn("{n} document", "{n} documents", measured.documents, { n: shown(measured.documents) })]
    if (!measured.is_all) said.push(t("as many as a trial takes, those of the cases first"))
    if (measured.problem) said.push(t("Only words are searched: {why}", { why: measured.problem }))
    if (measured.not_reranked) said.push(t("They were not put in order: {why}", { why: measured.not_reranked }))
    this.compared.textContent = said.join(" · ")
    const table = make("table")
    const head = make("tr")
    const columns = [t("Way"), t("Passages"), ...FIGURES, ""]
    head.append(...columns.map((name) => (name ? Object.assign(make("th", FIGURES.includes(name) ? "figure" : "", name), { scope: "col" }) : make("td"))))
    const most = Math.max(...measured.rows.map(({ ndcg }) => ndcg))
    // Where nothing was chosen: the best there is.
    const strategy = data.strategy ?? ["reranked", "hybrid", "lexical"].find((way) => measured.rows.some((row) => row.strategy === way))
    table.append(head, ...measured.rows.map((row) => this.#row(row, row.ndcg === most, strategy)))
    this.#replace(this.table, [table])
  }

  #row(row, isBest, strategy) {
    const node = make("tr", isBest ? "best" : "")
    const isOther = !isSame(row.cut, this.measured.rows[0].cut)
    node.append(Object.assign(make("th", "", WAYS[row.strategy]), { scope: "row" }), make("td", "", cutName(row.cut)))
    node.append(...[row.ndcg, row.recall, row.reciprocal_rank].map((figure) => make("td", "figure", shown(figure, 3))), make("td", "figure", shown(row.unwanted)), make("td", "figure", took(row.p50_ms)))
    const last = make("td")
    const isUsed = isSame(row.cut, this.data.cut) && (isOther || row.strategy === strategy)
    if (isUsed) last.append(make("span", "muted", t("in use")))
    else {
      const use = textButton(t("Use"), "more", () => this.tell({ op: "promote", project: this.project, strategy: isOther ? this.data.strategy : row.strategy === "reranked" ? null : row.strategy, measured: row.strategy, ...row.cut }))
      use.setAttribute("aria-label", t("Use {way}, {cut}", { way: WAYS[row.strategy], cut: cutName(row.cut) }))
      last.append(use)
    }
    node.append(last)
    return node
  }
}
