// A list of the administration: search, filters, sorting, pages and files (llm_ui/ui/parts.py, `List`).
// What is shown is in the page's address: reloading and going back show the same. Python is told the address and
// answers with the rows.

import { cellContent, focusedAction, make, presser } from "./parts.js"

const TYPING_MS = 250

const numbered = (value) => value.toLocaleString(document.documentElement.lang)
const values = () => new URLSearchParams(location.search)

// Change the address; what is empty is left out of it. Whatever but the page changes, the first page is shown.
function change(changes, { isSameStep = false } = {}) {
  const next = values()
  if (!("page" in changes)) next.delete("page")
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value)
    else next.delete(name)
  }
  const query = next.toString()
  const address = location.pathname + (query ? `?${query}` : "")
  if (isSameStep) history.replaceState(null, "", address)
  else history.pushState(null, "", address)
}

// ---- Above the table: search, filters, the order on a phone, buttons and files -------------------------------------
let fields = 0

function labelled(label, control, className = "") {
  control.id = `field-${++fields}`
  return make("div", { class: `field ${className}` }, make("label", { for: control.id }, label), control)
}

function searchField(model, look) {
  const input = make("input", { type: "search", autocomplete: "off", spellcheck: "false", maxlength: 200 })
  let timer = 0
  input.addEventListener("input", () => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      // One search is one step back, however many letters it has.
      change({ search: input.value.trim() }, { isSameStep: values().has("search") })
      look()
    }, TYPING_MS)
  })
  // The address says it, and no answer to what was asked before: what somebody types stays.
  const goBack = () => { input.value = values().get("search") ?? "" }
  goBack()
  return { node: labelled(model.searched, input, "search"), goBack }
}

function choice(label, options, onChange, className) {
  const select = make("select", {}, ...options.map((option) => make("option", { value: option.value }, option.label)))
  select.addEventListener("change", () => onChange(select.value))
  return { node: labelled(label, select, className), show: (value) => { select.value = value } }
}

function filterField(filter, look) {
  const options = [{ value: "", label: t("All") }, ...filter.options]
  return choice(filter.label, options, (value) => { change({ [filter.name]: value }); look() })
}

// Where rows are cards there are no headers to press.
function orderField(model, look) {
  const sorted = model.columns.filter((column) => column.is_sorted)
  const options = sorted.flatMap((column) => [
    { value: column.key, label: t("{column}, ascending", { column: column.label }) },
    { value: `-${column.key}`, label: t("{column}, descending", { column: column.label }) },
  ])
  return choice(t("Order"), options, (value) => { change({ sort: value }); look() }, "order")
}

function fileLink(kind) {
  return make("a", { class: "button quiet small", download: true, "aria-label": t("Download the list as {kind}", { kind: kind.toUpperCase() }) }, kind.toUpperCase())
}

function toolbar(model, look, press) {
  const search = model.searched ? searchField(model, look) : null
  const filters = new Map(model.filters.map((filter) => [filter.name, filterField(filter, look)]))
  const order = orderField(model, look)
  const files = ["csv", "json"].map((kind) => ({ kind, node: fileLink(kind) }))
  const buttons = model.buttons.map((entry, index) => make("button", {
    class: `button ${entry.tone ?? (index ? "quiet" : "")}`, type: "button", onclick: () => press({ action: entry.action }),
  }, entry.label))
  const node = make("div", { class: "tools", role: "search", "aria-label": model.caption },
    search?.node, ...[...filters.values()].map((each) => each.node), order.node,
    make("div", { class: "files" }, ...files.map((each) => each.node)),
    buttons.length ? make("div", { class: "doing" }, ...buttons) : null)
  const show = () => {
    for (const [name, filter] of filters) filter.show(model.shown.filters?.[name] ?? "")
    const first = model.columns.find((column) => column.is_sorted)?.key ?? ""
    order.show(`${model.shown.is_descending ? "-" : ""}${model.shown.sort || first}`)
    for (const { kind, node: link } of files) link.href = model.files[kind] ?? "#"
  }
  return { node, show, goBack: () => search?.goBack() }
}

// ---- The table ---------------------------------------------------------------------------------------------------
function header(model, column, look) {
  const first = model.columns.find((each) => each.is_sorted)?.key
  const isIt = column.is_sorted && (model.shown.sort || first) === column.key
  const direction = model.shown.is_descending ? "descending" : "ascending"
  const unit = column.unit ? make("small", {}, ` ${column.unit}`) : null
  if (!column.is_sorted) return make("th", { scope: "col", class: column.align }, column.label, unit)
  const turn = () => {
    change({ sort: isIt && !model.shown.is_descending ? `-${column.key}` : column.key })
    look()
  }
  const arrow = make("span", { class: "arrow", "aria-hidden": "true" }, isIt ? (model.shown.is_descending ? "↓" : "↑") : "↕")
  return make("th", { scope: "col", class: column.align, "aria-sort": isIt ? direction : "none" },
    make("button", { type: "button", class: "sort", "data-action": `sort-${column.key}`, "data-row": "", onclick: turn }, column.label, arrow), unit)
}

