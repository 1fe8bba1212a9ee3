// The ways to take a chat along.

import { make, textButton } from "./dom.js"

const KINDS = [
  ["md", t("Markdown"), t("What is shown, as text for notes and documents")],
  ["html", "HTML", t("What is shown, as one page that opens anywhere and prints well, also to PDF")],
  ["json", "JSON", t("Everything: all branches, models, tokens and prices")],
]

export class Exports {
  constructor() {
    this.dialog = make("dialog", "shortcuts exports")
    this.dialog.setAttribute("aria-labelledby", "exports-title")
    this.title = make("h2")
    this.title.id = "exports-title"
    this.list = make("ul")
    this.dialog.append(this.title, this.list, textButton(t("Close"), "more", () => this.dialog.close()))
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close() })
    document.body.append(this.dialog)
  }

  show(chat) {
    this.title.textContent = t("Export “{title}”", { title: chat.title || t("New chat") })
    this.list.replaceChildren(...KINDS.map(([ending, name, about]) => {
      const link = Object.assign(make("a"), { href: `/export/${chat.id}.${ending}`, download: "" })
      link.append(make("strong", "", name), make("span", "", about))
      link.addEventListener("click", () => this.dialog.close())
      const item = make("li")
      item.append(link)
      return item
    }))
    this.dialog.showModal()
  }
}
