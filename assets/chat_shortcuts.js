// The keyboard's shortcuts: what they do, and the list of them behind "?".

import { make, textButton } from "./dom.js"

const SHORTCUTS = [
  ["Enter", t("Send the message")],
  [t("Shift Enter"), t("Break the line")],
  ["Enter", t("While an answer is written: queue the message, or steer the answer (see Chat settings)")],
  [t("Ctrl Enter"), t("While an answer is written: interrupt it and send")],
  ["↑", t("Edit your last question or queued message, from the empty box")],
  ["/", t("Your prompts, at the beginning of a message")],
  ["@", t("Pick a model or an agent")],
  ["#", t("Pick a document of the project")],
  [t("Ctrl K"), t("Search all chats")],
  [t("Ctrl Shift O"), t("Begin a new chat")],
  [t("Ctrl Enter"), t("Take over what you edit")],
  [t("Esc"), t("Close what is open, or give up an edit")],
  ["?", t("Show this list")],
]

function isTyping(node) {
  return node instanceof HTMLElement && (node.isContentEditable || node.matches("input, textarea, select"))
}

export class Shortcuts {
  constructor({ newChat }) {
    this.dialog = make("dialog", "shortcuts")
    this.dialog.setAttribute("aria-labelledby", "shortcuts-title")
    const title = make("h2", "", t("Keyboard shortcuts"))
    title.id = "shortcuts-title"
    const list = make("dl")
    for (const [keys, what] of SHORTCUTS) {
      const place = make("dt")
      for (const key of keys.split(" ")) place.append(make("kbd", "", key))
      list.append(place, make("dd", "", what))
    }
    this.dialog.append(title, list, textButton(t("Close"), "more", () => this.dialog.close()))
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog) this.dialog.close() })
    document.body.append(this.dialog)
    document.addEventListener("keydown", (event) => {
      // Through composedPath: a widget's own field lies in its shadow.
      if (event.key === "?" && !isTyping(event.composedPath()[0])) this.show()
      if (event.key.toLowerCase() === "o" && event.shiftKey && (event.ctrlKey || event.metaKey)) {
        event.preventDefault()
        newChat()
      }
    })
  }

  show() {
    if (!document.querySelector("dialog[open]")) this.dialog.showModal()
  }
}
