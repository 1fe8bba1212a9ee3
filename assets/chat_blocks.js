// The blocks of an answer, and what can be done with code and tables.

import { drawMaths } from "./chat_maths.js"
import { kindOf, preview } from "./chat_preview.js"
import { copyText, make, textButton } from "./dom.js"

const ENDINGS = {
  bash: "sh", c: "c", cpp: "cpp", csharp: "cs", css: "css", csv: "csv", diff: "diff", go: "go", html: "html", java: "java",
  javascript: "js", json: "json", kotlin: "kt", lua: "lua", markdown: "md", php: "php", python: "py", r: "r", ruby: "rb",
  rust: "rs", shell: "sh", sh: "sh", sql: "sql", svg: "svg", swift: "swift", toml: "toml", typescript: "ts", xml: "xml", yaml: "yaml",
}
const RISKY = /^[=+\-@\t\r]/
const NUMBER = /^[+-]?[\d.,\s]*%?$/
const TO_QUOTE = /[",\n]/

// The one audited place where HTML enters the page: the server rendered and sanitised it (llm_ui/kit/markdown.py).
export function sanitised(html) {
  const template = document.createElement("template")
  template.innerHTML = html
  return template.content
}

export function blockNode(html) {
  const node = make("div", "block")
  node.append(sanitised(html))
  for (const code of node.querySelectorAll(".code")) addCodeBar(code)
  for (const table of node.querySelectorAll(".table")) addTableBar(table)
  drawMaths(node)
  return node
}

function save(name, type, text) {
  const link = make("a")
  link.href = URL.createObjectURL(new Blob([text], { type }))
  link.download = name
  link.click()
  // A browser that has much to do begins to save it seconds later.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

function barButton(label, name, act) {
  const button = textButton(label, "bar-button", () => act(button))
  button.title = name
  button.setAttribute("aria-label", name)
  return button
}

function addCodeBar(code) {
  const bar = make("div", "code-bar")
  const language = code.dataset.language || "text"
  const text = () => code.querySelector("pre").textContent
  const wrap = barButton(t("Wrap"), t("Wrap long lines"), () => {
    wrap.setAttribute("aria-pressed", String(code.classList.toggle("wrapped")))
  })
  wrap.setAttribute("aria-pressed", "false")
  const download = () => save(`code.${ENDINGS[language.toLowerCase()] ?? "txt"}`, "text/plain", text())
  const kind = kindOf(language, text())
  const look = barButton(t("Preview"), t("Preview"), () => preview.toggle({ kind, text, button: look }))
  look.setAttribute("aria-expanded", "false")
  bar.append(make("span", "", language), ...(kind ? [look] : []), wrap, barButton(t("Download"), t("Download code"), download),
    barButton(t("Copy"), t("Copy code"), (button) => copyText(text(), button)))
  // Long lines are scrolled with the keyboard too.
  code.querySelector("pre").tabIndex = 0
  code.prepend(bar)
}

// RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, "CSV Injection").
export function csvOf(table) {
  const cell = (node) => {
    const text = node.textContent.trim()
    const safe = RISKY.test(text) && !NUMBER.test(text) ? `'${text}` : text
    return TO_QUOTE.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
  }
  return [...table.rows].map((row) => [...row.cells].map(cell).join(",")).join("\r\n")
}

function addTableBar(frame) {
  const table = frame.querySelector("table")
  if (!table) return
  frame.tabIndex = 0
  frame.setAttribute("role", "group")
  frame.setAttribute("aria-label", t("Table"))
  const bar = make("div", "table-bar")
  bar.append(barButton(t("Copy as CSV"), t("Copy table as CSV"), (button) => copyText(csvOf(table), button)),
    barButton(t("Download"), t("Download table as CSV"), () => save("table.csv", "text/csv", csvOf(table))))
  frame.after(bar)
}
