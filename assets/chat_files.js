// Attached files: below the question they came with, and an image in full.

import { icon, make, textButton } from "./dom.js"

const THUMB_PX = 220

export function sizeOf(bytes) {
  if (bytes < 1000) return t("{bytes} bytes", { bytes })
  return bytes < 1_000_000 ? t("{size} KB", { size: Math.round(bytes / 1000) }) : t("{size} MB", { size: (bytes / 1_000_000).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 }) })
}

export function addressOf(file) {
  return file.url ?? `/files/${file.id}`
}

// The files of a question; null when it has none.
export function filesNode(files) {
  if (!files?.length) return null
  const list = make("ul", "files")
  list.setAttribute("aria-label", tn("{n} file", "{n} files", files.length, { n: files.length }))
  for (const file of files) {
    const item = make("li")
    item.append(file.is_image ? thumbnail(file) : chip(file))
    list.append(item)
  }
  return list
}

function thumbnail(file) {
  const image = Object.assign(make("img"), { src: addressOf(file), alt: file.name, loading: "lazy", decoding: "async" })
  // Its place is kept before it is there: nothing below it jumps.
  const scale = Math.min(1, THUMB_PX / Math.max(file.width, file.height))
  image.width = Math.max(24, Math.round(file.width * scale))
  image.height = Math.max(24, Math.round(file.height * scale))
  image.addEventListener("error", () => image.replaceWith(make("span", "lost", t("{name} is not there any more", { name: file.name }))), { once: true })
  const button = textButton("", "thumbnail", () => viewer().show(file))
  button.title = `${file.name}, ${sizeOf(file.size)}`
  button.append(image)
  return button
}

function chip(file) {
  const link = Object.assign(make("a", "file-chip"), { href: addressOf(file), download: file.name })
  link.append(icon("file"), make("span", "name", file.name), make("span", "size", sizeOf(file.size)))
  link.title = t("Save {name}", { name: file.name })
  return link
}

let shown = null

function viewer() {
  shown ??= new Viewer()
  return shown
}

class Viewer {
  constructor() {
    this.dialog = make("dialog", "viewer")
    this.dialog.setAttribute("aria-labelledby", "viewer-name")
    const head = make("header")
    this.name = make("h2")
    this.name.id = "viewer-name"
    this.about = make("span", "muted")
    this.save = make("a", "more", t("Save"))
    const close = textButton("✕", "close", () => this.dialog.close())
    close.setAttribute("aria-label", t("Close"))
    head.append(this.name, this.about, this.save, close)
    this.place = make("div", "viewer-place")
    this.dialog.append(head, this.place)
    this.dialog.addEventListener("click", (event) => { if (event.target === this.dialog || event.target === this.place) this.dialog.close() })
    this.dialog.addEventListener("close", () => this.place.replaceChildren())
    document.body.append(this.dialog)
  }

  show(file) {
    this.name.textContent = file.name
    this.about.textContent = `${file.width.toLocaleString(document.documentElement.lang)} × ${file.height.toLocaleString(document.documentElement.lang)}, ${sizeOf(file.size)}`
    Object.assign(this.save, { href: addressOf(file), download: file.name })
    const image = Object.assign(make("img"), { src: addressOf(file), alt: file.name })
    image.width = file.width
    image.height = file.height
    this.place.replaceChildren(image)
    this.dialog.showModal()
  }
}
