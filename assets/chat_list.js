// The list of chats in the sidebar: by date, endless, with rename and delete.

import { make, textButton } from "./dom.js"

const DAY_MS = 86_400_000

function groupOf(at) {
  const today = new Date().setHours(0, 0, 0, 0)
  if (at >= today) return t("Today")
  if (at >= today - DAY_MS) return t("Yesterday")
  if (at >= today - 7 * DAY_MS) return t("Previous 7 days")
  if (at >= today - 30 * DAY_MS) return t("Previous 30 days")
  return new Date(at).toLocaleDateString(document.documentElement.lang, { month: "long", year: "numeric" })
}

const SHELVES = { archive: t("Archive"), bin: t("Bin") }
const EMPTY = {
  open: t("Your chats will be listed here."),
  project: t("No chats here yet. What you ask now begins one in this project."),
  archive: t("Nothing is archived. Archived chats leave the list, and search still finds them."),
  bin: t("The bin is empty. Deleted chats stay here for 30 days."),
}

export class ChatList {
  constructor(place, act) {
    this.place = place
    this.act = act
    this.chats = []
    this.hasMore = false
    this.current = null
    this.shelf = "open"
    this.project = null
    place.addEventListener("scroll", () => this.#moreIfNear(), { passive: true })
    place.addEventListener("click", (event) => this.#click(event))
    place.addEventListener("pointerdown", () => (this.isPressed = true))
    // After the click that comes of it.
    for (const kind of ["pointerup", "pointercancel"]) window.addEventListener(kind, () => setTimeout(() => this.#release()))
  }

  update(op) {
    const known = op.is_first ? new Map() : new Map(this.chats.map((chat) => [chat.id, chat]))
    for (const chat of op.chats) known.set(chat.id, chat)
    this.chats = [...known.values()]
    this.hasMore = op.has_more
    this.shelf = op.shelf
    this.project = op.project
    this.isAsking = false
    this.draw()
  }

  select(id) {
    this.current = id
    for (const link of this.place.querySelectorAll("a[data-chat]")) {
      if (link.dataset.chat === id) link.setAttribute("aria-current", "page")
      else link.removeAttribute("aria-current")
    }
  }

  retitle(id, title) {
    const chat = this.chats.find((one) => one.id === id)
    if (!chat || chat.title === title) return
    chat.title = title
    this.draw()
  }

  #release() {
    this.isPressed = false
    if (this.isStale) this.draw()
  }

  // Not while somebody is at work in the list: what they have open, or are about to click, would be gone.
  draw() {
    this.isStale = this.isPressed || this.place.querySelector("details[open], input") !== null
    if (this.isStale) return
    const held = this.place.contains(document.activeElement) ? document.activeElement.dataset.focus : null
    const nodes = []
    let group = null
    let list = null
    if (this.shelf !== "open") nodes.push(this.#shelfHead())
    else if (this.project) nodes.push(this.act.places().head(this.project))
    const isWhole = this.shelf === "open" && !this.project
    let hasPlaces = false
    for (const chat of this.chats) {
      if (isWhole && !chat.is_pinned && !hasPlaces) {
        nodes.push(...this.act.places().section())
        hasPlaces = true
      }
      const ofChat = chat.is_pinned ? t("Pinned") : groupOf(chat.at)
      if (ofChat !== group) {
        group = ofChat
        list = make("ul")
        list.setAttribute("aria-label", group)
        nodes.push(make("h2", "group", group), list)
      }
      list.append(this.#row(chat))
    }
    if (isWhole && !hasPlaces) nodes.push(...this.act.places().section())
    if (!this.chats.length) nodes.push(make("p", "empty", EMPTY[this.project ? "project" : this.shelf]))
    if (isWhole) nodes.push(this.#otherShelves())
    this.place.replaceChildren(...nodes)
    this.select(this.current)
    if (held) this.place.querySelector(`[data-focus="${held}"]`)?.focus()
  }

  #shelfHead() {
    const head = make("div", "shelf-head")
    head.append(textButton(t("← Chats"), "shelf-link", () => this.act.show("open")), make("strong", "", SHELVES[this.shelf]))
    return head
  }

  #otherShelves() {
    const node = make("div", "shelves")
    for (const name of ["archive", "bin"]) node.append(textButton(SHELVES[name], "shelf-link", () => this.act.show(name)))
    node.append(...this.act.places().shelfLinks())
    return node
  }

  // What is in the bin cannot be opened: it is taken back first.
  #link(chat) {
    if (this.shelf === "bin") return make("span", "binned", chat.title || t("New chat"))
    const link = make("a", "", chat.title || t("New chat"))
    link.href = `/c/${chat.id}`
    link.dataset.chat = chat.id
    link.dataset.path = link.pathname
    link.dataset.focus = `open-${chat.id}`
    link.title = chat.title
    if (chat.tags.length) link.append(make("small", "", chat.tags.map((tag) => `#${tag}`).join(" ")))
    return link
  }

  #actions(chat) {
    if (this.shelf === "bin") return [["restore", t("Restore")], ["purge", t("Delete for good")]]
    const away = this.shelf === "archive" ? ["unarchive", t("Take out of the archive")] : ["archive", t("Archive")]
    const pin = this.shelf === "archive" ? [] : [chat.is_pinned ? ["unpin", t("Unpin")] : ["pin", t("Pin")]]
    return [["rename", t("Rename")], ...pin, ["move", t("Move …")], ["tag", t("Tags …")], away, ["share", t("Share …")], ["exports", t("Export …")], ["delete", t("Delete")]]
  }

  #row(chat) {
    const item = make("li", chat.is_answering ? "answering" : "")
    const link = this.#link(chat)
    const menu = make("details", "menu")
    const summary = make("summary", "icon-button", "⋯")
    summary.setAttribute("role", "button")
    summary.setAttribute("aria-label", chat.title ? t("Actions for {title}", { title: chat.title }) : t("Actions for this chat"))
    const items = make("div", "items")
    for (const [name, label] of this.#actions(chat)) {
      const button = make("button", "", label)
      button.type = "button"
      button.dataset.action = name
      button.dataset.of = chat.id
      items.append(button)
    }
    menu.append(summary, items)
    menu.addEventListener("toggle", () => {
      if (!menu.open && this.isStale) this.draw()
    })
    item.append(link, menu)
    return item
  }

  #click(event) {
    const button = event.target.closest("[data-action]")
    if (!button) return
    const chat = this.chats.find((one) => one.id === button.dataset.of)
    button.closest("details").open = false
    if (!chat) return
    if (button.dataset.action === "rename") this.#rename(chat, button.closest("li"))
    else this.act[button.dataset.action](chat)
  }

  #rename(chat, item) {
    const input = make("input")
    input.value = chat.title
    input.maxLength = 200
    input.setAttribute("aria-label", t("Title of the chat"))
    let isDone = false
    const end = (isKept) => {
      if (isDone) return
      isDone = true
      if (isKept && input.value.trim() && input.value !== chat.title) {
        this.act.rename(chat, input.value)
        chat.title = input.value.trim()
      }
      input.remove()
      this.draw()
      this.place.querySelector(`[data-focus="open-${chat.id}"]`)?.focus()
    }
    input.addEventListener("keydown", (event) => {
      if (event.isComposing) return
      if (event.key === "Enter") end(true)
      if (event.key === "Escape") end(false)
    })
    input.addEventListener("blur", () => end(true))
    item.replaceChildren(input)
    input.focus()
    input.select()
  }

  #moreIfNear() {
    const left = this.place.scrollHeight - this.place.scrollTop - this.place.clientHeight
    if (left > 300 || !this.hasMore || this.isAsking) return
    this.isAsking = true
    this.act.more()
  }
}
