// The building blocks of the admin pages: heading, links, notice, offers, table, switch and side sheet.
// Each is a component of Panel (llm_ui/ui/parts.py) that draws its parameters; whatever people or providers wrote
// enters the page as text, never as HTML.

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value)
    else if (value === true) node.setAttribute(name, "")
    else if (value !== false && value != null) node.setAttribute(name, value)
  }
  node.append(...children.filter((child) => child != null))
  return node
}

// What is pressed while an action is on its way follows it: no press is lost. The same again, while it is done, is one
// press.
function presser(model) {
  let last = null
  let next = null
  const press = (message) => {
    const isAgain = JSON.stringify(message) === JSON.stringify(last)
    if (model.is_busy) {
      if (!isAgain) next = message
      return
    }
    last = message
    model.send_msg(message)
  }
  model.on("is_busy", () => {
    if (model.is_busy) return
    last = null
    if (!next) return
    const message = next
    next = null
    press(message)
  })
  return press
}

// ---- Heading: what the page is for -------------------------------------------------------------------------------
const Heading = {
  render({ model }) {
    const title = make(`h${model.level}`, {}, model.title)
    const sentence = make("p", {}, model.sentence)
    model.on("title", () => { title.textContent = model.title })
    model.on("sentence", () => { sentence.textContent = model.sentence })
    return make("header", { class: "head" }, title, sentence)
  },
}

// ---- Link: a way to another page -----------------------------------------------------------------------------------
const Link = {
  render({ model }) {
    return make("a", { class: "back", href: model.address }, model.text)
  },
}

// ---- Links: other things to look at or to take along --------------------------------------------------------------
const Links = {
  render({ model }) {
    return make("p", { class: "links" }, ...model.links.map(({ label, name, href }) => make("a", { class: "button quiet small", href, download: true, "aria-label": name }, label)))
  },
}

// ---- Notice: one sentence ----------------------------------------------------------------------------------------
const Notice = {
  render({ model }) {
    // The region stays while its text changes, so that screen readers say the text.
    const region = make("div", { role: model.tone === "error" ? "alert" : "status" })
    const draw = () => {
      region.replaceChildren(...(model.text ? [make("p", { class: `line ${model.tone}` }, model.text)] : []))
    }
    model.on(["text", "tone"], draw)
    draw()
    return region
  },
}

// ---- Offers: things that can be done with one click --------------------------------------------------------------
const Offers = {
  render({ model }) {
    const list = make("ul", { class: "list", "aria-label": model.label })
    const press = presser(model)
    const line = (item) => {
      const take = () => press({ action: item.action, item: item.id })
      const button = make("button", { class: "button small", type: "button", onclick: take }, item.button)
      return make("li", { class: "line" }, make("span", {}, item.text), button)
    }
    const draw = () => list.replaceChildren(...model.items.map(line))
    model.on("items", draw)
    draw()
    return list
  },
}

// ---- Table: rows with what can be done to each -------------------------------------------------------------------
// Addresses and names of models may break after a slash, dash, underscore or colon, times may not.
function breakable(text) {
  return text.split(/(?<=[/_:-])(?!\/|\d\d\b)/).flatMap((piece, index) => (index ? [make("wbr"), piece] : [piece]))
}

function cellContent(value) {
  if (value == null || value === "") return [make("span", { class: "none" }, "–")]
  if (typeof value === "string") return breakable(value)
  const main = value.href
    ? make("a", { href: value.href }, ...breakable(value.text))
    : make("span", { class: value.tone ? `chip ${value.tone}` : null }, ...breakable(value.text))
  return value.detail ? [main, make("small", {}, ...breakable(value.detail))] : [main]
}

function focusedAction(root) {
  const active = root.getRootNode().activeElement
  return active?.dataset?.action ? { row: active.dataset.row, action: active.dataset.action } : null
}

