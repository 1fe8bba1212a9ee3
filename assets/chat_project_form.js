// The form of a project: its name and look, and once it is there what its chats begin with.

import { mayOwn, placeName } from "./chat_members.js"
import { lookFields } from "./chat_project_look.js"
import { dialogNamed, field } from "./dialog.js"
import { make, textButton } from "./dom.js"

const MAX_NAME_CHARS = 80
const PLAIN = { color: "grey", icon: "folder" }

function numberField(options) {
  return Object.assign(make("input"), { type: "number", placeholder: t("model's own"), ...options })
}

function numberOf(input) {
  return input.value === "" ? null : Number(input.value)
}

function check(label, about, isOn) {
  const line = make("label", "check")
  const box = Object.assign(make("input"), { type: "checkbox", checked: isOn })
  const text = make("span", "", label)
  text.append(make("small", "", about))
  line.append(box, text)
  return { line, box }
}

export class ProjectForm {
  // `act` has tell(op), models() and templates().
  constructor(act) {
    this.act = act
    this.naming = dialogNamed(t("New project"), "naming form-dialog")
    // What was told and is not confirmed yet.
    this.told = null
  }

  // Begin a project, in which a chat is put if one is given.
  begin(chat = null) {
    const templates = this.act.templates()
    const like = make("select")
    like.append(new Option(t("An empty project"), ""), ...templates.map((project) => new Option(placeName(project), project.id)))
    const documents = check(t("With the documents of the template"), t("Its instructions, facts and settings come along in any case."), true)
    documents.line.hidden = true
    const looks = this.#open(t("New project"), t("Create"), { name: "", ...PLAIN }, (form) => this.#begin(form, chat, like.value || null, documents.box.checked), {
      first: templates.length ? [field(t("Begin with"), like), documents.line] : [],
    })
    like.addEventListener("change", () => {
      documents.line.hidden = !like.value
      looks.take(templates.find(({ id }) => id === like.value) ?? PLAIN)
    })
  }

  // Begin one that is like another one.
  duplicate(project) {
    const documents = check(t("With its documents"), t("Its instructions, facts and settings come along in any case, its chats never."), true)
    const name = t("{name} (copy)", { name: project.name }).slice(0, MAX_NAME_CHARS)
    this.#open(t("Duplicate the project"), t("Duplicate"), { ...project, name }, (form) => this.#begin(form, null, project.id, documents.box.checked), { last: [documents.line] })
  }

  #begin(form, chat, like, hasDocuments) {
    this.told = { chat }
    this.act.tell({ op: "save_project", project: null, chat: chat?.id ?? null, ...form, like, with_documents: Boolean(like) && hasDocuments })
  }

  // Change one that is there.
  change(project) {
    const model = this.#models(project)
    const temperature = numberField({ min: 0, max: 2, step: 0.1, value: project.temperature ?? "" })
    const length = numberField({ min: 1, max: 1_000_000, step: 1, value: project.max_tokens ?? "" })
    const template = check(t("A template"), t("“New project” offers it to begin with."), project.is_template)
    const numbers = make("div", "numbers")
    numbers.append(field(t("Temperature"), temperature), field(t("Longest answer, in tokens"), length))
    const more = make("fieldset", "begin-with")
    more.append(
      make("legend", "", t("New chats in it begin with")), field(t("Model"), model), numbers,
      make("p", "muted", t("Chats that are there keep what they have.")),
    )
    this.#open(t("Settings of the project"), t("Save"), project, (form) => {
      this.told = { project }
      this.act.tell({
        op: "save_project", project: project.id, ...form, model: model.value || null,
        temperature: numberOf(temperature), max_tokens: numberOf(length), is_template: template.box.checked,
      })
    }, { last: [more, template.line] })
  }

  // It is saved. Returns what was told, null when that was another page.
  saved() {
    const { told } = this
    this.told = null
    if (told) this.naming.dialog.close()
    return told
  }

  #open(heading, verb, project, save, { first = [], last = [] }) {
    const { dialog, title, body } = this.naming
    title.textContent = heading
    const form = make("form")
    const look = { color: project.color, icon: project.icon }
    const name = Object.assign(make("input"), { value: project.name, maxLength: MAX_NAME_CHARS, required: true, placeholder: t("Thesis") })
    name.readOnly = Boolean(project.id) && heading === t("Settings of the project") && !mayOwn(project)
    const buttons = make("div", "buttons")
    buttons.append(make("button", "primary", verb), textButton(t("Cancel"), "more", () => dialog.close()))
    const looks = lookFields(look)
    form.append(...first, field(t("Name"), name), looks, ...last, buttons)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      save({ name: name.value, ...look })
    })
    body.replaceChildren(form)
    dialog.showModal()
    name.focus()
    return looks
  }

  #models(project) {
    const select = make("select")
    const models = this.act.models()
    select.append(new Option(t("the one picked above the chat"), ""), ...models.map(({ id, label }) => new Option(label, id)))
    const isGone = project.model && !models.some(({ id }) => id === project.model)
    if (isGone) select.append(new Option(t("{name} (not available)", { name: project.model_name }), project.model))
    select.value = project.model ?? ""
    return select
  }
}
