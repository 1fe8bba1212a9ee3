// A panel on which a model is tried out (llm_ui/ui/parts.py): what is typed stays in this browser, the answer is told piece
// by piece. Each piece says where it belongs and its end tells all of it, so that none is lost or shown twice.

import { make } from "./parts.js"

// Kept beside the panel: after a lost connection it is drawn anew, and nothing that was typed or answered is gone.
const kept = { values: {}, key: "", text: "", isThinking: false, end: null }

const FIELDS = [
  ["prompt", t("What it is asked"), "textarea", 4],
  ["system", t("What it is told beforehand"), "textarea", 2],
  ["temperature", t("Temperature"), "input"],
  ["max_tokens", t("Longest answer in tokens"), "input"],
]
const OF_VECTORS = ["prompt"]

const Trial = {
  render({ model }) {
    const title = make("h2", { id: "trial-title" })
    const ask = () => model.send_msg({ action: "close" })
    const close = make("button", { class: "button quiet icon", type: "button", "aria-label": t("Close"), onclick: ask }, "✕")
    const sentence = make("p", { class: "line plain" })
    const controls = new Map()
    const rows = FIELDS.map(([name, label, tag, lines]) => {
      const control = make(tag, { id: name, ...(lines ? { rows: lines } : { type: "text", inputmode: "decimal", autocomplete: "off" }) })
      control.value = kept.values[name] ?? ""
      control.addEventListener("input", () => { kept.values[name] = control.value })
      controls.set(name, control)
      return make("div", { class: `row ${name}` }, make("label", { for: name }, label), control)
    })
    const send = make("button", { class: "button", type: "submit" }, t("Send"))
    const stop = make("button", { class: "button quiet", type: "button", onclick: () => model.send_msg({ action: "stop" }) }, t("Stop"))
    const form = make("form", { class: "trial", novalidate: true }, sentence, ...rows, make("div", { class: "buttons" }, send, stop))
    const status = make("p", { class: "hint", role: "status" })
    const answer = make("div", { class: "tried", tabindex: 0, role: "region", "aria-label": t("Answer") })
    const problem = make("p", { class: "line error", role: "alert" })
    const figures = make("dl", { class: "facts" })
    const body = make("div", { class: "body" }, form, status, problem, answer, figures)
    const dialog = make("dialog", { class: "drawer", "aria-labelledby": "trial-title" }, make("header", {}, title, close), body)

    const draw = () => {
      const isBusy = Boolean(kept.key) && !kept.end
      send.disabled = isBusy
      stop.hidden = !isBusy
      const waits = kept.isThinking ? t("The model is thinking …") : t("Waiting for the first token …")
      const state = isBusy && !kept.text ? waits : kept.end?.remark ?? ""
      if (status.textContent !== state) status.textContent = state
      answer.hidden = !kept.text
      const wasAtEnd = answer.scrollHeight - answer.scrollTop - answer.clientHeight < 24
      answer.textContent = kept.text
      if (wasAtEnd) answer.scrollTop = answer.scrollHeight
      problem.textContent = kept.end?.problem ?? ""
      problem.hidden = !problem.textContent
      figures.replaceChildren(...(kept.end?.figures ?? []).flatMap(({ label, text }) => [make("dt", {}, label), make("dd", {}, text)]))
    }
    const show = () => {
      title.textContent = model.shown.title
      sentence.textContent = model.shown.sentence
      for (const [name, control] of controls) control.parentNode.hidden = model.shown.makes_embeddings && !OF_VECTORS.includes(name)
    }
    const begin = (key) => {
      Object.assign(kept, { key, text: "", isThinking: false, end: null })
      draw()
    }
    const take = ({ key, at, text, is_thinking: isThinking, end }) => {
      if (key !== kept.key || kept.end) return
      Object.assign(kept, { text: kept.text.slice(0, at) + text, isThinking, end })
      draw()
    }
    const follow = () => {
      if (model.is_open && !dialog.open && dialog.isConnected) {
        dialog.showModal()
        controls.get("prompt").focus()
      } else if (!model.is_open && dialog.open) {
        dialog.close()
        begin("")
      }
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      if (send.disabled) return
      const key = `try-${Date.now()}-${Math.random().toString(36).slice(2, 10)}`
      begin(key)
      const given = [...controls].map(([name, control]) => [name, control.parentNode.hidden ? "" : control.value])
      model.send_msg({ action: "send", item: key, values: Object.fromEntries(given) })
    })
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); ask() })
    model.on("msg:custom", take)
    model.on("shown", show)
    model.on("is_open", follow)
    model.on("after_render", follow)
    show()
    draw()
    model.send_msg({ action: "again" })
    return dialog
  },
}

export default { Trial }
