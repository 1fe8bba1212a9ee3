// One record beside the page: what is known of it, and what it changed, before and after. Only for reading.

import { make } from "./parts.js"

const Record = {
  render({ model }) {
    const title = make("h2", { id: "title" })
    const ask = () => model.send_msg({ action: "close" })
    const close = make("button", { class: "button quiet icon", type: "button", "aria-label": t("Close"), onclick: ask }, "✕")
    const body = make("div", { class: "body" })
    const dialog = make("dialog", { class: "drawer", "aria-labelledby": "title" }, make("header", {}, title, close), body)

    const fact = (each) => [make("dt", {}, each.label), make("dd", {}, each.text)]
    const change = (each) => make("section", { class: "change" }, make("h3", {}, each.name),
      make("del", { "aria-label": t("Before") }, each.before), make("ins", { "aria-label": t("After") }, each.after))
    const draw = () => {
      title.textContent = model.title
      body.replaceChildren(...model.changes.map(change), make("dl", { class: "facts" }, ...model.facts.flatMap(fact)))
    }
    const follow = () => {
      if (model.is_open && !dialog.open && dialog.isConnected) {
        dialog.showModal()
        close.focus()
      } else if (!model.is_open && dialog.open) dialog.close()
    }
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); ask() })
    model.on(["title", "facts", "changes"], draw)
    model.on("is_open", follow)
    model.on("after_render", follow)
    draw()
    return dialog
  },
}

export default { Record }
