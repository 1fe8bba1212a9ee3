// The summary that stands for a chat's older messages once they do not fit the model's window any more.

import { dialogNamed } from "./dialog.js"
import { make, textButton } from "./dom.js"

const MAX_CHARS = 8_000

export class Summary {
  // `chat` tells the open chat.
  constructor({ tell, chat }) {
    this.tell = tell
    this.chat = chat
    Object.assign(this, dialogNamed(t("Summary of older messages"), "summary library form-dialog"))
    document.getElementById("show-summary").addEventListener("click", () => this.show())
  }

  show() {
    document.getElementById("options").open = false
    this.body.replaceChildren(make("p", "muted", t("Looking it up …")))
    this.dialog.showModal()
    if (this.chat()) this.tell({ op: "read_summary", chat: this.chat() })
    else this.update({ chat: null })
  }

  update(op) {
    if (op.chat !== this.chat() || !this.dialog.open) return
    if (op.is_saved) {
      this.dialog.close()
      window.llmUi.toast(op.id ? t("The summary is saved; the next question goes with it.") : t("The summary is removed. Older messages that do not fit are left out."))
    } else if (op.id) this.#drawForm(op)
    else this.#drawNone()
  }

  #drawNone() {
    this.body.replaceChildren(
      make("p", "muted", t("There is none yet. When old messages of a chat no longer fit the model's window, a small model sums them up after an answer, where administrators have chosen one.")),
      this.#close(),
    )
  }

  #drawForm({ id, text, model, is_edited: isEdited }) {
    const form = make("form")
    const label = make("label", "", isEdited ? t("In your words") : t("Written by {model}", { model }))
    const box = Object.assign(make("textarea"), { value: text, rows: 12, required: true, maxLength: MAX_CHARS })
    label.append(box)
    const change = (to) => this.tell({ op: "edit_summary", chat: this.chat(), summary: id, text: to })
    const buttons = make("p", "buttons")
    buttons.append(make("button", "primary", t("Save summary")), textButton(t("Remove"), "more", () => change(null)), this.#close())
    form.append(make("p", "muted", t("It is sent in place of the oldest messages when they do not fit. What you write stays: later summaries build on it.")), label, buttons)
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      change(box.value)
    })
    this.body.replaceChildren(form)
    box.focus()
  }

  #close() {
    return textButton(t("Close"), "more", () => this.dialog.close())
  }
}
