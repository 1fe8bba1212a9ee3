// How long a project keeps chats that nobody touches, and how much may be spent in it.

import { dialogNamed, field } from "./dialog.js"
import { make, textButton } from "./dom.js"

const MAX_KEEP_DAYS = 3_650
const MAX_AMOUNT = 1_000_000
const PAUSE_MS = 300

const shown = (number) => number.toLocaleString(document.documentElement.lang)
const dayOf = (iso) => new Date(`${iso}T00:00:00Z`).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "long", timeZone: "UTC" })

// When chats go to the bin, in a sentence; nothing when they never do.
export function keptFor(days) {
  return days
    ? tn("Chats that nobody touches for {n} day go to the bin; pinned ones stay.", "Chats that nobody touches for {n} days go to the bin; pinned ones stay.", days, { n: shown(days) })
    : ""
}

// A budget as it stands: a bar, and what is left until when.
export function budgetLine({ amount, left, spent, share, is_low: isLow, returns }) {
  const line = make("div", isLow ? "budget low" : "budget")
  const bar = Object.assign(make("progress"), { max: 1, value: share })
  bar.setAttribute("aria-label", t("Budget of this month"))
  const said = share >= 1
    ? t("The budget of {amount} is spent, or set aside for answers that are being written. On {day} there is the whole amount again.", { amount, day: dayOf(returns) })
    : t("{left} of {amount} are left until {day}; {spent} are spent.", { left, amount, spent, day: dayOf(returns) })
  line.append(bar, make("p", "", said))
  return line
}

export class Limits {
  // `act` has tell(op).
  constructor(act) {
    this.act = act
    Object.assign(this, dialogNamed(t("Limits of the project"), "limits form-dialog"))
    this.id = null
    // Counts what was typed.
    this.number = 0
  }

  // `budget` is what may be spent each month, null where nothing is said.
  show(project, budget) {
    this.id = project.id
    this.title.textContent = t("Limits of “{name}”", { name: project.name })
    const form = make("form")
    this.days = Object.assign(make("input"), { type: "number", min: 1, max: MAX_KEEP_DAYS, step: 1, value: project.keep_days ?? "", placeholder: t("never") })
    const amount = Object.assign(make("input"), { type: "number", min: 0.01, max: MAX_AMOUNT, step: 0.01, value: budget ?? "", placeholder: t("no limit") })
    this.preview = make("p", "muted")
    this.preview.setAttribute("role", "status")
    this.save = make("button", "primary", t("Save"))
    const buttons = make("div", "buttons")
    buttons.append(this.save, textButton(t("Cancel"), "more", () => this.dialog.close()))
    form.append(
      field(t("Chats that nobody touches go to the bin after so many days"), this.days), this.preview,
      field(t("Most that may be spent in a month, in US dollars"), amount),
      make("p", "muted", t("What was spent this month counts. A question that may cost more than is left is refused before anything is asked. Models that are free, or whose price is not known, are not held back.")),
      buttons,
    )
    this.days.addEventListener("input", () => this.#typed())
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.act.tell({ op: "save_limits", project: this.id, keep_days: this.days.value ? Number(this.days.value) : null, budget: amount.value || null })
    })
    this.body.replaceChildren(form)
    this.dialog.showModal()
    this.#weigh()
  }

  // It is known what would go: now it can be saved.
  update(op) {
    if (op.project !== this.id || op.number !== this.number) return
    const said = op.chats
      ? [tn("{n} chat would go with the next night.", "{n} chats would go with the next night.", op.chats, { n: shown(op.chats) })]
      : [t("No chat would go now.")]
    if (op.people > 1) said.push(tn("They are of {n} member.", "They are of {n} members.", op.people, { n: shown(op.people) }))
    if (op.own.length) said.push(t("Of yours: {titles}.", { titles: op.own.map((title) => title || t("New chat")).join(" · ") }))
    said.push(t("Pinned ones stay. What is in the bin can be restored for 30 days."))
    this.preview.textContent = said.join(" ")
    this.save.disabled = false
  }

  // They are set. Returns whether that was done here.
  saved(id) {
    const isHere = Boolean(id) && id === this.id && this.dialog.open
    if (isHere) this.dialog.close()
    return isHere
  }

  #typed() {
    clearTimeout(this.typing)
    this.save.disabled = Boolean(this.days.value)
    this.typing = setTimeout(() => this.#weigh(), PAUSE_MS)
  }

  #weigh() {
    this.number += 1
    if (this.days.value && this.days.validity.valid) {
      this.act.tell({ op: "weigh_keeping", project: this.id, number: this.number, days: Number(this.days.value) })
      return
    }
    this.preview.textContent = this.days.value ? "" : t("They are kept until somebody deletes them.")
    // What is no such number the browser itself refuses.
    this.save.disabled = false
  }
}
