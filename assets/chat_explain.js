// "What the model saw": the parts of what was sent, where the time went, what it cost.

import { copyText, make, textButton } from "./dom.js"

export const ORIGINS = {
  instructions: t("Instructions"),
  project: t("Instructions of the project"),
  team: t("Instructions of the team"),
  personal: t("Your instructions"),
  agent: t("Instructions of the agent"),
  others: t("Who has answered before"),
  memory: t("What you told of yourself"),
  project_memory: t("Facts of the project"),
  summary: t("Summary of earlier messages"),
  passages: t("Passages of documents"),
  tools: t("Tools"),
  steps: t("What tools gave"),
  history: t("Earlier messages"),
  attachments: t("Files"),
  question: t("Your message"),
  merged: t("Answers to merge"),
  wish: t("How the answer should be"),
  opening: t("The answer so far"),
  filters: t("Safety filters"),
}
// Parts that a model can be asked without.
const WITHOUT = {
  instructions: t("Without the instructions"),
  project: t("Without those of the project"),
  team: t("Without those of the team"),
  personal: t("Without your instructions"),
  agent: t("Without those of the agent"),
  memory: t("Without the facts about you"),
  summary: t("Without the summary"),
  passages: t("Without the passages"),
  history: t("Without the earlier messages"),
  tools: t("Without tools"),
}
const LEFT_OUT = {
  instructions: t("the instructions"), project: t("those of the project"), team: t("those of the team"), personal: t("your instructions"), agent: t("those of the agent"), passages: t("the passages"), memory: t("the facts about you"), summary: t("the summary"), history: t("the earlier messages"),
  tools: t("the tools"),
}
// Parts that a person may change.
const CHANGEABLE = { memory: t("Change what models know of you …"), summary: t("Change the summary …") }
const SPEAKERS = { system: t("Ahead of the conversation"), user: t("You"), assistant: t("Assistant"), tool: t("Tool") }

export function counted(tokens) {
  return tn("{n} token", "{n} tokens", tokens, { n: tokens.toLocaleString(document.documentElement.lang) })
}

function seconds(ms) {
  const written = (value, places) => value.toLocaleString(document.documentElement.lang, { minimumFractionDigits: places, maximumFractionDigits: places })
  return ms < 1000 ? `${written(ms, ms < 10 ? 1 : 0)} ms` : `${written(ms / 1000, 2)} s`
}

// Each part as a stretch of one bar, as wide as its share of the window.
function windowBar(data) {
  const bar = make("div", "window-bar")
  const used = data.parts.reduce((sum, part) => sum + part.tokens, 0)
  bar.setAttribute("role", "img")
  bar.setAttribute("aria-label", t("About {used} of {window} were sent", { used: counted(used), window: counted(data.window) }))
  for (const part of data.parts) {
    const stretch = make("span", `origin-${part.origin}`)
    stretch.style.width = `${Math.max(0.4, (part.tokens / data.window) * 100)}%`
    stretch.title = `${ORIGINS[part.origin] ?? part.name}: ${counted(part.tokens)}`
    bar.append(stretch)
  }
  return bar
}

// What its person may change is changed in a dialog of its own.
function changeButton(part, act) {
  return textButton(CHANGEABLE[part.origin], "more", () => act.change[part.origin]())
}

function partNode(part, act) {
  const node = make("details", "part")
  const summary = make("summary")
  summary.append(make("span", `dot origin-${part.origin}`), make("strong", "", ORIGINS[part.origin] ?? part.name),
    make("span", "tokens", t("about {tokens}", { tokens: counted(part.tokens) })))
  node.append(summary)
  for (const { role, text } of part.texts) {
    const said = make("div", "said")
    said.append(make("b", "", SPEAKERS[role] ?? role), make("p", "", text))
    node.append(said)
  }
  for (const { name, tokens, is_shown } of part.files) {
    const said = make("div", "said")
    const about = is_shown ? t("about {tokens}", { tokens: counted(tokens) }) : t("Only its name: this model is not shown images, or not this one.")
    said.append(make("b", "", name), make("p", "", about))
    node.append(said)
  }
  if (!part.texts.length && !part.files.length) node.append(make("p", "said", part.origin === "opening" ? t("What the answer began with.") : t("These messages were deleted since.")))
  if (part.origin in CHANGEABLE) node.append(changeButton(part, act))
  return node
}

