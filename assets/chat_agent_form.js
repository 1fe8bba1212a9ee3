// The form of an agent: how it looks, what it is told, what it answers with and what it knows.

import { lookFields } from "./chat_project_look.js"
import { dialogNamed, field } from "./dialog.js"
import { make, textButton } from "./dom.js"

const NEW = {
  id: null, name: "", description: "", instructions: "", color: "grey", icon: "star", model: null, model_name: "", temperature: null, max_tokens: null,
  project: null, documents: [], starters: [], is_shared: false, keeps_answers: false, keeps_similar: false,
}

function numberField(value, options) {
  return Object.assign(make("input"), { type: "number", placeholder: t("model's own"), value: value ?? "", ...options })
}

const numberOf = (input) => (input.value === "" ? null : Number(input.value))

// A field, and below it what it is for.
function described(label, node, sentence) {
  const place = make("div", "described")
  const about = make("small", "", sentence)
  about.id = `agent-${label.toLowerCase()}`
  node.setAttribute("aria-describedby", about.id)
  place.append(field(label, node), about)
  return place
}

export class AgentForm {
  // `act` has tell(op), models(), projects(), mayShare(), preview(agent) and save(told).
  constructor(act) {
    this.act = act
    this.editing = dialogNamed(t("New agent"), "agent-form form-dialog")
  }

  show(agent) {
    const { dialog, title, body } = this.editing
    const data = { ...NEW, ...agent }
    title.textContent = data.id ? t("Change the agent") : t("New agent")
    this.look = { color: data.color, icon: data.icon }
    this.project = null
    this.named = new Set(data.documents)
    const fields = this.#fields(data)
    const form = make("form")
    const buttons = make("div", "buttons")
    const preview = textButton(t("What models are told …"), "more", () => this.act.preview({ name: fields.name.value, text: fields.instructions.value }))
    buttons.append(make("button", "primary", t("Save agent")), preview, textButton(t("Cancel"), "more", () => dialog.close()))
    form.append(
      field(t("Name"), fields.name), lookFields(this.look), field(t("Description"), fields.description),
      described(t("Instructions"), fields.instructions, t("What models are told in its chats, after your own instructions and those of a project.")),
      this.#answering(fields), this.#knowing(fields),
      described(t("Starters"), fields.starters, t("Questions that an empty chat with it offers, one a line, six at most.")), this.#keeping(fields),
      ...(this.act.mayShare() ? [this.#sharing(fields)] : []), buttons,
    )
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.act.save({ agent: data.id, ...this.#told(fields) })
    })
    body.replaceChildren(form)
    if (data.project) this.#choose(data.project)
    dialog.showModal()
    fields.name.focus()
  }

  close() {
    this.editing.dialog.close()
  }

  #fields(data) {
    const text = (value, rows, options) => Object.assign(make("textarea"), { value, rows, ...options })
    const box = (checked) => Object.assign(make("input"), { type: "checkbox", checked })
    return {
      name: Object.assign(make("input"), { value: data.name, maxLength: 80, required: true, placeholder: t("Tutor") }),
      description: Object.assign(make("input"), { value: data.description, maxLength: 300, placeholder: t("Explains step by step and asks back") }),
      instructions: text(data.instructions, 6, { maxLength: 20_000, placeholder: t("You are a patient tutor. Ask what is known already before you explain.") }),
      model: this.#models(data),
      temperature: numberField(data.temperature, { min: 0, max: 2, step: 0.1 }),
      length: numberField(data.max_tokens, { min: 1, max: 1_000_000, step: 1 }),
      project: this.#projects(data.project),
      starters: text(data.starters.join("\n"), 3, { placeholder: t("What should I learn first?") }),
      shared: box(data.is_shared),
      keeps: box(data.keeps_answers),
      similar: box(data.keeps_similar),
    }
  }

  #told(fields) {
    return {
      name: fields.name.value, description: fields.description.value, instructions: fields.instructions.value, ...this.look, model: fields.model.value || null,
      temperature: numberOf(fields.temperature), max_tokens: numberOf(fields.length), project: fields.project.value || null,
      documents: fields.project.value ? [...this.named] : [], starters: fields.starters.value.split("\n").map((line) => line.trim()).filter(Boolean), is_shared: fields.shared.checked,
      keeps_answers: fields.keeps.checked, keeps_similar: fields.keeps.checked && fields.similar.checked,
    }
  }

