// What dialogs are made of.

import { make, textButton } from "./dom.js"

// A dialog with a heading; a click beside it closes it.
export function dialogNamed(name, className) {
  const dialog = make("dialog", `shortcuts ${className}`)
  const title = make("h2", "", name)
  title.id = `${className.split(" ")[0]}-title`
  dialog.setAttribute("aria-labelledby", title.id)
  const body = make("div")
  dialog.append(title, body)
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close() })
  document.body.append(dialog)
  return { dialog, title, body }
}

export function field(label, node) {
  const line = make("label", "", label)
  line.append(node)
  return line
}

// Ask whether something is to be deleted, or what else the verb says.
export function confirmed({ dialog, body }, sentence, act, verb = t("Delete")) {
  const buttons = make("div", "buttons")
  const remove = textButton(verb, "primary danger", () => {
    dialog.close()
    act()
  })
  const keep = textButton(t("Cancel"), "more", () => dialog.close())
  buttons.append(remove, keep)
  body.replaceChildren(make("p", "", sentence), buttons)
  dialog.showModal()
  keep.focus()
}