function actionButton(row, action, press) {
  return make("button", {
    class: `button quiet small ${action.tone ?? ""}`, type: "button", "aria-label": `${action.label} ${row.name}`,
    "data-action": action.action, "data-row": row.id, onclick: () => press({ action: action.action, row: row.id }),
  }, action.label)
}

function line(model, row, hasActions, press) {
  const cells = model.columns.map((column, index) => make(index ? "td" : "th", {
    scope: index ? null : "row", class: column.align, "data-label": [column.label, column.unit].filter(Boolean).join(" "),
  }, make("div", {}, ...cellContent(row.cells[column.key]))))
  const buttons = row.actions.map((action) => actionButton(row, action, press))
  const actions = hasActions ? make("td", { class: "actions" }, make("div", {}, ...buttons)) : null
  return make("tr", { class: row.is_faint ? "faint" : null }, ...cells, actions)
}

function table(model, look, press) {
  const hasActions = model.rows.some((row) => row.actions.length)
  const ofActions = hasActions ? make("th", { scope: "col", class: "actions" }, make("span", { class: "visually-hidden" }, t("Actions"))) : null
  return make("table", {}, make("caption", { class: "visually-hidden" }, model.caption),
    make("thead", {}, make("tr", {}, ...model.columns.map((column) => header(model, column, look)), ofActions)),
    make("tbody", {}, ...model.rows.map((row) => line(model, row, hasActions, press))))
}

// ---- The pages -----------------------------------------------------------------------------------------------------
function pager(model, look) {
  const { page = 1, size = 50, total = 0 } = model.shown
  const last = Math.max(1, Math.ceil(total / size))
  const turn = (label, action, to) => {
    const button = make("button", {
      class: "button quiet small", type: "button", "data-action": action, "data-row": "",
      onclick: () => { change({ page: to > 1 ? String(to) : "" }); look() },
    }, label)
    button.disabled = to < 1 || to > last
    return button
  }
  const sizes = make("select", { "aria-label": t("Rows on a page") },
    ...model.sizes.map((each) => make("option", { value: each }, t("{n} a page", { n: numbered(each) }))))
  sizes.value = size
  sizes.addEventListener("change", () => { change({ size: sizes.value === "50" ? "" : sizes.value }); look() })
  if (total <= Math.min(...model.sizes)) return null
  return make("nav", { class: "pager", "aria-label": t("Pages") }, sizes,
    turn(t("Previous"), "previous", page - 1), turn(t("Next"), "next", page + 1))
}

function stretch({ page = 1, size = 50, total = 0, is_more = false, note = "" }) {
  if (!total) return note
  const shown = {
    first: numbered((page - 1) * size + 1), last: numbered(Math.min(page * size, total)), total: numbered(total),
  }
  const where = is_more ? t("{first}–{last} of more than {total}", shown) : t("{first}–{last} of {total}", shown)
  return [where, note].filter(Boolean).join(". ")
}

const List = {
  render({ model }) {
    const press = presser(model)
    const look = () => model.send_msg({ action: "look", value: location.search })
    const tools = toolbar(model, look, press)
    const count = make("p", { class: "count", role: "status" })
    const frame = make("div", { class: "frame", tabindex: "-1" })
    const root = make("section", { class: "listing", "aria-label": model.caption }, tools.node, count, frame)

    const draw = () => {
      const focused = focusedAction(frame)
      tools.show()
      count.textContent = stretch(model.shown)
      const shown = model.rows.length ? table(model, look, press) : make("p", { class: "empty" }, model.empty)
      frame.replaceChildren(...[shown, pager(model, look)].filter(Boolean))
      if (!focused) return
      const selector = `[data-row="${CSS.escape(focused.row)}"][data-action="${CSS.escape(focused.action)}"]`
      const again = frame.querySelector(selector)
      // At the last page there is no next one: the list keeps the focus then.
      if (again && !again.disabled) again.focus()
      else frame.focus({ preventScroll: true })
    }
    model.on(["rows", "empty", "shown", "files"], draw)
    model.on("is_busy", () => frame.setAttribute("aria-busy", model.is_busy))
    const goBack = () => { tools.goBack(); look() }
    addEventListener("popstate", goBack)
    model.on("remove", () => removeEventListener("popstate", goBack))
    draw()
    look()
    return root
  },
}

export default { List }
