// Files that are attached to what is being written: picked, dropped or pasted, uploaded at once, kept with the draft.

import { addressOf, sizeOf } from "./chat_files.js"
import { icon, iconButton, make } from "./dom.js"
import { upload } from "./upload.js"

const AT_ONCE = 2
const DRAFT = "llm-ui-draft-files"

function read(place) {
  try {
    return JSON.parse(localStorage.getItem(`${DRAFT} ${place}`)) ?? []
  } catch {
    return []
  }
}

function write(place, files) {
  try {
    if (files.length) localStorage.setItem(`${DRAFT} ${place}`, JSON.stringify(files))
    else localStorage.removeItem(`${DRAFT} ${place}`)
  } catch {
    // The browser's store is full or switched off: the files stay on this page.
  }
}

// What the server knows of a file, without what only this page has.
function plain({ id, name, size, is_image, width, height }) {
  return { id, name, size, is_image, width, height }
}

// The browser may let go of a picture that it was shown before the server had it.
function forget(file) {
  if (file.url) URL.revokeObjectURL(file.url)
}

export class Attachments {
  // `act` has changed(), refuse(sentence) and limits(); `isKept` says whether files outlive a reload with their draft.
  constructor(node, act, { isKept = false } = {}) {
    this.node = node
    this.act = act
    this.isKept = isKept
    this.place = null
    this.files = []
    this.waiting = []
    this.uploading = 0
    this.input = Object.assign(make("input"), { type: "file", multiple: true, hidden: true })
    this.input.addEventListener("change", () => {
      this.add([...this.input.files])
      this.input.value = ""
    })
    this.list = make("ul", "attached")
    this.list.setAttribute("aria-label", t("Attached files"))
    this.said = make("p", "visually-hidden")
    this.said.setAttribute("role", "status")
    node.append(this.list, this.said, this.input)
    this.#draw()
  }

  // A button that asks the computer for files.
  button() {
    const made = iconButton(t("Attach files"), "plus", () => this.input.click())
    made.classList.add("attach-button")
    return made
  }

  // Files that are pasted or dropped on a node are attached.
  listen(node) {
    node.addEventListener("paste", (event) => {
      const { files, types } = event.clipboardData
      // What comes from an office program is text and a picture of it: the text is meant.
      if (!files.length || types.includes("text/plain")) return
      event.preventDefault()
      this.add([...files])
    })
  }

  get isEmpty() {
    return !this.files.length
  }

  get isUploading() {
    return this.files.some((file) => !file.id && !file.problem)
  }

  // A file that could not be uploaded is in the way until it is removed.
  get problem() {
    return this.files.find((file) => file.problem)?.problem ?? ""
  }

  get hasImages() {
    return this.files.some((file) => file.is_image)
  }

  get ids() {
    return this.files.filter((file) => file.id).map((file) => file.id)
  }

  // Show what is attached to the draft of a chat.
  open(place, { isEmpty = false } = {}) {
    this.place = place
    this.show(isEmpty ? [] : read(place))
  }

  // The new chat got its name.
  moveTo(place) {
    write(this.place, [])
    for (const file of this.files) file.place = place
    this.place = place
    this.keep()
  }

  show(files) {
    this.files = files.map((file) => ({ ...file }))
    this.#draw()
  }

  // Give the files away, to be sent.
  take() {
    const files = this.files.filter((file) => file.id).map(plain)
    this.files.forEach(forget)
    this.files = []
    this.#changed()
    return files
  }

  // Files that were given away come back.
  putBack(files) {
    const known = new Set(this.files.map((file) => file.id))
    this.files = [...files.filter((file) => !known.has(file.id)), ...this.files]
    this.#changed()
  }

  // Files of a draft that was stored for a chat, or is over.
  static store(place, files) {
    write(place, files.map(plain))
  }

  add(picked) {
    const { files, bytes, refusal } = this.act.limits()
    if (refusal) {
      this.act.refuse(refusal)
      return
    }
    const room = files - this.files.length
    const whole = picked.filter((file) => file.size > 0 && file.size <= bytes)
    const large = picked.find((file) => file.size > bytes)
    const empty = picked.find((file) => file.size === 0)
    if (large) this.act.refuse(t("{name} is larger than {size} MB, which is the most. Make it smaller or split it.", { name: large.name, size: Math.round(bytes / 1_000_000) }))
    else if (empty) this.act.refuse(t("{name} is empty. Pick another file.", { name: empty.name }))
    else if (whole.length > room) this.act.refuse(t("{files} files are the most for one message. Send the rest in the next one.", { files }))
    else this.act.refuse("")
    for (const source of whole.slice(0, Math.max(0, room))) {
      const is_image = /^image\/(png|jpeg|gif|webp)$/.test(source.type)
      const file = { name: source.name || t("Pasted file"), size: source.size, is_image, progress: 0, place: this.place, source }
      if (is_image) file.url = URL.createObjectURL(source)
      this.files.push(file)
      this.waiting.push(file)
    }
    this.#changed()
    this.#next()
  }

