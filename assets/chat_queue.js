// Messages that wait for the answer that is being written. Kept for each chat in localStorage, each with the key of its
// submission: two tabs that send the same one ask once.

import { storageOf } from "./chat_temporary.js"
import { iconButton, make, textButton } from "./dom.js"

const MAX_AGE_MS = 12 * 3_600_000
const WAITING = t("Sent one after the other, each when the answer before it has ended.")
const STEERING = t("The answer ends after this paragraph, then the first one is sent.")
const HELD = t("These were not sent. Send them when you like, or take them back.")

export function newKey() {
  // Without a secure context there is no randomUUID.
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
}

export class Queue {
  // `act` has sendNow(item), takeBack(item).
  constructor(node, act) {
    this.node = node
    this.act = act
    this.place = null
    this.items = []
    this.key = null
    this.list = make("ol")
    this.about = make("p", "about")
    this.about.setAttribute("aria-live", "polite")
    node.append(this.list, this.about)
    addEventListener("storage", (event) => { if (event.key === this.#name(this.place)) this.open(this.place) })
  }

  // Show what waits in a chat.
  open(place) {
    this.place = place
    this.items = this.#read(place)
    this.draw()
  }

  // A new chat got its name: what waits goes with it.
  moveTo(place) {
    this.#store(this.place, [])
    this.place = place
    this.#changed()
  }

  add(text, files, { isSteering = false, picked = [] } = {}) {
    const item = { key: newKey(), text, files, picked, isSteering, isHeld: false, at: Date.now() }
    this.items.push(item)
    this.#changed()
    return item
  }

  // What is sent next by itself, if anything is.
  next() {
    const [first] = this.items
    return first && !first.isHeld && Date.now() - first.at < MAX_AGE_MS ? first : null
  }

  get isSteering() {
    return Boolean(this.items[0]?.isSteering && !this.items[0].isHeld)
  }

  // Nothing more goes by itself: the answer failed, was stopped, or a message was refused.
  hold() {
    for (const item of this.items) item.isHeld = true
    this.#changed()
  }

  release(item) {
    item.isHeld = false
    item.at = Date.now()
    this.items = [item, ...this.items.filter((one) => one !== item)]
    this.#changed()
  }

  // This one is on its way and not shown meanwhile.
  sending(key) {
    this.key = key
    this.draw()
  }

  remove(key, place = this.place) {
    const isHere = place === this.place
    const left = (isHere ? this.items : this.#read(place)).filter((one) => one.key !== key)
    if (isHere) this.items = left
    this.#store(place, left)
    this.draw()
  }

  takeBackLast() {
    const last = this.items.at(-1)
    if (last) this.#takeBack(last)
    return Boolean(last)
  }

  draw() {
    const shown = this.items.filter((item) => item.key !== this.key)
    this.node.hidden = !shown.length
    this.list.replaceChildren(...shown.map((item) => this.#row(item, this.items.indexOf(item))))
    const about = this.items.some((item) => item.isHeld) ? HELD : this.isSteering ? STEERING : WAITING
    if (this.about.textContent !== about) this.about.textContent = about
  }

  #row(item, index) {
    const row = make("li")
    const names = (item.files ?? []).map((file) => file.name).join(", ")
    const text = make("span", "text", names ? `${names}${item.text ? ` · ${item.text}` : ""}` : item.text)
    text.title = text.textContent
    const up = iconButton(t("Move up"), "upward", () => this.#moveUp(index))
    up.disabled = index === 0
    row.append(
      text,
      textButton(t("Send now"), "bar-button", () => this.act.sendNow(item)),
      up,
      iconButton(t("Edit queued message"), "edit", () => this.#takeBack(item)),
      iconButton(t("Remove from queue"), "trash", () => this.#remove(item, index)),
    )
    return row
  }

  #moveUp(index) {
    const [item] = this.items.splice(index, 1)
    this.items.splice(index - 1, 0, item)
    this.#changed()
    this.list.children[index - 1].querySelector("button[aria-label='Move up']:enabled")?.focus()
  }

  #takeBack(item) {
    this.remove(item.key)
    this.act.takeBack(item)
  }

  #remove(item, index) {
    this.remove(item.key)
    const { place } = this
    const undo = () => {
      const items = place === this.place ? this.items : this.#read(place)
      items.splice(index, 0, item)
      this.#store(place, items)
      this.draw()
    }
    window.llmUi.toast(t("The message is not sent."), { action: t("Undo"), onAction: undo })
  }

  #changed() {
    this.#store()
    this.draw()
  }

  #name(place) {
    return `llm-ui-queue ${place ?? "new"}`
  }

  #read(place) {
    try {
      return JSON.parse(storageOf(place, localStorage).getItem(this.#name(place))) ?? []
    } catch {
      return []
    }
  }

  #store(place = this.place, items = this.items) {
    try {
      const storage = storageOf(place, localStorage)
      if (items.length) storage.setItem(this.#name(place), JSON.stringify(items))
      else storage.removeItem(this.#name(place))
    } catch {
      // The browser's store is full or switched off: the messages stay in this page.
    }
  }
}
