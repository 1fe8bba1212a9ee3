// Tells of an answer that ended while nobody looked: a mark in the title of the page, and for one that took long a
// notification of the system, if the person has switched that on in this browser.

import { pathOf } from "./chat_temporary.js"

const KEY = "llm-ui-notices"
const LONG_MS = 10_000
const ABOUT = t("When it took more than 10 seconds and this page is not in view. Kept in this browser.")
const BLOCKED = t("This browser blocks notifications of this site. Allow them in its settings for the site first.")
const BODY = t("The answer has ended.")

const find = (id) => document.getElementById(id)

// What the workspace is called, as the page says it.
const workspace = () => document.querySelector(".sidebar .brand").textContent.trim()

export class Notices {
  // `open` shows a chat by its path.
  constructor({ open }) {
    this.open = open
    this.title = ""
    this.count = 0
    this.begun = null
    this.switch = find("notices")
    // Without a secure context there are none.
    find("notices-line").hidden = !("Notification" in window) || !isSecureContext
    this.switch.addEventListener("change", () => this.#choose(this.switch.checked))
    document.addEventListener("visibilitychange", () => this.#seen())
    navigator.serviceWorker?.addEventListener("message", ({ data }) => { if (data?.open) this.open(data.open) })
    this.#show()
  }

  retitle(title) {
    this.title = title
    this.#draw()
  }

  began(chat) {
    if (this.begun?.chat !== chat) this.begun = { chat, at: Date.now() }
  }

  // The open chat writes no more. Another chat may be open by now: then the answer goes on elsewhere.
  ended(chat) {
    const begun = this.begun
    this.begun = null
    if (!document.hidden || !begun || begun.chat !== chat) return
    this.count += 1
    this.#draw()
    if (this.#isOn() && Date.now() - begun.at > LONG_MS) this.#notify(chat)
  }

  #isOn() {
    return !find("notices-line").hidden && localStorage.getItem(KEY) === "on" && Notification.permission === "granted"
  }

  // The browser asks the person, once; what it has answered holds.
  async #choose(isWanted) {
    if (isWanted && Notification.permission === "default") await Notification.requestPermission()
    if (isWanted) localStorage.setItem(KEY, "on")
    else localStorage.removeItem(KEY)
    this.#show()
  }

  #show() {
    if (find("notices-line").hidden) return
    this.switch.checked = this.#isOn()
    find("notices-about").textContent = Notification.permission === "denied" ? BLOCKED : ABOUT
  }

  #seen() {
    if (document.hidden) return
    this.count = 0
    this.#draw()
  }

  #draw() {
    const name = this.title ? `${this.title} · ${workspace()}` : workspace()
    document.title = this.count ? `(${this.count}) ${name}` : name
  }

  // Two tabs with the same chat make one: the newer takes the place of the older with its tag.
  async #notify(chat) {
    const path = pathOf(chat)
    const options = { body: BODY, tag: path, icon: document.querySelector("link[rel=apple-touch-icon]").href, data: { path } }
    try {
      const notice = new Notification(this.title || workspace(), options)
      notice.addEventListener("click", () => {
        focus()
        this.open(path)
        notice.close()
      })
    } catch {
      // On phones only a service worker may; its click comes back as a message.
      const worker = await navigator.serviceWorker?.ready
      await worker?.showNotification(this.title || workspace(), options)
    }
  }
}
