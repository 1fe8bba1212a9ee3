// Usage pages: the filters, the tiles and what is behind a chart (llm_ui/admin/usage/parts.py).
// What is shown is in the page's address: reloading and going back show the same.

import { make } from "./parts.js"

const LIVE_MS = 5000
const LONG = 11

const values = () => new URLSearchParams(location.search)

function show(query) {
  history.pushState(null, "", location.pathname + (query ? `?${query}` : ""))
  dispatchEvent(new CustomEvent("llm-ui-usage"))
}

// ---- Filters -----------------------------------------------------------------------------------------------------
function change(name, value, usual) {
  const next = values()
  next.delete("offset")
  if (name === "range" && value === "custom") {
    // Until days are chosen: those of today.
    const today = new Date().toLocaleDateString("sv")
    for (const day of ["first", "last"]) if (!next.get(day)) next.set(day, today)
  }
  if (value && value !== usual) next.set(name, value)
  else next.delete(name)
  show(next.toString())
}

let fields = 0

function control(field) {
  if (field.type === "check") {
    const box = make("input", { type: "checkbox" })
    box.checked = field.value === "yes"
    box.addEventListener("change", () => change(field.name, box.checked ? "yes" : "no", field.usual))
    return make("label", { class: "check" }, box, make("span", {}, field.label))
  }
  const input = field.type === "day"
    ? make("input", { type: "date", value: field.value })
    : make("select", {}, ...field.options.map(([value, label]) => make("option", { value, selected: value === field.value }, label)))
  input.id = `field-${++fields}`
  input.dataset.name = field.name
  input.addEventListener("change", () => change(field.name, input.value, field.usual))
  return make("div", { class: "field" }, make("label", { for: input.id }, field.label), input)
}

const Filters = {
  render({ model }) {
    const bar = make("div", { class: "filters", role: "group", "aria-label": t("Filters") })
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC"
    const look = () => model.send_msg({ action: "look", value: location.search.slice(1), name: zone })
    const system = matchMedia("(prefers-color-scheme: dark)")
    const theme = () => {
      const chosen = document.documentElement.dataset.theme
      model.send_msg({ action: "theme", name: chosen ?? (system.matches ? "dark" : "light") })
    }
    const draw = () => {
      const name = bar.getRootNode().activeElement?.dataset?.name
      bar.replaceChildren(...model.fields.map(control))
      bar.hidden = !model.fields.length
      if (name) bar.querySelector(`[data-name="${CSS.escape(name)}"]`)?.focus()
    }
    const seen = new MutationObserver(theme)
    seen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] })
    const tick = () => {
      if (document.visibilityState === "visible" && model.is_current) model.send_msg({ action: "tick" })
    }
    const live = setInterval(tick, LIVE_MS)
    system.addEventListener("change", theme)
    addEventListener("popstate", look)
    addEventListener("llm-ui-usage", look)
    model.on("msg:custom", (message) => { if (message.open) location.assign(message.open); else show(message.go) })
    model.on("fields", draw)
    model.on("remove", () => {
      seen.disconnect()
      clearInterval(live)
      system.removeEventListener("change", theme)
      removeEventListener("popstate", look)
      removeEventListener("llm-ui-usage", look)
    })
    draw()
    theme()
    look()
    return bar
  },
}

// ---- Tiles -------------------------------------------------------------------------------------------------------
const Tiles = {
  render({ model }) {
    const list = make("ul", { class: "tiles", "aria-label": model.label })
    const value = ({ value, exact }) =>
      make("span", { class: value.length > LONG ? "value long" : "value", title: exact && exact !== value ? exact : "" }, value)
    const tile = (item) => make("li", { class: item.tone }, make("span", { class: "name" }, item.label), value(item),
      make("span", { class: "detail" }, item.detail))
    const draw = () => list.replaceChildren(...model.items.map(tile))
    model.on("items", draw)
    draw()
    return list
  },
}

// ---- What is behind a chart --------------------------------------------------------------------------------------
function cell(value) {
  if (typeof value === "string") return value
  if (value.href) return make("a", { href: value.href, "aria-label": value.label }, value.text)
  const follow = (event) => { event.preventDefault(); show(value.query) }
  return make("a", { href: `?${value.query}`, onclick: follow }, value.text)
}

function statement(model) {
  const text = make("pre", { tabindex: 0 })
  const close = make("button", { class: "button quiet icon", type: "button", "aria-label": t("Close"), onclick: () => dialog.close() }, "✕")
  const dialog = make("dialog", { class: "sql", "aria-label": "SQL" },
    make("header", {}, make("h2", {}, "SQL"), close), text)
  const open = () => { text.textContent = model.sql; dialog.showModal() }
  const button = make("button", { class: "button quiet small", type: "button", onclick: open, "aria-label": t("SQL of {name}", { name: model.caption }) }, "SQL")
  const follow = () => { button.hidden = !model.sql }
  model.on("sql", follow)
  follow()
  return [button, dialog]
}

const Behind = {
  render({ model }) {
    const scroll = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": model.caption })
    const file = make("a", { class: "file", download: true, "aria-label": t("{name} as CSV", { name: model.caption }) }, "CSV")
    const draw = () => {
      file.href = model.file
      const head = make("tr", {}, ...model.columns.map((label) => make("th", { scope: "col" }, label)))
      const line = (row) => make("tr", {}, ...row.map((value, index) => make(index ? "td" : "th", { scope: index ? null : "row" }, cell(value))))
      scroll.replaceChildren(make("table", {}, make("caption", { class: "visually-hidden" }, model.caption),
        make("thead", {}, head), make("tbody", {}, ...model.rows.map(line))))
    }
    model.on(["columns", "rows", "file"], draw)
    draw()
    const table = make("details", {}, make("summary", {}, t("As a table")), scroll)
    return make("div", { class: "behind" }, file, ...statement(model), table)
  },
}

export default { Filters, Tiles, Behind }
