// The messages of a chat: articles made from data. The only HTML that enters the page is the server's sanitised blocks.

import { byline } from "./chat_agent_look.js"
import { AnswerBar, QuestionBar, TemporaryBar, editor } from "./chat_bar.js"
import { blockNode, sanitised } from "./chat_blocks.js"
import { Citations } from "./chat_citations.js"
import { filesNode } from "./chat_files.js"
import { Comparison } from "./chat_comparison.js"
import { partsEditor } from "./chat_parts.js"
import { make, textButton } from "./dom.js"

const FOLD_LINES = 16
const FOLD_CHARS = 1_600

// A long question is folded: what was pasted rarely needs reading again.
class Question {
  constructor(data, act) {
    this.node = make("article", "message question")
    this.node.setAttribute("aria-label", t("You said"))
    this.data = data
    this.act = act
    const lines = data.text.split("\n", FOLD_LINES + 1)
    const isLong = lines.length > FOLD_LINES || data.text.length > FOLD_CHARS
    this.bubble = make("div", "bubble", isLong ? `${lines.slice(0, FOLD_LINES).join("\n").slice(0, FOLD_CHARS)} …` : data.text)
    const files = filesNode(data.attachments)
    if (files) this.node.append(files)
    this.node.append(this.bubble)
    this.bubble.hidden = !data.text
    if (isLong) {
      const more = textButton(t("Show all"), "unfold", () => {
        this.bubble.textContent = data.text
        more.remove()
      })
      this.node.append(more)
    }
    if (!data.id) return
    const foot = make("div", "foot")
    foot.append(new QuestionBar(data, { edit: () => this.edit(), act }).node)
    this.node.append(foot)
  }

  edit() {
    if (!this.bubble.isConnected) return
    editor(this.data.text, {
      label: t("Edit question"),
      take: t("Send"),
      files: this.data.attachments ?? [],
      taken: (text, files) => this.act.edit(this.data.id, text, files),
    }).open(this.bubble)
  }
}

class Note {
  constructor(data) {
    this.node = make("p", "note", data.text)
  }
}

class Answer {
  constructor(data, act) {
    this.id = data.id
    this.text = ""
    this.blocks = []
    this.node = make("article", "message answer")
    this.node.setAttribute("aria-label", t("Assistant answered"))
    this.thoughts = make("details", "thoughts")
    this.thoughts.append(make("summary", "", t("Reasoning")), make("p"))
    this.body = make("div", "body")
    this.citations = new Citations(data.sources)
    this.note = make("p", "stand-in")
    this.similar = make("p", "stand-in")
    this.remark = make("p", "remark")
    this.foot = make("div", "foot")
    this.data = data
    this.bar = null
    this.act = act
    this.retry = textButton(t("Retry"), "retry", () => act.regenerate(this.id, {}))
    this.anew = textButton(t("Ask anew"), "retry", () => act.regenerate(this.id, {}))
    this.goOn = textButton(t("Continue"), "retry", () => act.goOn(this.id))
    this.figures = make("span", "figures")
    this.foot.append(this.figures)
    if (data.agent) this.node.append(byline(data.agent))
    this.node.append(this.thoughts, this.body, this.citations.list, this.note, this.similar, this.remark, this.foot)
    this.thought = data.thought
    this.setNote(data.note)
    this.setStatus(data.status)
    this.addReasoning({ at: 0, text: data.reasoning ?? "" })
    this.setBlocks(0, data.blocks ?? [])
    this.setEnd(data)
  }

  // The beginning of what was said, for screen readers.
  spoken(limit) {
    return this.body.innerText.slice(0, limit)
  }

  setStatus(status) {
    const isLive = status === "streaming"
    this.isLive = isLive
    this.node.classList.toggle("live", isLive)
    this.node.setAttribute("aria-busy", String(isLive))
    this.thoughts.firstChild.textContent = isLive && !this.blocks.length ? t("Thinking …") : this.thought || t("Reasoning")
  }

  addReasoning({ at, text }) {
    const place = this.thoughts.lastChild
    if (at === place.textContent.length) place.append(text)
    else place.textContent = place.textContent.slice(0, at) + text
    this.thoughts.hidden = !place.textContent
  }

