// Small things that all scripts of the chat use to make nodes.

const ICONS = {
  copy: "M9 9h9v11H9zM6 15H5V4h9v2",
  again: "M4 12a8 8 0 1 1 2.3 5.6M4 12V7m0 5h5",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  up: "M7 11v9H4v-9zM7 11l4-7c1.5 0 2 1 2 2.200L12.500 10H18c1.300 0 2 1 1.700 2.200l-1.500 6c-.3 1.100-1 1.800-2.200 1.800H7",
  down: "M7 13V4H4v9zM7 13l4 7c1.500 0 2-1 2-2.200L12.500 14H18c1.300 0 2-1 1.700-2.200l-1.500-6C17.900 4.700 17.200 4 16 4H7",
  eye: "M2 12s3.600-6.500 10-6.500S22 12 22 12s-3.600 6.500-10 6.500S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  open: "M7 10l5 5 5-5",
  upward: "M12 19V5M6 11l6-6 6 6",
  before: "M14 6l-6 6 6 6",
  after: "M10 6l6 6-6 6",
  plus: "M12 5v14M5 12h14",
  folder: "M3 7a2 2 0 0 1 2-2h4l2 2h8a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z",
  list: "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
  close: "M6 6l12 12M18 6L6 18",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
  file: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
}

const made = new Map()

// Made once and copied: a long chat shows hundreds.
export function icon(name) {
  if (!made.has(name)) made.set(name, drawIcon(name))
  return made.get(name).cloneNode(true)
}

const drawIcon = (name) => pathIcon(ICONS[name])

export function pathIcon(d) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("viewBox", "0 0 24 24")
  svg.setAttribute("aria-hidden", "true")
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path")
  path.setAttribute("d", d)
  svg.append(path)
  return svg
}

export function make(tag, className = "", text = "") {
  const node = document.createElement(tag)
  if (className) node.className = className
  if (text) node.textContent = text
  return node
}

export function textButton(label, className, act) {
  const button = make("button", className, label)
  button.type = "button"
  button.addEventListener("click", act)
  return button
}

export function iconButton(label, iconName, act) {
  const button = textButton("", "action", () => act(button))
  button.title = label
  button.setAttribute("aria-label", label)
  button.append(icon(iconName))
  return button
}

// A menu behind an icon. Its entries are made when it is opened; shell.js closes it.
export function iconMenu(label, iconName, fill) {
  const menu = make("details", "menu")
  const summary = make("summary", "action")
  summary.setAttribute("role", "button")
  summary.setAttribute("aria-label", label)
  summary.title = label
  summary.append(icon(iconName))
  const items = make("div", "items")
  menu.append(summary, items)
  menu.addEventListener("toggle", () => {
    if (!menu.open) return
    items.replaceChildren(...fill(menu))
    // Opens to where there is room: the composer must not hide it.
    const room = document.querySelector(".composer-column").getBoundingClientRect().top - summary.getBoundingClientRect().bottom
    menu.classList.toggle("above", room < items.offsetHeight + 8)
  })
  return menu
}

// An entry of a menu: closes it and acts.
export function menuEntry(menu, label, act) {
  return textButton(label, "", () => {
    menu.open = false
    act()
  })
}

export async function copyText(text, button) {
  try {
    await navigator.clipboard.writeText(text)
  } catch {
    // Without a secure context there is no clipboard object; the old way still works.
    const area = Object.assign(make("textarea", "visually-hidden"), { value: text })
    // In the dialog that is open, if one is: nothing behind it can be selected.
    const place = document.querySelector("dialog[open]") ?? document.body
    place.append(area)
    area.select()
    document.execCommand("copy")
    area.remove()
  }
  button.classList.add("done")
  button.setAttribute("aria-label", t("Copied"))
  setTimeout(() => {
    button.classList.remove("done")
    button.setAttribute("aria-label", button.title)
  }, 1500)
}

// Let a form stand in the place of a node: form.open(node) puts it there and calls `opened`, form.end() puts the node
// back. Escape gives it up, Ctrl+Enter takes it.
export function standIn(form, opened) {
  form.end = () => {
    form.replaceWith(form.instead)
    form.instead = null
  }
  form.open = (node) => {
    form.instead = node
    node.replaceWith(form)
    opened()
  }
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation()
      form.end()
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit()
  })
  return form
}