  #next() {
    while (this.uploading < AT_ONCE && this.waiting.length) this.#upload(this.waiting.shift())
  }

  #upload(file) {
    this.uploading += 1
    file.request = upload("/files", file.source, file.name, {
      progressed: (share) => {
        file.progress = share
        this.#showProgress(file)
      },
      ended: (request) => {
        this.uploading -= 1
        file.request = null
        if (!file.isRemoved) this.#uploaded(file, request)
        this.#next()
      },
    })
  }

  #uploaded(file, { status, response }) {
    if (status === 201) {
      Object.assign(file, response)
      this.said.textContent = t("{name} is attached.", { name: file.name })
    } else {
      file.problem = response?.error?.message ?? t("{name} could not be uploaded: the server does not answer. Remove it and try again.", { name: file.name })
      this.act.refuse(file.problem)
    }
    if (this.files.includes(file)) this.#changed()
    // The person is in another chat by now: it waits in its own draft.
    else if (file.id && this.isKept) write(file.place, [...read(file.place), plain(file)])
  }

  remove(file) {
    const index = this.files.indexOf(file)
    file.isRemoved = true
    this.waiting = this.waiting.filter((one) => one !== file)
    this.files = this.files.filter((one) => one !== file)
    file.request?.abort()
    forget(file)
    if (file.problem) this.act.refuse(this.problem)
    this.said.textContent = t("{name} is removed.", { name: file.name })
    this.#changed()
    const buttons = this.list.querySelectorAll("button")
    const next = buttons[Math.min(index, buttons.length - 1)]
    if (next) next.focus()
    else this.act.emptied?.()
  }

  #changed() {
    this.keep()
    this.#draw()
    this.act.changed()
  }

  // Have the draft hold what is shown.
  keep() {
    if (this.isKept) write(this.place, this.files.filter((file) => file.id).map(plain))
  }

  #draw() {
    this.list.hidden = this.isEmpty
    this.list.replaceChildren(...this.files.map((file) => this.#chip(file)))
  }

  #chip(file) {
    const item = make("li", file.problem ? "failed" : "")
    const picture = file.is_image ? Object.assign(make("img"), { src: addressOf(file), alt: "", width: 36, height: 36 }) : icon("file")
    if (file.is_image) picture.addEventListener("error", () => this.#lost(file), { once: true })
    const about = make("span", "about")
    about.append(make("span", "name", file.name), make("span", "size", file.problem ? t("Not attached") : sizeOf(file.size)))
    about.title = file.problem || file.name
    item.append(picture, about)
    if (!file.id && !file.problem) {
      file.bar = make("progress")
      file.bar.setAttribute("aria-label", t("Uploading {name}", { name: file.name }))
      item.append(file.bar)
      this.#showProgress(file)
    }
    item.append(iconButton(t("Remove {name}", { name: file.name }), "close", () => this.remove(file)))
    return item
  }

  // A draft of last week: its file was not sent and is gone.
  #lost(file) {
    if (!file.id || file.problem) return
    file.problem = t("{name} is not on the server any more. Remove it and attach it again.", { name: file.name })
    this.#changed()
  }

  #showProgress(file) {
    // All is sent, and the server looks at it: how long that takes nobody knows.
    if (file.bar && file.progress < 1) file.bar.value = file.progress
    else file.bar?.removeAttribute("value")
  }
}

// The whole chat takes what is dropped on it, and shows what becomes of it: `offer()` has the text and take(files).
export function offerDrops(chat, offer) {
  const target = make("div", "drop-target")
  const text = make("p")
  target.hidden = true
  target.append(text)
  chat.append(target)
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files")
  chat.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return
    text.textContent = offer().text
    target.hidden = false
  })
  chat.addEventListener("dragover", (event) => {
    if (!hasFiles(event)) return
    event.preventDefault()
    event.dataTransfer.dropEffect = "copy"
  })
  // Beside the chat nothing takes them; left alone, the browser would open them in the page's place.
  for (const type of ["dragover", "drop"]) document.addEventListener(type, (event) => { if (hasFiles(event)) event.preventDefault() })
  target.addEventListener("dragleave", () => { target.hidden = true })
  chat.addEventListener("drop", (event) => {
    target.hidden = true
    if (!hasFiles(event)) return
    event.preventDefault()
    offer().take([...event.dataTransfer.files])
  })
}
