// Files on their way into a project: two at a time, each with what became of it. They go on while their person is
// elsewhere in the chat.

import { icon, iconButton, make, textButton } from "./dom.js"
import { upload } from "./upload.js"

const AT_ONCE = 2
const STATES = { waiting: t("Waits for its turn"), sending: t("On its way"), cancelled: t("Cancelled") }

function outcome({ is_new: isNew, version, name }, typed) {
  if (!isNew) return name === typed ? t("Already there") : t("Already there as {name}", { name })
  return version > 1 ? t("Replaced: this is version {version}", { version }) : t("Added")
}

export class Uploads {
  // `act` has arrived(project, document) and bytes(): what a file may have.
  constructor(node, act) {
    this.node = node
    this.act = act
    this.project = null
    this.items = []
    this.sending = 0
    this.said = make("p", "said")
    this.said.setAttribute("role", "status")
    this.hide = textButton(t("Hide"), "bar-button", () => this.#forgetEnded())
    const head = make("div", "uploads-head")
    head.append(this.said, this.hide)
    this.list = make("ul")
    this.list.setAttribute("aria-label", t("Uploads"))
    node.append(head, this.list)
    addEventListener("beforeunload", (event) => { if (this.items.some((item) => this.#isOpen(item))) event.preventDefault() })
  }

  // Show what goes into this project.
  show(project) {
    this.project = project
    this.list.replaceChildren(...this.#here().map((item) => item.node))
    this.#tell()
  }

  add(files) {
    if (!this.#here().some((item) => this.#isOpen(item))) this.#forgetEnded()
    for (const source of files) {
      const item = { source, name: source.name, project: this.project, state: "waiting" }
      if (source.size === 0) this.#refuse(item, t("{name} is empty. Pick another file.", { name: item.name }))
      else if (source.size > this.act.bytes()) this.#refuse(item, t("{name} is larger than {size} MB, which is the most. Make it smaller or split it.", { name: item.name, size: Math.round(this.act.bytes() / 1_000_000) }))
      this.items.push(item)
      this.#build(item)
      this.list.append(item.node)
    }
    this.#tell()
    this.#next()
  }

  #here() {
    return this.items.filter((item) => item.project === this.project)
  }

  #isOpen(item) {
    return item.state === "waiting" || item.state === "sending"
  }

  #next() {
    for (const item of this.items) {
      if (this.sending >= AT_ONCE) return
      if (item.state === "waiting") this.#send(item)
    }
  }

  #send(item) {
    this.sending += 1
    item.state = "sending"
    item.request = upload(`/p/${item.project}/documents`, item.source, item.name, {
      progressed: (share) => {
        item.share = share
        this.#showProgress(item)
      },
      ended: (request) => {
        this.sending -= 1
        item.request = null
        if (item.state === "sending") this.#ended(item, request)
        this.#next()
      },
    })
    this.#draw(item)
  }

  #ended(item, { status, response }) {
    if (status === 201) {
      item.state = "done"
      item.outcome = outcome(response, item.name)
      item.isPlain = response.is_new && response.version === 1
      item.source = null
      this.act.arrived(item.project, response.id)
    } else this.#refuse(item, response?.error?.message ?? t("{name} could not be uploaded: the server does not answer.", { name: item.name }), { isLost: !response })
    this.#draw(item)
    this.#tell()
  }

  #refuse(item, sentence, { isLost = false } = {}) {
    Object.assign(item, { state: "refused", outcome: sentence, isLost })
  }

  #cancel(item) {
    item.state = "cancelled"
    item.request?.abort()
    this.#draw(item)
    this.#tell()
    this.#next()
  }

  #again(item) {
    item.state = "waiting"
    this.#draw(item)
    this.#tell()
    this.#next()
  }

  #forgetEnded() {
    this.items = this.items.filter((item) => item.project !== this.project || this.#isOpen(item))
    this.show(this.project)
  }

  #build(item) {
    item.node = make("li")
    this.#draw(item)
  }

  #draw(item) {
    const isOpen = this.#isOpen(item)
    const about = make("span", "about")
    const state = make("span", "state", item.outcome && !isOpen && item.state !== "cancelled" ? item.outcome : STATES[item.state])
    about.append(make("span", "name", item.name), state)
    item.bar = null
    item.node.className = item.state
    item.node.replaceChildren(icon("file"), about)
    if (item.state === "sending") {
      item.bar = make("progress")
      item.bar.setAttribute("aria-label", t("Uploading {name}", { name: item.name }))
      item.node.append(item.bar)
      this.#showProgress(item)
    }
    if (item.isLost && item.state === "refused") {
      const again = textButton(t("Try again"), "bar-button", () => this.#again(item))
      again.setAttribute("aria-label", t("Try {name} again", { name: item.name }))
      item.node.append(again)
    }
    if (isOpen) item.node.append(iconButton(t("Cancel {name}", { name: item.name }), "close", () => this.#cancel(item)))
  }

  #showProgress(item) {
    // All is sent, and the server puts it away: how long that takes nobody knows.
    if (item.bar && item.share < 1) item.bar.value = item.share
    else item.bar?.removeAttribute("value")
  }

  #tell() {
    const here = this.#here()
    const count = (state) => here.filter((item) => item.state === state).length
    const open = here.filter((item) => this.#isOpen(item)).length
    this.node.hidden = !here.length
    this.hide.hidden = open === here.length
    if (open) {
      this.said.textContent = t("Uploading: {done} of {all}", { done: here.length - open, all: here.length })
      return
    }
    // What was simply added stands in the list of documents below.
    this.list.replaceChildren(...here.filter((item) => !item.isPlain).map((item) => item.node))
    const parts = [tn("{n} file uploaded", "{n} files uploaded", count("done"))]
    if (count("refused")) parts.push(tn("{n} not taken", "{n} not taken", count("refused")))
    if (count("cancelled")) parts.push(tn("{n} cancelled", "{n} cancelled", count("cancelled")))
    this.said.textContent = parts.join(" · ")
  }
}
