// The keyboard's shortcuts: what they do, and the list of them behind "?".

import { make, textButton } from "./dom.js"

const SHORTCUTS = [
  ["Enter", "Send the message"],
  ["Shift Enter", "Break the line"],
  ["Enter", "While an answer is written: queue the message, or steer the answer (see Chat settings)"],
  ["Ctrl Enter", "While an answer is written: interrupt it and send"],
  ["↑", "Edit your last question or queued message, from the empty box"],
  ["/", "Your prompts, at the beginning of a message"],
  ["@", "Pick a model"],
  ["Ctrl K", "Search all chats"],
  ["Ctrl Shift O", "Begin a new chat"],
  ["Ctrl Enter", "Take over what you edit"],
  ["Esc", "Close what is open, or give up an edit"],
  ["?", "Show this list"],
]

function isTyping(node) {
  return node instanceof HTMLElement && (node.isContentEditable || node.matches("input, textarea, select"))
}

export class Shortcuts {
  constructor({ newChat }) {
    this.dialog = make("dialog", "shortcuts")
    this.dialog.setAttribute("aria-labelledby", "shortcuts-title")
    const title = make("h2", "", "Keyboard shortcuts")
    title.id = "shortcuts-title"
    const list = make("dl")
    for (const [keys, what] of SHORTCUTS) {
      const place = make("dt")
      for (const key of keys.split(" ")) place.append(make("kbd", "", key))
      list.append(place, make("dd", "", what))
    }
    this.dialog.append(title, list, textButton("Close", "more", () => this.dialog.close()))
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
