// What can be done to a message: the bar below it, and the forms that it opens in the message's place.

import { Attachments } from "./chat_attachments.js"
import { copyText, icon, iconButton, iconMenu, make, menuEntry, standIn, textButton } from "./dom.js"

const WISHES = [
  [t("Shorter"), t("Answer again, much shorter: only what matters most.")],
  [t("Longer"), t("Answer again in more depth, with reasons and examples.")],
]
const REASONS = [
  ["wrong", t("Wrong")],
  ["incomplete", t("Incomplete")],
  ["not_followed", t("Not what I asked")],
  ["style", t("Tone or style")],
  ["slow", t("Too slow")],
  ["other", t("Something else")],
]

// ‹ 2/3 › between messages that stand in the same place; empty when there is only one.
export function siblingPicker(id, siblings, show) {
  const node = make("span", "siblings")
  if (!siblings?.length) return node
  const at = siblings.indexOf(id)
  const step = (label, iconName, to) => {
    const button = iconButton(label, iconName, () => show(siblings[to]))
    button.disabled = to < 0 || to >= siblings.length
    return button
  }
  const where = make("span", "", `${at + 1}/${siblings.length}`)
  where.setAttribute("aria-label", t("Version {at} of {count}", { at: at + 1, count: siblings.length }))
  node.append(step(t("Previous version"), "before", at - 1), where, step(t("Next version"), "after", at + 1))
  return node
}

// A field in the place of a text. Escape gives it up, Ctrl+Enter takes it.
// With `files` it also holds those of a question, to which others can be added.
export function editor(text, { label, take, taken, files = null }) {
  const form = make("form", "editor")
  const box = make("textarea")
  box.value = text
  box.setAttribute("aria-label", label)
  const save = make("button", "primary", take)
  const fit = () => {
    box.style.height = "auto"
    box.style.height = `${box.scrollHeight + 2}px`
    save.disabled = attached ? (!box.value.trim() && attached.isEmpty) || attached.isUploading || Boolean(attached.problem) : !box.value.trim()
  }
  const attached = files && attachedFiles(form, files, fit)
  form.append(box, save, textButton(t("Cancel"), "quiet", () => form.end()))
  if (attached) {
    attached.listen(box)
    form.append(attached.button())
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    if (save.disabled) return
    const ids = attached?.ids
    form.end()
    if (box.value !== text || String(ids ?? "") !== String(files?.map((file) => file.id) ?? "")) taken(box.value, ids)
  })
  box.addEventListener("input", fit)
  return standIn(form, () => {
    fit()
    box.focus()
    box.setSelectionRange(box.value.length, box.value.length)
  })
}

// The files of a question that is edited.
function attachedFiles(form, files, changed) {
  const place = make("div", "editor-files")
  const why = make("p", "refusal")
  why.setAttribute("role", "alert")
  why.hidden = true
  form.append(why, place)
  const refuse = (sentence) => {
    why.textContent = sentence
    why.hidden = !sentence
  }
  const { maxFiles, maxBytes } = document.getElementById("composer").dataset
  const limits = () => ({ files: Number(maxFiles), bytes: Number(maxBytes) })
  const attached = new Attachments(place, { changed, refuse, limits })
  attached.show(files)
  return attached
}

// One line of words to the model: how the answer should be.
function wishForm(bar, act) {
  const form = make("form", "wish")
  const box = Object.assign(make("input"), { maxLength: 2000, placeholder: t("How should the answer be?") })
  box.setAttribute("aria-label", t("How the answer should be"))
  form.append(box, make("button", "primary", t("Retry")), textButton(t("Cancel"), "quiet", () => form.remove()))
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    if (!box.value.trim()) return
    form.remove()
    act(box.value.trim())
  })
  form.addEventListener("keydown", (event) => { if (event.key === "Escape") form.remove() })
  bar.parentElement.after(form)
  box.focus()
}

export class QuestionBar {
  constructor(data, { edit, act }) {
    this.node = make("div", "actions")
    this.node.append(
      siblingPicker(data.id, data.siblings, act.showBranch),
      iconButton(t("Copy question"), "copy", (button) => copyText(data.text, button)),
      iconButton(t("Edit question"), "edit", edit),
      ...(data.is_temporary ? [] : [iconButton(t("Delete question and answer"), "trash", () => act.remove(data.id))]),
    )
  }
}

// Of a temporary chat there is nothing to look up, rate or branch off.
export class TemporaryBar {
  constructor(data, { text, act }) {
    this.node = make("div", "actions")
    this.node.append(
      iconButton(t("Copy"), "copy", (button) => copyText(text(), button)),
      iconButton(t("Regenerate"), "again", () => act.regenerate(data.id, {})),
    )
  }

  setEnd() {}
}

