// Documents that are picked with "#": the passages for the next question are taken from them alone. Kept with the draft.

import { icon, iconButton, make } from "./dom.js"
import { storageOf } from "./chat_temporary.js"

const MAX_PICKED = 20
const DRAFT = "llm-ui-draft-documents"

function read(place) {
  try {
    return JSON.parse(storageOf(place, localStorage).getItem(`${DRAFT} ${place}`)) ?? []
  } catch {
    return []
  }
}

export class Picked {
  // `act` has find(text, number): asks the server; project(): of a chat that begins; look(): the open menu looks again;
  // refuse(sentence), emptied() and changed().
  constructor(node, act) {
    this.node = node
    this.act = act
    this.place = null
    this.all = []
    this.found = null
    this.number = 0
    this.list = make("ul")
    this.list.setAttribute("aria-label", t("Documents to answer from"))
    this.said = make("p", "visually-hidden")
    this.said.setAttribute("role", "status")
    node.append(this.list, this.said)
  }

  // Show what is picked for the draft of a chat.
  open(place, { isEmpty = false } = {}) {
    this.place = place
    this.all = isEmpty ? [] : read(place)
    this.found = null
    this.draw()
  }

  moveTo(place) {
    Picked.store(this.place, [])
    this.place = place
    this.keep()
  }

  static store(place, picked) {
    const storage = storageOf(place, localStorage)
    try {
      if (picked.length) storage.setItem(`${DRAFT} ${place}`, JSON.stringify(picked))
      else storage.removeItem(`${DRAFT} ${place}`)
    } catch {
      // The browser's store is full or switched off: what is picked stays on this page.
    }
  }

  keep() {
    Picked.store(this.place, this.all)
  }

  // A chat that begins has those of its project; the others wait until that is open again.
  get here() {
    return this.place ? this.all : this.all.filter((one) => one.project === this.act.project())
  }

  // Give them away, to be sent.
  take() {
    const { here } = this
    this.all = this.all.filter((one) => !here.includes(one))
    this.#changed()
    return here
  }

  putBack(picked) {
    const known = new Set(this.all.map((one) => one.id))
    this.all = [...picked.filter((one) => !known.has(one.id)), ...this.all]
    this.#changed()
  }

  // ---- Offered while one writes -----------------------------------------------------------------------------------
  // What the menu behind "#" offers; null until it is known.
  offered(typed) {
    if (this.found?.typed !== typed || this.found.of !== this.#of()) {
      this.number += 1
      this.waiting = { typed, of: this.#of() }
      this.act.find(typed, this.number)
      return null
    }
    const taken = new Set(this.here.map((one) => one.id))
    return this.found.documents.filter((one) => !taken.has(one.id)).map((one) => ({
      label: one.name,
      about: one.about,
      take: (write) => { write(""); this.#pick(one) },
    }))
  }

  // Why there is nothing to pick; empty when there is.
  get note() {
    return this.found && !this.found.project ? t("Documents belong to projects: open a project, or move this chat into one.") : ""
  }

  // Next time it may be otherwise.
  forget() {
    this.found = null
  }

  update(op) {
    if (op.number !== this.number) return
    const documents = op.documents.map((one) => ({ ...one, project: op.project, about: one.pages ? tn("{n} page", "{n} pages", one.pages) : "" }))
    this.found = { ...this.waiting, project: op.project, documents }
    this.act.look()
  }

  #of() {
    return `${this.place} ${this.act.project()}`
  }

  #pick({ id, name, project }) {
    if (this.here.length >= MAX_PICKED) {
      this.act.refuse(t("{n} documents are the most for one question. Without any, all of the project are searched.", { n: MAX_PICKED }))
      return
    }
    this.all.push({ id, name, project })
    this.said.textContent = t("{name} is picked.", { name })
    this.#changed()
  }

  #remove(one) {
    const index = this.here.indexOf(one)
    this.all = this.all.filter((other) => other !== one)
    this.said.textContent = t("{name} is removed.", { name: one.name })
    this.#changed()
    const buttons = this.list.querySelectorAll("button")
    if (buttons.length) buttons[Math.min(index, buttons.length - 1)].focus()
    else this.act.emptied()
  }

  #changed() {
    this.keep()
    this.draw()
    this.act.changed()
  }

  draw() {
    this.list.hidden = !this.here.length
    this.list.replaceChildren(...this.here.map((one) => {
      const item = make("li")
      const name = make("span", "name", one.name)
      name.title = one.name
      item.append(icon("file"), name, iconButton(t("Remove {name}", { name: one.name }), "close", () => this.#remove(one)))
      return item
    }))
  }
}