const Table = {
  render({ model }) {
    const frame = make("div", { class: "frame" })
    const press = presser(model)

    const button = (row, action) => {
      const send = () => press({ action: action.action, row: row.id })
      const tone = action.tone ? ` ${action.tone}` : ""
      return make("button", {
        class: `button quiet small${tone}`, type: "button", onclick: send, "aria-label": `${action.label} ${row.name}`,
        "data-action": action.action, "data-row": row.id,
      }, action.label)
    }

    const line = (row) => make("tr", { class: row.is_faint ? "faint" : null },
      ...model.columns.map((column, index) => make(index === 0 ? "th" : "td", {
        scope: index === 0 ? "row" : null, class: column.align, "data-label": column.is_plain ? null : [column.label, column.unit].filter(Boolean).join(" "),
      }, make("div", {}, ...cellContent(row.cells[column.key])))),
      make("td", { class: "actions" }, make("div", {}, ...row.actions.map((action) => button(row, action)))))

    const pager = () => {
      if (model.total <= model.size) return null
      const last = Math.min(model.offset + model.size, model.total)
      const turn = (pages) => () => model.send_msg({ action: "turn", pages })
      const back = make("button", { class: "button quiet small", type: "button", onclick: turn(-1) }, t("Previous"))
      const next = make("button", { class: "button quiet small", type: "button", onclick: turn(1) }, t("Next"))
      back.disabled = model.offset === 0
      next.disabled = last >= model.total
      const where = t("{first}–{last} of {total}", {
        first: (model.offset + 1).toLocaleString(document.documentElement.lang), last: last.toLocaleString(document.documentElement.lang), total: model.total.toLocaleString(document.documentElement.lang),
      })
      return make("nav", { class: "pager", "aria-label": t("Pages") }, make("span", {}, where), back, next)
    }

    const draw = () => {
      const focused = focusedAction(frame)
      const head = make("tr", {},
        ...model.columns.map((column) => make("th", { scope: "col", class: column.align }, column.label,
          column.unit ? make("small", {}, ` ${column.unit}`) : null)),
        make("th", { scope: "col", class: "actions" }, make("span", { class: "visually-hidden" }, t("Actions"))))
      const table = make("table", {}, make("caption", { class: "visually-hidden" }, model.caption),
        make("thead", {}, head), make("tbody", {}, ...model.rows.map(line)))
      const empty = model.rows.length ? null : make("p", { class: "empty" }, model.empty)
      frame.replaceChildren(...[model.rows.length ? table : null, empty, pager()].filter(Boolean))
      if (focused) {
        const selector = `[data-row="${CSS.escape(focused.row)}"][data-action="${CSS.escape(focused.action)}"]`
        frame.querySelector(selector)?.focus()
      }
    }
    model.on(["rows", "columns", "empty", "offset", "total"], draw)
    model.on("is_busy", () => frame.setAttribute("aria-busy", model.is_busy))
    draw()
    return frame
  },
}

// ---- Switch: a setting that is on or off -------------------------------------------------------------------------
const Switch = {
  render({ model }) {
    const box = make("input", { type: "checkbox", role: "switch" })
    const show = (isOn) => { box.checked = isOn }
    box.addEventListener("change", () => model.send_msg({ action: "switch", is_on: box.checked }))
    // Said after every action, also a refused one: then the switch goes back.
    model.on("msg:custom", (message) => show(message.is_on))
    model.on("is_on", () => show(model.is_on))
    show(model.is_on)
    return make("label", { class: "switch" }, box, make("span", {}, model.label))
  },
}