export class AnswerBar {
  constructor(data, { edit, text, plain, act }) {
    this.id = data.id
    this.act = act
    this.node = make("div", "actions")
    this.up = iconButton(t("Good answer"), "up", () => this.rate(this.rating === 1 ? 0 : 1))
    this.down = iconButton(t("Bad answer"), "down", () => (this.rating === -1 ? this.rate(0) : this.#complain()))
    this.eye = iconButton(t("What the model saw"), "eye", (button) => act.explain(data.id, button))
    this.node.append(
      siblingPicker(data.id, data.siblings, act.showBranch),
      iconButton(t("Copy"), "copy", (button) => copyText(text(), button)),
      iconButton(t("Edit answer"), "edit", edit),
      this.#again(),
      this.up,
      this.down,
      this.eye,
      iconMenu(t("More"), "more", (menu) => [
        menuEntry(menu, t("Copy as plain text"), () => copyText(plain(), menu.firstElementChild)),
        menuEntry(menu, t("Edit in parts …"), () => act.readParts(data.id)),
        ...(data.siblings?.length > 1 ? [menuEntry(menu, t("Compare versions side by side"), () => act.compare(data.id, true))] : []),
        menuEntry(menu, t("Branch into new chat"), () => act.branchOff(data.id)),
        menuEntry(menu, t("Delete answer"), () => act.remove(data.id)),
      ]),
    )
    this.#showRating(data.rating ?? 0)
  }

  setEnd(data) {
    this.eye.hidden = !data.can_explain
  }

  rate(rating, reason = null, comment = "") {
    this.#showRating(rating)
    this.act.rate(this.id, { rating, reason, comment })
  }

  #showRating(rating) {
    this.rating = rating
    this.up.setAttribute("aria-pressed", String(rating === 1))
    this.down.setAttribute("aria-pressed", String(rating === -1))
  }

  // Once more as it was with one click, in other ways from the menu beside it.
  #again() {
    const node = make("span", "split")
    const menu = iconMenu(t("More ways to answer"), "open", (opened) => {
      const again = (label, how) => menuEntry(opened, label, () => this.act.regenerate(this.id, how))
      const models = this.act.models()
      const others = models.length > 1 ? [make("p", "caption", t("With another model")), ...models.map((model) => again(model.label, { model: model.id }))] : []
      return [
        ...WISHES.map(([label, wish]) => again(label, { wish })),
        menuEntry(opened, t("In your words …"), () => wishForm(this.node, (wish) => this.act.regenerate(this.id, { wish }))),
        ...others,
      ]
    })
    node.append(iconButton(t("Regenerate"), "again", () => this.act.regenerate(this.id, {})), menu)
    return node
  }

  // A bad rating counts at once; why it is bad may be added.
  #complain() {
    this.rate(-1)
    const form = make("form", "complaint")
    form.setAttribute("aria-label", t("What was wrong?"))
    const reasons = make("fieldset")
    reasons.append(make("legend", "", t("What was wrong? Administrators see it.")))
    for (const [value, label] of REASONS) {
      const line = make("label")
      line.append(Object.assign(make("input"), { type: "radio", name: `reason-${this.id}`, value }), ` ${label}`)
      reasons.append(line)
    }
    const comment = Object.assign(make("input"), { maxLength: 2000, placeholder: t("In your words, if you like") })
    comment.setAttribute("aria-label", t("Comment"))
    form.append(reasons, comment, make("button", "primary", t("Send")), textButton(t("Not now"), "quiet", () => form.remove()))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.rate(-1, form.querySelector("input:checked")?.value ?? null, comment.value)
      form.remove()
      window.llmUi.toast(t("Thank you. Administrators see ratings in their quality figures."))
    })
    form.addEventListener("keydown", (event) => { if (event.key === "Escape") form.remove() })
    this.node.parentElement.after(form)
    reasons.querySelector("input").focus()
  }
}

// Quote what is selected in the conversation into the composer.
export function offerQuotes(messages, quote) {
  const button = textButton(t("Quote"), "quote-button", () => {
    quote(String(getSelection()))
    getSelection().removeAllRanges()
  })
  button.prepend(icon("edit"))
  button.hidden = true
  // Pressing it must not undo the selection.
  button.addEventListener("pointerdown", (event) => event.preventDefault())
  document.body.append(button)
  document.addEventListener("selectionchange", () => {
    const selection = getSelection()
    const range = selection.rangeCount ? selection.getRangeAt(0) : null
    const isQuotable = range && !selection.isCollapsed && messages.contains(range.commonAncestorContainer)
    button.hidden = !isQuotable || !String(selection).trim()
    if (button.hidden) return
    const { left, bottom } = range.getBoundingClientRect()
    button.style.left = `${Math.max(8, Math.min(left, innerWidth - 110))}px`
    button.style.top = `${Math.min(bottom + 6, innerHeight - 44)}px`
  })
}
