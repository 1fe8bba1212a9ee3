// Documents from the web: asked for by their address, and what of them is still to be fetched.

import { dialogNamed, field } from "./dialog.js"
import { iconButton, make, textButton } from "./dom.js"

const MAX_ADDRESS_CHARS = 2_000

// An address as a person knows it again: without what every address has.
const short = (address) => address.replace(/^https?:\/\//, "").replace(/\/$/, "")

// Where a document was fetched from, as a link there.
export function sourceOf(address) {
  const link = make("a", "origin", t("from {host}", { host: new URL(address).host }))
  Object.assign(link, { href: address, title: address, target: "_blank", rel: "noopener noreferrer" })
  return link
}

export class FromWeb {
  constructor(tell) {
    this.tell = tell
    this.rows = new Map()
    // Versions of documents that are fetched again, by their address.
    this.awaited = new Map()
    this.asking = dialogNamed(t("From the web"), "from-web form-dialog")
    this.node = make("ul", "fetches")
    this.node.setAttribute("aria-label", t("To be fetched"))
    this.node.hidden = true
  }

  get isBusy() {
    return [...this.rows.values()].some(({ one }) => !one.error)
  }

  // Show what is still to be fetched. Returns whether something that was is not any more.
  show(fetches) {
    const ids = new Set(fetches.map(({ id }) => id))
    const gone = [...this.rows].filter(([id]) => !ids.has(id))
    for (const [id, { node }] of gone) {
      node.remove()
      this.rows.delete(id)
    }
    for (const one of fetches) this.#put(one)
    this.node.hidden = !fetches.length
    return gone.some(([, { one }]) => !one.error)
  }

  // Say of what was fetched again that nothing is new; the documents are as they are now.
  tellUnchanged(documents) {
    for (const one of documents) {
      if (!this.awaited.has(one.source) || [...this.rows.values()].some((row) => row.one.address === one.source)) continue
      if (this.awaited.get(one.source) === one.version) window.llmUi.toast(t("{name} is still the same.", { name: one.name }))
      this.awaited.delete(one.source)
    }
  }

  again(one) {
    this.awaited.set(one.source, one.version)
    this.tell({ op: "fetch_again", document: one.id })
  }

  // Ask for the address of something that is to be fetched into a project.
  ask(project) {
    const { dialog, body } = this.asking
    const form = make("form")
    const address = Object.assign(make("input"), { type: "url", required: true, maxLength: MAX_ADDRESS_CHARS, placeholder: "https://example.org/report.pdf" })
    const buttons = make("div", "buttons")
    buttons.append(make("button", "primary", t("Fetch")), textButton(t("Cancel"), "more", () => dialog.close()))
    form.append(
      field(t("Address"), address),
      make("p", "muted", t("The server fetches what everybody can see there: a page, a PDF, a table. What needs a sign-in has to be downloaded and uploaded.")),
      buttons,
    )
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.tell({ op: "fetch_document", project, address: address.value })
    })
    body.replaceChildren(form)
    dialog.showModal()
  }

  close() {
    this.asking.dialog.close()
  }

  #put(one) {
    const old = this.rows.get(one.id)
    if (old && JSON.stringify(old.one) === JSON.stringify(one)) return
    const node = this.#row(one)
    if (old) old.node.replaceWith(node)
    else this.node.append(node)
    this.rows.set(one.id, { one, node })
  }

  #row(one) {
    const node = make("li", one.error ? "failed" : "")
    const kind = make("span", "kind", "URL")
    kind.setAttribute("aria-hidden", "true")
    const about = make("div", "about")
    const name = make("span", "name", short(one.address))
    name.title = one.address
    const how = one.error ? t("Not fetched: {why}", { why: one.error }) : one.is_begun ? t("Being fetched") : t("Waiting to be fetched")
    const state = make("p", "state")
    state.append(make("span", "how", how))
    about.append(name, state)
    node.append(kind, about)
    if (one.error) {
      const retry = textButton(t("Retry"), "bar-button", () => this.tell({ op: "retry_fetch", fetch: one.id }))
      retry.setAttribute("aria-label", t("Fetch {name} once more", { name: short(one.address) }))
      node.append(retry)
    }
    node.append(iconButton(t("Do not fetch {name}", { name: short(one.address) }), "close", () => this.tell({ op: "remove_fetch", fetch: one.id })))
    return node
  }
}