// ---- Checklist: choose some of many, with a filter ---------------------------------------------------------------
function checklist(field, value) {
  const chosen = new Set(value)
  const list = make("div", { class: "options" })
  const filter = make("input", { type: "search", "aria-label": t("Filter"), placeholder: t("Filter …") })
  const all = make("button", { class: "button quiet small", type: "button" })
  const shown = () => {
    const words = filter.value.trim().toLowerCase()
    return field.options.filter((option) => `${option.value} ${option.label}`.toLowerCase().includes(words))
  }
  const open = () => shown().filter((option) => !option.is_added)
  const isFull = () => open().length > 0 && open().every((option) => chosen.has(option.value))
  const label = () => {
    all.textContent = isFull() ? t("Choose none") : t("Choose all {count}", { count: open().length.toLocaleString(document.documentElement.lang) })
    all.disabled = open().length === 0
  }
  const line = (option) => {
    const box = make("input", { type: "checkbox" })
    box.checked = option.is_added || chosen.has(option.value)
    box.disabled = option.is_added
    box.addEventListener("change", () => { chosen[box.checked ? "add" : "delete"](option.value); label() })
    const detail = option.is_added ? t("Added already") : option.detail
    return make("label", {}, box, make("span", {}, option.label, detail ? make("small", {}, detail) : null))
  }
  const draw = () => {
    const lines = shown().map(line)
    list.replaceChildren(...(lines.length ? lines : [make("p", { class: "empty" }, t("Nothing matches."))]))
    label()
  }
  filter.addEventListener("input", draw)
  filter.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault() })
  all.addEventListener("click", () => {
    const verb = isFull() ? "delete" : "add"
    for (const option of open()) chosen[verb](option.value)
    draw()
  })
  draw()
  const legend = make("legend", {}, field.label)
  const node = make("fieldset", { class: "checklist" }, legend, make("div", { class: "bar" }, filter, all), list)
  const set = (next) => { chosen.clear(); for (const each of next) chosen.add(each); draw() }
  return { node, get: () => [...chosen], set }
}

// ---- Sheet: a form beside the page -------------------------------------------------------------------------------
function control(field) {
  if (field.type === "select") {
    return make("select", {}, ...field.options.map((option) => make("option", { value: option.value }, option.label)))
  }
  // A key is no password of this site: the browser must not offer to keep it.
  const secret = field.type === "secret" ? { type: "password", autocomplete: "new-password" } : { type: "text", autocomplete: "off" }
  return make("input", { ...secret, placeholder: field.placeholder, inputmode: field.inputmode, spellcheck: "false" })
}

// What was made and is shown once: to be read, and copied with a click. The page holds no clipboard without TLS.
function copyField(field, value) {
  const area = make("textarea", { id: field.name, rows: 3, readonly: true, spellcheck: "false", onfocus: () => area.select() })
  const copy = make("button", { class: "button quiet small", type: "button" }, t("Copy"))
  copy.addEventListener("click", async () => {
    area.select()
    await navigator.clipboard?.writeText(area.value).catch(() => {}) ?? document.execCommand("copy")
    copy.textContent = t("Copied")
  })
  const set = (next) => { area.value = next ?? ""; copy.textContent = t("Copy") }
  set(value)
  return { node: make("div", { class: "row" }, make("label", { for: field.name }, field.label), area, copy), get: () => "", set }
}

// The text of a file that is small enough to be looked at: chosen, or pasted.
function fileField(field, value) {
  const area = make("textarea", { id: field.name, rows: 8, spellcheck: "false" })
  const file = make("input", { type: "file", accept: field.accept ?? ".csv,text/csv,text/plain", "aria-label": t("Choose a file") })
  file.addEventListener("change", async () => { area.value = (await file.files[0]?.text()) ?? "" })
  const set = (next) => { area.value = next ?? "" }
  set(value)
  return { node: make("div", { class: "row" }, make("label", { for: field.name }, field.label), file, area), get: () => area.value, set }
}

// What is longer than a line.
function wordsField(field, value) {
  const area = make("textarea", { id: field.name, rows: field.rows ?? 6 })
  const set = (next) => { area.value = next ?? "" }
  set(value)
  return { node: make("div", { class: "row" }, make("label", { for: field.name }, field.label), area), get: () => area.value, set }
}

// Figures to look at, beside what is typed: the first cell of a row may have a second line.
function tableField(field) {
  const cell = ({ text, detail }) => make("td", {}, text, detail ? make("small", {}, detail) : null)
  const head = make("tr", {}, ...field.columns.map((name) => make("th", { scope: "col" }, name)))
  const rows = field.rows.map((cells) => make("tr", {}, ...cells.map(cell)))
  const table = make("table", {}, make("caption", {}, field.label), make("thead", {}, head), make("tbody", {}, ...rows))
  return { node: make("div", { class: "figures", tabindex: 0, role: "region", "aria-label": field.label }, table), get: () => "", set: () => {} }
}

