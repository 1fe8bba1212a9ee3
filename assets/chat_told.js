// "What models are told": the instructions of every level as they reach a model, with their origin; one's own are
// written here, and of those that one may change earlier versions are shown and taken back.

import { ORIGINS, counted } from "./chat_explain.js"
import { Versions } from "./chat_versions.js"
import { dialogNamed, field } from "./dialog.js"
import { make, textButton } from "./dom.js"

const MAX_CHARS = 20_000

export class Told {
  // `act` has tell(op), place(): the chat, project and agent that it is about, isTemporary() and changed().
  constructor(act) {
    this.act = act
    Object.assign(this, dialogNamed(t("What models are told"), "told-ahead form-dialog"))
    this.versions = new Versions(act.tell)
    document.getElementById("show-told").addEventListener("click", () => this.show())
  }

  // `draft` is an agent that is being written: its name and text.
  show(draft = null) {
    document.getElementById("options").open = false
    this.draft = draft
    this.body.replaceChildren(make("p", "muted", t("Looking it up …")))
    this.dialog.showModal()
    this.#ask()
  }

  // Something that is told has changed.
  reload() {
    this.act.changed()
    this.versions.reload()
    if (this.dialog.open) this.#ask()
  }

  update(op) {
    this.data = op
    if (this.dialog.open) this.#draw()
  }

  #ask() {
    const place = this.draft ? { chat: null, project: null, agent: null } : this.act.place()
    this.act.tell({ op: "read_told", ...place })
  }

  #levels() {
    const { levels } = this.data
    if (this.draft) return this.draft.text.trim() ? [...levels, { origin: "agent", name: this.draft.name, text: this.draft.text, tokens: null }] : levels
    return this.act.isTemporary() ? levels.filter(({ origin }) => origin !== "personal") : levels
  }

  #draw() {
    const levels = this.#levels()
    const about = make("p", "muted", t("In this order, ahead of every question. Where they disagree models follow the later ones. What you told of yourself, passages and messages come after them; What the model saw shows all of it."))
    const list = make("ol")
    list.append(...levels.map((level) => this.#item(level)))
    if (this.data.levels.every(({ origin }) => origin !== "personal") && !this.draft) list.append(this.#noneOfOnesOwn())
    const close = textButton(t("Close"), "more", () => this.dialog.close())
    this.body.replaceChildren(about, levels.length || !this.draft ? list : make("p", "muted none", t("Nothing yet.")), close)
  }

  #item({ origin, name, text, tokens }) {
    const item = make("li")
    const head = make("p", "level")
    head.append(make("span", `dot origin-${origin}`), make("strong", "", ORIGINS[origin]), make("span", "name", origin === "personal" ? "" : name))
    if (tokens !== null) head.append(make("span", "tokens", t("about {tokens}", { tokens: counted(tokens) })))
    const buttons = make("div", "buttons")
    if (origin === "personal" && !this.draft) buttons.append(textButton(t("Edit"), "more", () => this.#write(text)))
    const kept = { personal: this.data.personal, instructions: this.data.platform }[origin]
    if (kept && !this.draft) buttons.append(this.#versionsOf(origin === "personal" ? "personal" : "platform", { id: kept, name: origin === "personal" ? ORIGINS.personal : name }))
    item.append(head, make("p", "words", text), ...(buttons.childElementCount ? [buttons] : []))
    return item
  }

  #noneOfOnesOwn() {
    const item = make("li")
    const head = make("p", "level")
    head.append(make("span", "dot origin-personal"), make("strong", "", ORIGINS.personal))
    const buttons = make("div", "buttons")
    buttons.append(textButton(t("Write your own"), "more", () => this.#write("")))
    if (this.data.personal) buttons.append(this.#versionsOf("personal", { id: this.data.personal, name: ORIGINS.personal }))
    item.append(head, make("p", "muted", t("None yet: how you like answers to be, in all your chats.")), buttons)
    return item
  }

  #versionsOf(of, prompt) {
    const button = textButton(t("Versions …"), "more", () => this.versions.show(of, prompt))
    button.setAttribute("aria-label", t("Versions of {name}", { name: prompt.name }))
    return button
  }

  #write(text) {
    const form = make("form")
    const box = Object.assign(make("textarea"), { value: text, rows: 8, maxLength: MAX_CHARS, placeholder: t("Answer briefly and in metric units.") })
    const buttons = make("div", "buttons")
    buttons.append(make("button", "primary", t("Save instructions")), textButton(t("Cancel"), "more", () => this.#draw()))
    form.append(field(t("Your instructions"), box), make("p", "muted", t("Models are told them in all your chats but temporary ones. Empty means none.")), buttons)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.act.tell({ op: "save_personal", text: box.value })
    })
    this.body.replaceChildren(form)
    box.focus()
  }
}
