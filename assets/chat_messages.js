// The messages of a chat: articles made from data. The only HTML that enters the page is the server's sanitised blocks.

const ICONS = {
  copy: "M9 9h9v11H9zM6 15H5V4h9v2",
  again: "M4 12a8 8 0 1 1 2.3 5.6M4 12V7m0 5h5",
}

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("viewBox", "0 0 24 24")
  svg.setAttribute("aria-hidden", "true")
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
  path.setAttribute("d", ICONS[name])
  svg.append(path)
  return svg
}

function make(tag, className = "", text = "") {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text) node.textContent = text
  return node
}

function actionButton(label, iconName, act) {
  const button = make("button", "action")
  button.type = "button"
  button.title = label
  button.setAttribute("aria-label", label)
  button.append(icon(iconName))
  button.addEventListener("click", () => act(button))
  return button
}

export async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Without a secure context there is no clipboard object; the old way still works.
    const area = Object.assign(make("textarea", "visually-hidden"), { value: text })
    document.body.append(area)
    area.select()
    document.execCommand("copy")
    area.remove()
  }
  button.classList.add("done")
  button.setAttribute("aria-label", "Copied")
  setTimeout(() => {
    button.classList.remove("done")
    button.setAttribute("aria-label", button.title)
  }, 1500)
}

// One audited place: `html` is a block that the server rendered and sanitised (llm_ui/kit/markdown.py).
function blockNode(html) {
  const node = make("div", "block")
  node.innerHTML = html
  for (const code of node.querySelectorAll(".code")) addCodeBar(code)
  return node
}

function addCodeBar(code) {
  const bar = make("div", "code-bar")
  bar.append(make("span", "", code.dataset.language || "text"))
  const button = make("button", "copy-code", "Copy")
  button.type = "button"
  button.title = "Copy code"
  button.setAttribute("aria-label", "Copy code")
  button.addEventListener("click", () => copyText(code.querySelector("pre").textContent, button))
  bar.append(button)
  code.prepend(bar)
}

class Question {
  constructor(data) {
    this.node = make("article", "message question")
    this.node.setAttribute("aria-label", "You said")
    this.node.append(make("div", "bubble", data.text))
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
    this.node.setAttribute("aria-label", "Assistant answered")
    this.thoughts = make("details", "thoughts")
    this.thoughts.append(make("summary", "", "Reasoning"), make("p"))
    this.body = make("div", "body")
    this.remark = make("p", "remark")
    this.foot = make("div", "foot")
    this.actions = make("div", "actions")
    this.actions.append(
      actionButton("Copy", "copy", (button) => copyText(this.text, button)),
      actionButton("Regenerate", "again", () => act.regenerate(this.id)),
    )
    this.retry = make("button", "retry", "Retry")
    this.retry.type = "button"
    this.retry.addEventListener("click", () => act.regenerate(this.id))
    this.figures = make("span", "figures")
    this.foot.append(this.actions, this.figures)
    this.node.append(this.thoughts, this.body, this.remark, this.foot)
    this.setStatus(data.status)
    this.setReasoning(data.reasoning ?? "")
    this.setBlocks(0, data.blocks ?? [], true)
    this.setEnd(data)
  }

  setStatus(status) {
    const isLive = status === "streaming"
    this.node.classList.toggle("live", isLive)
    this.node.setAttribute("aria-busy", String(isLive))
    this.actions.hidden = isLive
  }

  setReasoning(text) {
    this.thoughts.hidden = !text
    const place = this.thoughts.lastChild
    if (place.textContent !== text) place.textContent = text
  }

  setBlocks(from, blocks, isLast) {
    blocks.forEach((html, number) => {
      const index = from + number
      if (this.blocks[index]?.html === html) return
      const node = blockNode(html)
      if (this.blocks[index]) this.blocks[index].node.replaceWith(node)
      else this.body.append(node)
      this.blocks[index] = { html, node }
    })
    if (isLast) for (const extra of this.blocks.splice(from + blocks.length)) extra.node.remove()
    this.body.hidden = this.blocks.length === 0 && !this.node.classList.contains("live")
  }

  setFigures(text) {
    if (text !== undefined) this.figures.textContent = text
  }

  setEnd(data) {
    this.text = data.text ?? this.text
    this.setFigures(data.figures)
    this.remark.textContent = data.remark ?? ""
    this.remark.hidden = !data.remark
    this.remark.classList.toggle("error", Boolean(data.is_error))
    if (data.is_error) this.remark.append(" ", this.retry)
  }
}

export class Messages {
  constructor(list, act) {
    this.list = list
    this.act = act
    this.shown = new Map()
  }

  show(all) {
    const wanted = new Set(all.map((data) => data.id))
    for (const [id, message] of this.shown) {
      if (!wanted.has(id)) this.#drop(id, message)
    }
    let previous = null
    for (const data of all) {
      this.#put(data, previous)
      previous = this.shown.get(data.id).node
    }
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

  addPending(key, text) {
    const message = new Question({ text })
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
    answer.setReasoning(op.reasoning)
    answer.setBlocks(op.from, op.blocks, true)
    answer.setFigures(op.figures)
  }

  finish(op) {
    const answer = this.shown.get(op.id)
    if (!(answer instanceof Answer)) return
    answer.setStatus("ended")
    answer.setReasoning(op.reasoning)
    answer.setBlocks(op.from, op.blocks, true)
    answer.setEnd(op)
  }

  firstId() {
    for (const node of this.list.children) if (node.dataset.id) return node.dataset.id
    return null
  }

  lastAnswer() {
    return [...this.shown.values()].filter((message) => message instanceof Answer).at(-1) ?? null
  }

  #put(data, after) {
    const old = this.shown.get(data.id)
    // What people and notes say never changes; an answer is drawn again only when its data are others.
    const print = data.role === "assistant" ? JSON.stringify(data) : ""
    if (old && old.print === print) {
      this.#place(old.node, after)
      return
    }
    const message = data.role === "user" ? new Question(data) : data.role === "note" ? new Note(data) : new Answer(data, this.act)
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