const FIELDS = { copy: copyField, file: fileField, words: wordsField, table: tableField }

function simpleField(field, value, live) {
  const input = control(field)
  const hint = field.hint ? make("small", { id: `${field.name}-hint` }, field.hint) : null
  input.id = field.name
  input.value = value ?? ""
  if (hint) input.setAttribute("aria-describedby", hint.id)
  if (field.is_live) input.addEventListener("change", () => live(field.name, input.value))
  const node = make("div", { class: "row" }, make("label", { for: field.name }, field.label), input, hint)
  return { node, get: () => input.value, set: (next) => { input.value = next ?? "" } }
}

const Sheet = {
  render({ model }) {
    const title = make("h2", { id: "sheet-title" })
    const send = presser(model)
    const ask = () => model.send_msg({ action: "close" })
    const close = make("button", { class: "button quiet icon", type: "button", "aria-label": t("Close"), onclick: ask }, "✕")
    const error = make("div", { role: "alert" })
    const said = make("div", { role: "status" })
    const form = make("form", { novalidate: true })
    const dialog = make("dialog", { class: "drawer", "aria-labelledby": "sheet-title" },
      make("header", {}, title, close), make("div", { class: "body" }, error, said, form))
    let fields = new Map()

    const values = () => Object.fromEntries([...fields].map(([name, field]) => [name, field.get()]))
    // Never dropped: the field shows the choice already.
    const live = (name, value) => model.send_msg({ action: "changed", name, value })
    const tell = () => {
      title.textContent = model.title
      error.replaceChildren(...(model.error ? [make("p", { class: "line error" }, model.error)] : []))
      said.replaceChildren(...(model.said ? [make("p", { class: "line ok" }, model.said)] : []))
      if (model.error) error.scrollIntoView({ block: "nearest" })
    }
    const button = (entry, index) => make("button", {
      class: `button ${entry.tone ?? (index ? "quiet" : "")}`, type: index ? "button" : "submit",
      onclick: index ? () => send({ action: entry.action, values: values() }) : null,
    }, entry.label)
    const draw = () => {
      const made = model.fields.map((field) => {
        const value = model.values[field.name]
        if (field.type === "checklist") return [field.name, checklist(field, value ?? [])]
        return [field.name, FIELDS[field.type]?.(field, value) ?? simpleField(field, value, live)]
      })
      fields = new Map(made)
      const text = model.text ? make("p", { class: `line ${model.tone}` }, model.text) : null
      form.replaceChildren(...[text, ...made.map(([, field]) => field.node)].filter(Boolean),
        make("div", { class: "buttons" }, ...model.buttons.map(button)))
      busy()
      if (dialog.open) focusFirst()
    }
    const focusFirst = () => form.querySelector("input, select, textarea, button")?.focus()
    const fill = () => {
      for (const [name, value] of Object.entries(model.values)) fields.get(name)?.set(value)
    }
    const busy = () => {
      dialog.setAttribute("aria-busy", model.is_busy)
      for (const each of form.querySelectorAll(".buttons button")) each.disabled = model.is_busy
    }
    const follow = () => {
      if (model.is_open && !dialog.open && dialog.isConnected) {
        dialog.showModal()
        focusFirst()
      } else if (!model.is_open && dialog.open) dialog.close()
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      send({ action: model.buttons[0].action, values: values() })
    })
    // Python decides when it closes, so that both always agree.
    dialog.addEventListener("cancel", (event) => { event.preventDefault(); ask() })
    model.on(["fields", "buttons", "text"], draw)
    model.on("values", fill)
    model.on(["error", "said", "title"], tell)
    model.on("is_busy", busy)
    model.on("is_open", follow)
    model.on("after_render", follow)
    draw()
    tell()
    return dialog
  },
}

export { cellContent, focusedAction, make, presser }
export default { Heading, Link, Links, Notice, Offers, Table, Switch, Sheet }
