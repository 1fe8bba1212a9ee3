// Links by which others may read a chat.

import { copyText, make, textButton } from "./dom.js"

const AUDIENCES = { signed_in: t("People of this workspace, signed in"), anyone: t("Anyone who has the link") }
const TIMES = [["7", t("7 days")], ["30", t("30 days")], ["365", t("A year")], ["", t("Until I revoke it")]]

function date(ms) {
  return new Date(ms).toLocaleDateString(document.documentElement.lang, { dateStyle: "medium" })
}

function choice(label, options) {
  const line = make("label", "", label)
  const select = make("select")
  select.append(...options.map(([value, text]) => new Option(text, value)))
  line.append(select)
  return { line, select }
}

export class Sharing {
  constructor(tell) {
    this.tell = tell
    this.chat = null
    // Of the links made since the dialog was opened: the server keeps only a fingerprint.
    this.tokens = new Map()
    this.dialog = make("dialog", "shortcuts sharing")
    this.dialog.setAttribute("aria-labelledby", "sharing-title")
    this.title = make("h2")
    this.title.id = "sharing-title"
    this.body = make("div")
    this.dialog.append(this.title, this.body, textButton(t("Close"), "more", () => this.dialog.close()))
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close() })
    this.dialog.addEventListener("close", () => {
      this.chat = null
      this.tokens.clear()
    })
    document.body.append(this.dialog)
  }

  show(chat) {
    this.chat = chat.id
    this.title.textContent = t("Share “{title}”", { title: chat.title || t("New chat") })
    this.body.replaceChildren(make("p", "muted", t("Looking it up …")))
    this.dialog.showModal()
    this.tell({ op: "list_links", chat: chat.id })
  }

  update({ chat, audiences, links }) {
    if (chat !== this.chat) return
    const made = links.find((link) => link.token)
    if (made) this.tokens.set(made.id, made.token)
    const form = audiences.length ? this.#form(audiences) : make("p", "muted", t("Administrators have switched links off. Export the chat instead."))
    this.body.replaceChildren(form, this.#list(links, audiences))
    if (made) this.body.querySelector(".new input").select()
  }

  #form(audiences) {
    const form = make("form")
    const who = choice(t("Who may read it"), audiences.map((audience) => [audience, AUDIENCES[audience]]))
    const until = choice(t("For how long"), TIMES)
    form.append(
      make("p", "muted", t("A link shows a copy of the chat as it is now, with its images; of other files it shows the names. What you write later does not enter it.")),
      who.line, until.line, make("button", "primary", t("Create link")),
    )
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      const days = until.select.value ? Number(until.select.value) : null
      this.tell({ op: "share", chat: this.chat, audience: who.select.value, days })
    })
    return form
  }

  #list(links, audiences) {
    const list = make("ul")
    for (const link of links) {
      const token = this.tokens.get(link.id)
      const item = make("li", token ? "new" : "")
      const until = link.expires_at ? t("until {day}", { day: date(link.expires_at) }) : t("until revoked")
      const off = audiences.includes(link.audience) ? "" : " · " + t("switched off by administrators")
      const about = make("span", "", [AUDIENCES[link.audience], t("since {day}", { day: date(link.created_at) }), until].join(", ") + off)
      if (link.prefix && !token) about.append(make("small", "", `/s/${link.prefix}…`))
      const revoke = textButton(t("Revoke"), "more", () => this.tell({ op: "revoke", link: link.id }))
      if (link.prefix) revoke.setAttribute("aria-label", t("Revoke the link that begins with {beginning}", { beginning: link.prefix }))
      item.append(about, ...(token ? this.#address(token) : []), revoke)
      list.append(item)
    }
    return list
  }

  // Shown once: only a fingerprint of it is kept.
  #address(token) {
    const box = Object.assign(make("input"), { readOnly: true, value: `${location.origin}/s/${token}` })
    box.setAttribute("aria-label", t("Link"))
    const copy = textButton(t("Copy link"), "more", async () => {
      await copyText(box.value, copy)
      copy.textContent = t("Copied")
    })
    copy.title = t("Copy link")
    return [box, copy, make("p", "muted", t("Copy it now: it is not shown again."))]
  }
}
