// The person's library of prompts: offered behind "/", kept and changed in a dialog, their variables filled in.

import { dialogNamed, field } from "./dialog.js"
import { make, textButton } from "./dom.js"

const VARIABLE = /\{\{\s*([\w -]{1,40}?)\s*\}\}/g

export class Prompts {
  // `tell` sends operations; `look` makes the open menu look again; `focus` gives the composer the focus; `versions`
  // shows those of a prompt; `attempt` asks a text in a temporary chat.
  constructor(tell, { look, focus, versions, attempt }) {
    this.tell = tell
    Object.assign(this, { versions, attempt })
    this.tag = null
    this.look = look
    this.focus = focus
    this.prompts = null
    this.mayShare = false
    this.library = dialogNamed(t("Your prompts"), "library form-dialog")
    this.filling = dialogNamed(t("Fill in"), "filling form-dialog")
    // The browser gives the focus back by itself, but Chromium without a caret.
    for (const { dialog } of [this.library, this.filling]) dialog.addEventListener("close", focus)
  }

  // What the menu behind "/" offers.
  offered() {
    if (!this.prompts) this.tell({ op: "list_prompts" })
    const all = (this.prompts ?? []).map((prompt) => ({
      label: prompt.name,
      about: prompt.text.replaceAll(/\s+/g, " ").slice(0, 80),
      take: (write) => this.#fill(prompt, (text) => {
        this.tell({ op: "use_prompt", prompt: prompt.id })
        write(text)
      }),
    }))
    return [...all, { label: t("Your prompts …"), about: t("Keep, change and delete them"), isAlways: true, take: (write) => { write(""); this.show() } }]
  }

  update(op) {
    this.prompts = op.prompts
    this.mayShare = op.may_share
    // What is being written in the form stays, unless it is what was just saved.
    const isWriting = this.library.body.querySelector("form") && !op.is_saved
    if (!this.library.dialog.open) this.look()
    else if (!isWriting) this.#drawList()
  }

  show() {
    this.#drawList()
    this.library.dialog.showModal()
  }

  // At once: the event of closing comes a moment later, and keys typed meanwhile would be lost.
  #close(dialog) {
    dialog.close()
    this.focus()
  }

  #drawList() {
    const list = make("ul")
    const all = this.prompts ?? []
    const tags = [...new Set(all.flatMap((prompt) => prompt.tags))].sort()
    if (!tags.includes(this.tag)) this.tag = null
    for (const prompt of all.filter((one) => !this.tag || one.tags.includes(this.tag))) {
      const item = make("li")
      const about = make("span")
      const used = prompt.use_count ? tn("used once", "used {n} times", prompt.use_count, { n: prompt.use_count.toLocaleString(document.documentElement.lang) }) : t("not used yet")
      about.append(make("strong", "", `/${prompt.name}`), make("small", "", prompt.text.slice(0, 120)), make("small", "", [used, ...prompt.tags].join(" · ")))
      item.append(about)
      if (prompt.is_shared) item.append(make("span", "chip", prompt.is_mine ? t("For everybody") : t("From an administrator")))
      const attempt = textButton(t("Try"), "more", () => this.#try(prompt))
      attempt.setAttribute("aria-label", t("Try {name} in a temporary chat", { name: prompt.name }))
      item.append(attempt)
      if (prompt.is_mine) {
        const versions = textButton(t("Versions …"), "more", () => this.versions({ id: prompt.id, name: `/${prompt.name}` }))
        versions.setAttribute("aria-label", t("Versions of {name}", { name: prompt.name }))
        const edit = textButton(t("Edit"), "more", () => this.#drawForm(prompt))
        edit.setAttribute("aria-label", t("Edit {name}", { name: prompt.name }))
        const remove = textButton(t("Delete"), "more", () => this.#remove(prompt))
        remove.setAttribute("aria-label", t("Delete {name}", { name: prompt.name }))
        item.append(versions, edit, remove)
      }
      list.append(item)
    }
    const about = make("p", "muted", t("Type / in an empty message to use one. {{topic}} in its text is asked for each time."))
    this.library.body.replaceChildren(
      about, ...(tags.length ? [this.#filter(tags)] : []), list, textButton(t("New prompt"), "primary", () => this.#drawForm(null)), " ",
      textButton(t("Close"), "more", () => this.#close(this.library.dialog)),
    )
  }

  // Only those with a tag, or all.
  #filter(tags) {
    const select = make("select")
    select.append(new Option(t("all"), ""), ...tags.map((tag) => new Option(tag, tag)))
    select.value = this.tag ?? ""
    select.addEventListener("change", () => {
      this.tag = select.value || null
      this.#drawList()
      this.library.body.querySelector("select")?.focus()
    })
    return field(t("Tagged"), select)
  }

  #try(prompt) {
    this.#fill(prompt, (text) => {
      this.library.dialog.close()
      this.attempt(text)
    })
  }

  #drawForm(prompt) {
    const form = make("form")
    const name = Object.assign(make("input"), { value: prompt?.name ?? "", maxLength: 40, required: true, placeholder: "summarise" })
    const text = Object.assign(make("textarea"), { value: prompt?.text ?? "", rows: 6, required: true, placeholder: t("Summarise this in {{number}} sentences:") })
    const shared = Object.assign(make("input"), { type: "checkbox", checked: prompt?.is_shared ?? false })
    const tags = Object.assign(make("input"), { value: prompt?.tags.join(", ") ?? "", maxLength: 400, placeholder: t("mail, english") })
    form.append(field(t("Name"), name), field(t("Text"), text), field(t("Tags, with commas between"), tags))
    if (this.mayShare) {
      const line = make("label", "check")
      line.append(shared, " ", t("Offer it to everybody"))
      form.append(line)
    }
    form.append(make("button", "primary", t("Save prompt")), textButton(t("Cancel"), "more", () => this.#drawList()))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.tell({ op: "save_prompt", prompt: prompt?.id ?? null, name: name.value, text: text.value, is_shared: shared.checked, tags: tags.value.split(",").map((tag) => tag.trim()).filter(Boolean) })
    })
    this.library.body.replaceChildren(form)
    name.focus()
  }

  #remove(prompt) {
    this.tell({ op: "delete_prompt", prompt: prompt.id })
    const undo = () => this.tell({ op: "save_prompt", name: prompt.name, text: prompt.text, is_shared: prompt.is_shared, tags: prompt.tags })
    window.llmUi.toast(t("{name} is deleted.", { name: prompt.name }), { action: t("Undo"), onAction: undo })
  }

  // Ask for what the text leaves open, then write it.
  #fill(prompt, write) {
    const names = [...new Set([...prompt.text.matchAll(VARIABLE)].map((found) => found[1]))]
    if (!names.length) {
      write(prompt.text)
      return
    }
    const { dialog, title, body } = this.filling
    title.textContent = `/${prompt.name}`
    const form = make("form")
    const boxes = new Map(names.map((name) => [name, Object.assign(make("textarea"), { rows: 1 })]))
    for (const [name, box] of boxes) form.append(field(name, box))
    form.append(make("button", "primary", t("Use it")), textButton(t("Cancel"), "more", () => this.#close(dialog)))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.#close(dialog)
      write(prompt.text.replaceAll(VARIABLE, (_, name) => boxes.get(name).value))
    })
    form.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
        event.preventDefault()
        form.requestSubmit()
      }
    })
    body.replaceChildren(form)
    dialog.showModal()
  }
}
