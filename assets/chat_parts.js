// An answer edited in parts: each is shown as it reads until it is pressed, then as it was written.

import { iconButton, make, standIn, textButton } from "./dom.js"

// `nodes` are the parts as they are shown, `texts` as they were written; `taken` gets the whole text.
export function partsEditor(nodes, texts, taken) {
  const form = make("form", "editor parts")
  form.setAttribute("aria-label", t("Edit answer in parts"))
  const save = make("button", "primary", t("Save"))
  const boxes = new Map()
  const changed = () => {
    const whole = texts.map((text, index) => (boxes.has(index) ? written(boxes.get(index).value, text) : text)).join("").trimEnd()
    save.disabled = !whole.trim() || whole === texts.join("").trimEnd()
    return whole
  }
  const open = (index, place) => {
    const box = make("textarea")
    box.value = texts[index].trimEnd()
    box.setAttribute("aria-label", t("Part {number}", { number: index + 1 }))
    const fit = () => {
      box.style.height = "auto"
      box.style.height = `${box.scrollHeight + 2}px`
    }
    box.addEventListener("input", () => {
      fit()
      changed()
    })
    boxes.set(index, box)
    place.replaceWith(box)
    fit()
    box.focus()
  }
  nodes.forEach((node, index) => {
    const place = make("div", "part")
    const shown = make("div", "body")
    shown.inert = true
    shown.append(node.cloneNode(true))
    place.append(shown, iconButton(t("Edit part {number}", { number: index + 1 }), "edit", () => open(index, place)))
    place.addEventListener("click", () => { if (place.isConnected) open(index, place) })
    form.append(place)
  })
  form.append(make("p", "about", t("Press a part to edit it; an emptied one goes.")), save, textButton(t("Cancel"), "quiet", () => form.end()))
  form.addEventListener("submit", (event) => {
    event.preventDefault()
    const whole = changed()
    if (save.disabled) return
    form.end()
    taken(whole)
  })
  return standIn(form, () => {
    changed()
    form.querySelector(".part button").focus({ preventScroll: true })
  })
}

// The part in new words, as far from the next one as it was.
function written(value, before) {
  return value.trim() ? value.trimEnd() + before.slice(before.trimEnd().length) : ""
}