function waterfall(times) {
  const node = make("dl", "waterfall")
  const total = times.reduce((sum, time) => sum + time.ms, 0)
  let before = 0
  for (const { name, ms } of times) {
    const place = make("dd")
    const stretch = make("span", "stretch")
    stretch.style.marginLeft = `${total ? (before / total) * 100 : 0}%`
    stretch.style.width = `${total ? Math.max(0.6, (ms / total) * 100) : 0}%`
    place.append(stretch, make("span", "ms", seconds(ms)))
    node.append(make("dt", "", name), place)
    before += ms
  }
  return node
}

function facts(pairs) {
  const node = make("dl", "facts")
  for (const [name, value] of pairs) node.append(make("dt", "", name), make("dd", "", value))
  return node
}

// Once more beside this answer: with another model, or without a part of what it saw.
function replayForm(data, act) {
  const form = make("form", "replay")
  const model = make("select")
  model.setAttribute("aria-label", t("Model for the replay"))
  model.append(new Option(t("The model in the top bar"), ""), ...act.models().map((one) => new Option(one.label, one.id)))
  const removable = data.parts.filter((part) => part.origin in WITHOUT)
  const boxes = removable.map((part) => {
    const label = make("label")
    label.append(Object.assign(make("input"), { type: "checkbox", value: part.origin }), " ", WITHOUT[part.origin])
    return label
  })
  form.append(model, ...boxes, make("button", "primary", t("Replay beside this answer")))
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    const without = [...form.querySelectorAll("input:checked")].map((box) => box.value)
    act.replay(data.answer, { model: model.value || null, without })
  })
  return form
}

export class Explanation {
  // `act` has models(), copy(answer, language), replay(answer, how) and, by part, change.
  constructor(act) {
    this.act = act
    this.dialog = make("dialog", "explanation")
    this.dialog.setAttribute("aria-labelledby", "explanation-title")
    const head = make("header")
    const title = make("h2", "", t("What the model saw"))
    title.id = "explanation-title"
    const close = textButton("✕", "close", () => this.dialog.close())
    close.setAttribute("aria-label", t("Close"))
    head.append(title, close)
    this.body = make("div", "explanation-body")
    this.dialog.append(head, this.body)
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close() })
    this.dialog.addEventListener("close", () => { this.wanted = null })
    document.body.append(this.dialog)
  }

  // Opens at once; what there is to see comes a moment later.
  open(answer) {
    this.wanted = answer
    this.body.replaceChildren(make("p", "muted", t("Looking it up …")))
    this.dialog.showModal()
  }

  show(data) {
    if (data.answer !== this.wanted) return
    const used = data.parts.reduce((sum, part) => sum + part.tokens, 0)
    const share = [t("About {used} of the model's window of {window}; {reserved} were kept free for the answer.", {
      used: counted(used), window: data.window.toLocaleString(document.documentElement.lang), reserved: data.reserved.toLocaleString(document.documentElement.lang),
    }), data.is_calibrated ? t("Estimates are calibrated by what its provider counted before.") : ""].join(" ").trim()
    this.body.replaceChildren(
      windowBar(data), make("p", "muted", share), ...this.#remarks(data).map((remark) => make("p", "cut", `${remark}.`)),
      ...data.parts.map((part) => partNode(part, this.act)), ...(data.times.length ? [make("h3", "", t("Time")), waterfall(data.times)] : []),
      make("h3", "", t("Figures")), facts(data.facts),
      make("h3", "", t("Ask again")), replayForm(data, { ...this.act, replay: (answer, how) => this.#replay(answer, how) }),
      make("h3", "", t("The request")), this.#requestButtons(data.answer),
    )
  }

  // The request came: shown, so that it can be read before it is taken along.
  showRequest(op) {
    if (op.answer !== this.wanted) return
    const code = make("pre", "request", op.code)
    code.tabIndex = 0
    const copy = textButton(t("Copy"), "more", () => copyText(op.code, copy))
    copy.title = t("Copy")
    this.place.replaceChildren(code, copy)
    copy.focus()
  }

  #remarks(data) {
    const left = data.left_out.map((origin) => LEFT_OUT[origin])
    return [...(left.length ? [t("Left out this time: {parts}.", { parts: left.join(", ") })] : []), ...(data.cut ? [data.cut] : [])]
  }

  #replay(answer, how) {
    this.dialog.close()
    this.act.replay(answer, how)
  }

  #requestButtons(answer) {
    const node = make("div")
    const row = make("p", "buttons")
    for (const [language, label] of [["curl", t("As curl")], ["python", t("As Python")]]) {
      row.append(textButton(label, "more", () => this.act.copy(answer, language)))
    }
    this.place = make("div")
    node.append(make("p", "muted", t("What was sent to the provider, to be sent again from a terminal. The key is not in it: set API_KEY.")), row, this.place)
    return node
  }

  refuse() {
    if (this.dialog.open) this.dialog.close()
  }
}