  setBlocks(from, blocks) {
    blocks.forEach((html, number) => {
      const index = from + number
      if (this.blocks[index]?.html === html) return
      const node = blockNode(html)
      this.citations.mark(node)
      if (this.blocks[index]) this.blocks[index].node.replaceWith(node)
      else this.body.append(node)
      this.blocks[index] = { html, node }
    })
    for (const extra of this.blocks.splice(from + blocks.length)) extra.node.remove()
  }

  // The code block at the end grows: what is final is added, the part that still changes is drawn again.
  growCode({ added, tail }) {
    const block = this.blocks.at(-1)
    const growing = block?.node.querySelector(".growing")
    if (!growing) return
    block.html = null
    growing.before(sanitised(added))
    growing.replaceChildren(sanitised(tail))
  }

  change(op) {
    if (op.sources) this.citations.know(op.sources)
    if (op.reasoning) this.addReasoning(op.reasoning)
    if (op.blocks) this.setBlocks(op.from, op.blocks)
    if (op.code) this.growCode(op.code)
    this.setNote(op.note)
    this.thought = op.thought
    this.setStatus(op.op === "finish" ? "ended" : "streaming")
  }

  // Who answered instead of the model that was asked.
  setNote(text) {
    this.note.textContent = text ?? ""
    this.note.hidden = !text
  }

  setFigures(text) {
    if (text !== undefined) this.figures.textContent = text
  }

  setEnd(data) {
    this.text = data.text ?? this.text
    this.setFigures(data.figures)
    if (!this.isLive) {
      this.#showBar(data)
      this.citations.end(this.body)
    }
    this.similar.replaceChildren(data.similar ?? "", " ", this.anew)
    this.similar.hidden = !data.similar
    this.remark.textContent = data.remark ?? ""
    this.remark.hidden = !data.remark && !data.can_go_on
    this.remark.classList.toggle("error", Boolean(data.is_error))
    if (data.is_error) this.remark.append(" ", this.retry)
    if (data.can_go_on && !this.data.is_temporary) this.remark.append(" ", this.goOn)
  }

  // Made when the answer has ended: nobody waits for it to see the first word.
  #showBar(data) {
    if (!this.bar) {
      const edit = () => this.#edit()
      const Bar = this.data.is_temporary ? TemporaryBar : AnswerBar
      this.bar = new Bar(this.data, { edit, text: () => this.text, plain: () => this.#plain(), act: this.act })
      this.foot.prepend(this.bar.node)
    }
    this.bar.setEnd(data)
  }

  // What was said, without the tools that were used on the way.
  #said() {
    return this.blocks.map((block) => block.node).filter((node) => !node.querySelector(":scope > .step"))
  }

  #plain() {
    return this.#said().map((node) => node.innerText.trim()).join("\n\n")
  }

  // The parts came: where they are not those that are shown, the answer is edited whole.
  editParts(texts) {
    if (!this.body.isConnected) return
    const said = this.#said()
    if (texts.length !== said.length || texts.length < 2) this.#edit()
    else partsEditor(said, texts, (text) => this.act.rewrite(this.id, text)).open(this.body)
  }

  #edit() {
    editor(this.text, { label: t("Edit answer"), take: t("Save"), taken: (text) => this.act.rewrite(this.id, text) }).open(this.body)
  }
}

export class Messages {
  constructor(list, act) {
    this.list = list
    this.act = act
    this.shown = new Map()
    this.comparison = new Comparison({
      keep: (id) => act.keep(id),
      merge: (ids) => act.merge(ids),
      readDifference: (id, other) => act.readDifference(id, other),
      endComparison: () => act.compare(this.lastAnswer(), false),
    })
  }

  // Show the end of a chat. Of the same chat, older messages that were loaded stay where they are.
  show(all, { isOther, hasOlder, compared = null, beside = [] }) {
    this.comparison.dissolve()
    const wanted = new Set([...all, ...beside].map((data) => data.id))
    const nodes = [...this.list.children]
    const first = isOther || !hasOlder ? 0 : nodes.findIndex((node) => wanted.has(node.dataset.id))
    const kept = first > 0 ? nodes.slice(0, first) : []
    for (const [id, message] of this.shown) {
      if (!wanted.has(id) && !kept.includes(message.node)) this.#drop(id, message)
    }
    let previous = kept.at(-1) ?? null
    for (const data of all) {
      this.#put(data, previous)
      previous = this.shown.get(data.id).node
    }
    if (!beside.length) return
    for (const data of beside) this.#put(data, previous)
    this.#compare([compared, ...beside.map((data) => data.id)])
  }