  #answering(fields) {
    const numbers = make("div", "numbers")
    numbers.append(field(t("Temperature"), fields.temperature), field(t("Longest answer, in tokens"), fields.length))
    return this.#group(t("It answers with"), field(t("Model"), fields.model), numbers)
  }

  // The documents are asked for when a project is chosen.
  #knowing(fields) {
    this.known = make("div", "known")
    fields.project.addEventListener("change", () => {
      this.named.clear()
      this.#choose(fields.project.value || null)
    })
    const walls = make("p", "muted", t("It answers from their passages in chats outside of projects. In a project it knows that project alone."))
    return this.#group(t("It knows"), field(t("Documents of"), fields.project), this.known, walls)
  }

  #choose(project) {
    this.project = project
    this.known.replaceChildren()
    if (project) this.act.tell({ op: "list_knowledge", project })
  }

  // Documents came: all of them unless some are ticked.
  know(op) {
    if (op.project !== this.project) return
    const list = make("fieldset", "options")
    list.append(make("legend", "visually-hidden", t("Documents")))
    for (const { id, name } of op.documents) {
      const line = make("label", "check")
      const box = Object.assign(make("input"), { type: "checkbox", checked: this.named.has(id) })
      box.addEventListener("change", () => (box.checked ? this.named.add(id) : this.named.delete(id)))
      line.append(box, make("span", "", name))
      list.append(line)
    }
    const sentence = op.documents.length ? t("Tick some, and it knows only these; with none ticked it knows them all.") : t("There is no document in this project yet.")
    this.known.replaceChildren(make("p", "muted", sentence), ...(op.documents.length ? [list] : []))
  }

  #keeping(fields) {
    const line = make("label", "check")
    const text = make("span", "", t("Keep its answers"))
    text.append(make("small", "", t("Whoever asks the same again gets their own earlier answer, for nothing, and can ask anew with Retry.")))
    line.append(fields.keeps, text)
    const similar = make("label", "check")
    const more = make("span", "", t("Also for a question that means the same"))
    more.append(make("small", "", t("Numbers, names, negations and the order of words have to be the same.")))
    similar.append(fields.similar, more)
    const follow = () => (similar.hidden = !fields.keeps.checked)
    fields.keeps.addEventListener("change", follow)
    follow()
    const both = make("div")
    both.append(line, similar)
    return both
  }

  #sharing(fields) {
    const line = make("label", "check")
    const text = make("span", "", t("Offer it to everybody"))
    text.append(make("small", "", t("Whoever asks it can read its instructions, and the passages its answers are made from; the documents themselves stay yours.")))
    line.append(fields.shared, text)
    return line
  }

  #group(name, ...nodes) {
    const group = make("fieldset", "begin-with")
    group.append(make("legend", "", name), ...nodes)
    return group
  }

  #models({ model, model_name: name }) {
    const select = make("select")
    const models = this.act.models()
    select.append(new Option(t("the one picked above the chat"), ""), ...models.map(({ id, label }) => new Option(label, id)))
    if (model && !models.some(({ id }) => id === model)) select.append(new Option(t("{name} (not available)", { name }), model))
    select.value = model ?? ""
    return select
  }

  #projects(project) {
    const select = make("select")
    select.append(new Option(t("no project"), ""), ...this.act.projects().map(({ id, name }) => new Option(name, id)))
    select.value = project ?? ""
    return select
  }
}
