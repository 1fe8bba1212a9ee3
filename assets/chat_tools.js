// The menu of tools: which of them models may use in the open chat, a switch each.

import { make } from "./dom.js"

const OF_DOCUMENTS = ["search_documents", "read_document"]
const TOOLS = {
  search_documents: [t("Search documents"), t("Looks through the project's documents with words of its own.")],
  read_document: [t("Read documents"), t("Reads on in a document of the project.")],
  calculate: [t("Calculate"), t("Works out arithmetic exactly.")],
  current_time: [t("Current time"), t("Tells day and time where you are.")],
}

export class ToolMenu {
  // `act` has choose(off), isUsable() and isInProject().
  constructor(menu, act) {
    this.menu = menu
    this.act = act
    this.off = new Set()
    menu.addEventListener("toggle", () => { if (menu.open) this.#fill() })
  }

  update({ off }) {
    this.off = new Set(off)
    this.draw()
  }

  draw() {
    const offered = this.#offered()
    const on = offered.filter((name) => !this.off.has(name)).length
    const summary = this.menu.firstElementChild
    summary.textContent = on === offered.length ? t("Tools") : t("Tools: {on} of {all}", { on, all: offered.length })
    this.menu.hidden = !this.act.isUsable()
  }

  #offered() {
    const isInProject = this.act.isInProject()
    return Object.keys(TOOLS).filter((name) => isInProject || !OF_DOCUMENTS.includes(name))
  }

  #fill() {
    const list = make("fieldset")
    list.append(make("legend", "", t("The model may use")))
    for (const name of this.#offered()) {
      const [label, about] = TOOLS[name]
      const line = make("label", "tool")
      const box = Object.assign(make("input"), { type: "checkbox", checked: !this.off.has(name) })
      box.setAttribute("role", "switch")
      box.addEventListener("change", () => this.#choose(name, box.checked))
      const words = make("span")
      words.append(make("span", "", label), make("small", "", about))
      line.append(box, words)
      list.append(line)
    }
    this.menu.lastElementChild.replaceChildren(list, make("p", "", t("Kept for this chat. Each use is shown in the answer.")))
  }

  #choose(name, isOn) {
    if (isOn) this.off.delete(name)
    else this.off.add(name)
    this.draw()
    this.act.choose([...this.off])
  }
}
