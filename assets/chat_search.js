// Search over all chats: Ctrl+K or the button in the sidebar; what is found opens at its message.

import { placeName } from "./chat_members.js"
import { make, textButton } from "./dom.js"

const TIMES = [["", t("Any time")], ["7", t("Last 7 days")], ["30", t("Last 30 days")], ["365", t("Last year")]]

const PAUSE_MS = 150

export class Search {
  // `places` knows projects and tags, `models()` returns the models.
  constructor({ ask, open, places, models }) {
    this.ask = ask
    this.open = open
    this.places = places
    this.models = models
    this.number = 0
    this.dialog = make("dialog", "search")
    this.dialog.setAttribute("aria-label", t("Search chats"))
    this.box = Object.assign(make("input"), { type: "search", placeholder: t("Search titles and messages"), maxLength: 500 })
    this.box.setAttribute("aria-label", t("Search chats"))
    this.box.setAttribute("aria-controls", "search-results")
    this.state = make("p", "muted")
    this.state.setAttribute("role", "status")
    this.list = make("ul")
    this.list.id = "search-results"
    this.more = textButton(t("Show more"), "more", () => this.#search(this.list.children.length))
    this.filters = {
      model: this.#filter(t("Answered by")), project: this.#filter(t("In the project")), tag: this.#filter(t("With the tag")), days: this.#filter(t("Last written to")), files: this.#filter(t("Files")),
    }
    const filters = make("div", "filters")
    filters.append(...Object.values(this.filters))
    this.dialog.append(this.box, filters, this.state, this.list, this.more)
    document.body.append(this.dialog)
    this.box.addEventListener("input", () => {
      clearTimeout(this.timer)
      this.timer = setTimeout(() => this.#search(0), PAUSE_MS)
    })
    this.dialog.addEventListener("keydown", (event) => this.#move(event))
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close() })
    document.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return
      event.preventDefault()
      this.show()
    })
  }

  show() {
    if (this.dialog.open) return
    this.ask({ op: "list_places" })
    this.offer()
    this.dialog.showModal()
    this.box.select()
    this.#search(0)
  }

  // What can be filtered by: what there is.
  offer() {
    this.#fill("model", t("Any model"), this.models().map(({ id, label }) => [id, label]))
    this.#fill("project", t("Any project"), this.places.projects.map((project) => [project.id, placeName(project)]))
    this.#fill("tag", t("Any tag"), this.places.tags.map((tag) => [tag, `#${tag}`]))
    this.#fill("days", TIMES[0][1], TIMES.slice(1))
    this.#fill("files", t("With or without files"), [["yes", t("With files")]])
  }

  #filter(label) {
    const select = make("select")
    select.setAttribute("aria-label", label)
    select.addEventListener("change", () => this.#search(0))
    return select
  }

  #fill(name, any, options) {
    const select = this.filters[name]
    const chosen = select.value
    select.replaceChildren(new Option(any, ""), ...options.map(([value, text]) => new Option(text, value)))
    select.value = options.some(([value]) => value === chosen) ? chosen : ""
    select.hidden = !options.length
  }

  #chosen() {
    const { model, project, tag, days, files } = this.filters
    return { model: model.value || null, project: project.value || null, tag: tag.value || null, days: days.value ? Number(days.value) : null, has_file: Boolean(files.value) }
  }

  found(op) {
    if (op.number !== this.number) return
    const nodes = op.items.map((item) => this.#line(item))
    if (op.offset) this.list.append(...nodes)
    else this.list.replaceChildren(...nodes)
    this.more.hidden = !op.has_more
    const words = this.box.value.trim()
    const isFiltered = Object.values(this.#chosen()).some(Boolean)
    if (op.items.length || op.offset) this.state.textContent = ""
    else if (words && isFiltered) this.state.textContent = t("Nothing holds “{words}”. Try fewer or other words, or search everywhere.", { words })
    else if (words) this.state.textContent = t("Nothing holds “{words}”. Try fewer or other words.", { words })
    else this.state.textContent = isFiltered ? t("No chat is like that. Search everywhere, or type a word.") : t("Type a word that you remember.")
  }

  #search(offset) {
    this.number += 1
    this.ask({ op: "search", number: this.number, text: this.box.value, ...this.#chosen(), offset })
  }

  #line(item) {
    const link = make("a")
    link.href = `/c/${item.chat}${item.message ? `#m-${item.message}` : ""}`
    const head = make("span", "head")
    const when = new Date(item.at).toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "short", year: "numeric" })
    head.append(make("strong", "", item.title || t("New chat")), make("time", "", when))
    link.append(head)
    if (item.message) {
      const said = make("span", "snippet", item.role === "user" ? t("You: ") : "")
      for (const [text, isMatch] of item.pieces) said.append(isMatch ? make("mark", "", text) : text)
      link.append(said)
    }
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return
      event.preventDefault()
      this.dialog.close()
      this.open(`/c/${item.chat}`, item.message)
    })
    const node = make("li")
    node.append(link)
    return node
  }

  // Arrow keys go through what was found, Enter opens it.
  #move(event) {
    const links = [...this.list.querySelectorAll("a")]
    const at = links.indexOf(document.activeElement)
    if (event.key === "ArrowDown" && links.length) {
      event.preventDefault()
      links[Math.min(at + 1, links.length - 1)].focus()
    } else if (event.key === "ArrowUp" && at >= 0) {
      event.preventDefault()
      if (at === 0) this.box.focus()
      else links[at - 1].focus()
    } else if (event.key === "Escape") {
      // Of itself it would only empty the field.
      event.preventDefault()
      this.dialog.close()
    } else if (event.key === "Enter" && document.activeElement === this.box && links.length) {
      event.preventDefault()
      links[0].click()
    }
  }
}
