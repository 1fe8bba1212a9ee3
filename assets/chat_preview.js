// The preview beside the chat: a code block that is a page, a picture, a table or a chart, looked at without leaving.
// All but tables are drawn in a frame without an origin (llm_ui/app/preview.py): they reach neither us nor the net.

import { Beside } from "./chat_beside.js"
import { chartPage, isChart } from "./chat_chart.js"
import { make, textButton } from "./dom.js"

const KINDS = { html: "page", htm: "page", xhtml: "page", svg: "picture", csv: "table", tsv: "table", vega: "chart", "vega-lite": "chart", vegalite: "chart" }
const NAMES = { page: t("Page"), picture: t("Picture"), table: t("Table"), chart: t("Chart") }
const PAGE = /^\s*(<!doctype html|<html[\s>])/i
const PICTURE = /^\s*(<\?xml[^>]*>\s*)?(<!--[^]*?-->\s*)?<svg[\s>]/i
const MAX_ROWS = 1_000
const FRAMED = `<!doctype html><style>html { height: 100% } body { display: grid; place-items: center; min-height: 100%; margin: 0; background: #fff }
svg { max-width: 100%; max-height: 100vh }</style>`

// What a code block can be looked at as; null when it is only code.
export function kindOf(language, text) {
  const kind = KINDS[language.toLowerCase()]
  if (kind) return kind
  if (PICTURE.test(text)) return "picture"
  if (isChart(text)) return "chart"
  return PAGE.test(text) ? "page" : null
}

const isDark = () => getComputedStyle(document.documentElement).colorScheme === "dark"

// RFC 4180, with tabs or semicolons too where the first line has more of them.
export function rowsOf(text) {
  const first = text.split("\n", 1)[0]
  const mark = [",", ";", "\t"].sort((one, other) => first.split(other).length - first.split(one).length)[0]
  const rows = [[""]]
  let isQuoted = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    const row = rows.at(-1)
    if (char === '"' && (isQuoted || !row.at(-1))) {
      if (isQuoted && text[at + 1] === '"') {
        row[row.length - 1] += '"'
        at += 1
      } else isQuoted = !isQuoted
    } else if (!isQuoted && char === mark) row.push("")
    else if (!isQuoted && char === "\n") rows.push([""])
    else if (isQuoted || char !== "\r") row[row.length - 1] += char
  }
  return rows.filter((row) => row.length > 1 || row[0].trim())
}

function compared(one, other) {
  const [a, b] = [one, other].map((text) => Number(text.replaceAll(/[\s,%$€]/g, "") || NaN))
  if (!Number.isNaN(a) && !Number.isNaN(b)) return a - b
  return one.localeCompare(other, undefined, { numeric: true })
}

function counted(rows) {
  const [all, shown] = [rows, MAX_ROWS].map((number) => number.toLocaleString(document.documentElement.lang))
  return rows > MAX_ROWS ? t("The first {shown} of {all} rows", { shown, all }) : tn("{n} row", "{n} rows", rows, { n: all })
}

function tableOf(text) {
  const [head = [], ...rows] = rowsOf(text)
  const place = make("div", "preview-table")
  const table = make("table")
  const body = make("tbody")
  const draw = () => {
    body.replaceChildren(...rows.slice(0, MAX_ROWS).map((row) => {
      const line = make("tr")
      line.append(...head.map((_, column) => make("td", "", row[column] ?? "")))
      return line
    }))
  }
  const titles = head.map((name, column) => {
    const cell = make("th")
    cell.scope = "col"
    cell.append(textButton(name || t("Column {n}", { n: column + 1 }), "", () => {
      const order = cell.ariaSort === "ascending" ? "descending" : "ascending"
      for (const title of titles) title.ariaSort = title === cell ? order : null
      const sign = order === "ascending" ? 1 : -1
      rows.sort((one, other) => sign * compared(one[column] ?? "", other[column] ?? ""))
      draw()
    }))
    return cell
  })
  const line = make("tr")
  line.append(...titles)
  const top = make("thead")
  top.append(line)
  table.append(make("caption", "", counted(rows.length)), top, body)
  draw()
  place.tabIndex = 0
  place.append(table)
  return place
}

class Preview extends Beside {
  constructor() {
    super("preview", t("Close the preview"))
    this.shown = null
    addEventListener("message", ({ source, data }) => {
      if (data === "close" && source && source === this.body?.querySelector("iframe")?.contentWindow) this.close()
    })
    const redraw = () => { if (this.shown?.kind === "chart") this.#draw() }
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw)
    new MutationObserver(redraw).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] })
  }

  // `what` has the kind, text() and the button that was pressed.
  toggle(what) {
    if (this.shown?.button === what.button) this.close()
    else this.#open(what)
  }

  tools() {
    return [textButton(t("Reload"), "bar-button", () => this.#draw())]
  }

  close(how) {
    this.#mark(false)
    this.shown = null
    super.close(how)
  }

  #open(what) {
    this.#mark(false)
    this.shown = what
    this.#mark(true)
    this.reveal(what.button, NAMES[what.kind])
    this.#draw()
  }

  #mark(isOpen) {
    this.shown?.button.setAttribute("aria-expanded", String(isOpen))
  }

  #draw() {
    const { kind, text } = this.shown
    if (kind === "table") {
      this.body.replaceChildren(tableOf(text()))
      return
    }
    const frame = make("iframe")
    frame.title = t("Preview: {kind}", { kind: NAMES[kind] })
    frame.setAttribute("sandbox", "allow-scripts")
    frame.className = kind
    frame.src = "/preview"
    const whole = this.#whole(kind, text())
    // Only what was just made is there to receive it; an origin it has none. By then it may be gone.
    frame.addEventListener("load", async () => frame.contentWindow?.postMessage(await whole, "*"), { once: true })
    this.body.replaceChildren(frame)
  }

  #whole(kind, text) {
    if (kind === "chart") return chartPage(text, isDark())
    return kind === "picture" ? FRAMED + text : text
  }
}

export const preview = new Preview()