  // An answer that is written beside another one.
  addBeside(of, data) {
    if (!this.shown.has(of) || this.shown.has(data.id)) return
    const together = this.comparison.isOpen ? this.#compared() : [of]
    this.#put(data, this.list.lastElementChild)
    this.#compare([...together, data.id])
  }

  isWriting() {
    return [...this.shown.values()].some((one) => one instanceof Answer && one.isLive)
  }

  lastAnswer() {
    return [...this.shown.values()].filter((one) => one instanceof Answer).at(-1)?.id ?? null
  }

  #compared() {
    return [...this.comparison.node.querySelectorAll("article")].map((node) => node.dataset.id)
  }

  #compare(ids) {
    const answers = ids.map((id) => this.shown.get(id))
    this.comparison.open(answers.sort((one, other) => (one.id < other.id ? -1 : 1)))
  }

  // Whether messages before the first of these are shown.
  hasBefore(all) {
    return all.length > 0 && this.firstId() !== all[0].id
  }

  // The article of a message that is shown, if it is.
  node(id) {
    return this.shown.get(id)?.node ?? null
  }

  // All that is shown goes aside, to be put back later as it was.
  takeAway() {
    this.comparison.dissolve()
    const taken = [...this.shown]
    for (const [id, message] of taken) this.#drop(id, message)
    return taken
  }

  putBack(taken) {
    for (const [id, message] of taken) {
      this.list.append(message.node)
      this.shown.set(id, message)
    }
  }

  // These were deleted.
  remove(ids) {
    for (const id of ids) if (this.shown.has(id)) this.#drop(id, this.shown.get(id))
  }

  add(all) {
    for (const data of all) this.#put(data, this.list.lastElementChild)
  }

  addOlder(all) {
    let previous = null
    for (const data of all) {
      this.#put(data, previous)
      previous = this.shown.get(data.id).node
    }
  }

  addPending(key, text, attachments) {
    this.dropPending(key)
    const message = new Question({ text, attachments })
    message.node.classList.add("pending")
    this.list.append(message.node)
    this.shown.set(key, message)
  }

  dropPending(key) {
    const message = this.shown.get(key)
    if (message) this.#drop(key, message)
  }

  delta(op) {
    const answer = this.shown.get(op.id)
    if (!(answer instanceof Answer)) return
    answer.change(op)
    answer.setFigures(op.figures)
    answer.print = null
  }

  editParts({ answer, parts }) {
    this.shown.get(answer)?.editParts?.(parts)
  }

  // Returns the answer that has ended, if it is one of those shown.
  finish(op) {
    const answer = this.shown.get(op.id)
    if (!(answer instanceof Answer)) return null
    answer.change(op)
    answer.setEnd(op)
    answer.print = null
    if (this.comparison.isOpen) this.comparison.update(this.#compared().map((id) => this.shown.get(id)))
    return answer
  }

  // The question asked last, to be edited.
  lastQuestion() {
    return [...this.shown.values()].filter((one) => one instanceof Question && one.data.id && one.node.isConnected).at(-1) ?? null
  }

  firstId() {
    for (const node of this.list.children) if (node.dataset.id) return node.dataset.id
    return null
  }

  #put(data, after) {
    const old = this.shown.get(data.id)
    // Drawn again only when its data are others.
    const print = JSON.stringify(data)
    if (old && old.print === print) {
      this.#place(old.node, after)
      return
    }
    const message = data.role === "user" ? new Question(data, this.act) : data.role === "note" ? new Note(data) : new Answer(data, this.act)
    message.print = print
    message.node.dataset.id = data.id
    if (old) old.node.replaceWith(message.node)
    else this.#place(message.node, after)
    this.shown.set(data.id, message)
  }

  #place(node, after) {
    const next = after ? after.nextElementSibling : this.list.firstElementChild
    if (next !== node) this.list.insertBefore(node, next)
  }

  #drop(id, message) {
    message.node.remove()
    this.shown.delete(id)
  }
}
