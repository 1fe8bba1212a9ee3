// Versions of a prompt: who wrote what when, what differs from the one before, and taking one back.

import { dialogNamed } from "./dialog.js"
import { make, textButton } from "./dom.js"

const MARKS = { added: "ins", removed: "del" }

export class Versions {
  constructor(tell) {
    this.tell = tell
    Object.assign(this, dialogNamed(t("Versions"), "versions form-dialog"))
  }

  // `of` is personal, platform or saved; `prompt` has id and name.
  show(of, prompt) {
    Object.assign(this, { of, prompt })
    this.title.textContent = t("Versions of {name}", { name: prompt.name })
    this.body.replaceChildren(make("p", "muted", t("Looking it up …")))
    this.dialog.showModal()
    this.reload()
  }

  reload() {
    if (this.dialog.open) this.tell({ op: "list_versions", prompt: this.prompt.id })
  }

  update(op) {
    if (!this.dialog.open || op.prompt !== this.prompt.id) return
    const list = make("ol")
    list.append(...op.versions.map((version, index) => this.#item(version, index === 0)))
    const none = make("p", "muted none", t("It has not been changed since versions are kept."))
    this.body.replaceChildren(op.versions.length ? list : none, textButton(t("Close"), "more", () => this.dialog.close()))
  }

  #item(version, isNewest) {
    const item = make("li")
    const at = new Date(version.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" })
    const head = make("p", "level")
    const author = version.author || t("before versions were kept")
    head.append(make("strong", "", t("Version {n}", { n: version.number })), make("span", "name", `${author} · ${at}`))
    if (isNewest) head.append(make("span", "chip", t("now")))
    const change = make("details")
    change.open = isNewest
    const words = make("p", "words")
    for (const { kind, text } of version.pieces) words.append(kind in MARKS ? make(MARKS[kind], "", text) : text)
    change.append(make("summary", "", t("What changed")), words)
    item.append(head, change)
    if (!isNewest) {
      const restore = textButton(t("Restore"), "more", () => this.tell({ op: "restore_version", of: this.of, prompt: this.prompt.id, version: version.id }))
      restore.setAttribute("aria-label", t("Restore version {n}", { n: version.number }))
      item.append(restore)
    }
    return item
  }
}
