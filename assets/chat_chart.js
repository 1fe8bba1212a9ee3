// A Vega or Vega-Lite chart as a page for the preview's frame (llm_ui/app/preview.py). Vega comes from Panel's bundled files
// once the first chart is looked at, and goes into the page as text: the frame may ask for nothing, not even of us.

const SCHEMA = /^\s*\{[^]*"\$schema"\s*:\s*"https?:\/\/vega\.github\.io\/schema\/vega(-lite)?\//
const CLOSING = /<\/(?=script)/gi
const STYLE = `html { scrollbar-color: #8889 transparent; color: %text; font: 15px/1.5 system-ui, sans-serif }
body { margin: 0; padding: 16px }
#note:not(:empty) { margin: 0 0 16px; overflow-wrap: anywhere }
#chart.vega-embed { display: block; overflow: visible }
#chart svg { max-width: 100%; height: auto }
pre { margin: 0; font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; white-space: pre-wrap; overflow-wrap: anywhere }`

let scripts = null

export function isChart(text) {
  return SCHEMA.test(text)
}

async function load() {
  const addresses = document.getElementById("chat").dataset.vega.split(" ")
  return Promise.all(addresses.map(async (address) => {
    const response = await fetch(address)
    if (!response.ok) throw new Error(address)
    return response.text()
  }))
}

// Runs in the frame, as text: nothing from outside it is there. Expressions are interpreted (`ast`), for the frame's policy
// knows no `eval`; whatever a chart wants to fetch is refused and named.
async function draw(text, isDark, sentences) {
  const note = document.getElementById("note")
  const elsewhere = new Set()
  const refuse = async (address) => {
    elsewhere.add(address)
    note.textContent = sentences.elsewhere.replace("{addresses}", () => [...elsewhere].join(", "))
    throw new Error(address)
  }
  const asGiven = window.vega.loader()
  const sanitize = (address, options) => (/^data:image\//i.test(address) ? asGiven.sanitize(address, options) : refuse(address))
  try {
    const chart = JSON.parse(text)
    // What else a chart may bring: options of the one who draws it. What it says of its version draws a warning only.
    delete chart.usermeta
    const mode = chart.$schema && (chart.$schema.includes("/vega-lite/") ? "vega-lite" : "vega")
    delete chart.$schema
    const isSingle = (chart.mark || chart.layer) && !["row", "column", "facet"].some((name) => chart.encoding?.[name])
    if (isSingle) chart.width ??= "container"
    // Made for a background of its own, it has the colours that fit there.
    const hasOwn = chart.background || chart.config?.background
    const colours = isDark && !hasOwn ? { theme: "dark", config: { background: "transparent", axis: { gridColor: "#444752" } } } : {}
    const loader = { ...asGiven, load: refuse, sanitize }
    await window.vegaEmbed("#chart", chart, { ...colours, mode, ast: true, actions: false, loader, logLevel: window.vega.Error })
    const isEmpty = !document.querySelector(".role-mark:not(.mark-group) > *")
    if (isEmpty && !elsewhere.size) note.textContent = sentences.empty
  } catch (error) {
    document.getElementById("chart").remove()
    const code = document.createElement("pre")
    code.textContent = text
    note.textContent = sentences.broken.replace("{reason}", () => error.message)
    note.after(code)
  }
}

function pageOf(inside, isDark) {
  return `<!doctype html><meta charset="utf-8"><style>${STYLE.replace("%text", isDark ? "#ececf0" : "#1c1d21")}</style>${inside}`
}

// The whole page; where Vega cannot be had, one that says so.
export async function chartPage(text, isDark) {
  const sentences = {
    elsewhere: t("Only data that stands in the chart itself is drawn; this was not fetched: {addresses}"),
    empty: t("This chart has nothing to draw: it names no marks, or no data for them."),
    broken: t("This chart cannot be drawn: {reason}"),
  }
  try {
    scripts ??= load()
    const call = `(${draw})(${JSON.stringify(text)}, ${isDark}, ${JSON.stringify(sentences)})`
    const code = [...(await scripts), call].map((each) => `<script>${each.replace(CLOSING, "\\x3c/")}</script>`)
    return pageOf(`<p id="note" role="status"></p><div id="chart"></div>${code.join("")}`, isDark)
  } catch {
    scripts = null
    const why = t("What draws charts could not be loaded. Check the connection, then press Reload.")
    return pageOf(`<p>${why}</p>`, isDark)
  }
}
