// Bringing chats in: uploads a file, shows how far it is, and what came of it. The server does the rest.

import { make, textButton } from "./dom.js"

const LOOK_MS = 700
const PATIENT_MS = 5000
const place = document.getElementById("import")
const form = place.querySelector("form")
const chosen = form.elements.file
const said = place.querySelector(".progress")
const bar = make("progress")
const line = make("p", "note")
const result = make("div")
line.setAttribute("role", "status")
bar.setAttribute("aria-label", t("Bringing chats in"))
said.append(line, bar, result)

let upload = null

form.addEventListener("submit", (event) => {
  event.preventDefault()
  const file = chosen.files[0]
  if (!file) return refuse(t("Choose a file first."))
  if (file.size > Number(place.dataset.most)) return refuse(t("The file is larger than 8 GB. Upload it in parts."))
  send(file)
})

function send(file) {
  upload = new XMLHttpRequest()
  upload.open("POST", "/import")
  upload.setRequestHeader("X-XSRFToken", form.elements._xsrf.value)
  upload.setRequestHeader("X-File-Name", encodeURIComponent(file.name))
  upload.responseType = "json"
  upload.upload.addEventListener("progress", (event) => {
    busy(t("Uploading {name} …", { name: file.name }), event.loaded, event.total)
  })
  upload.addEventListener("load", () => show(upload.response?.import ?? { error: t("The upload failed. Try again.") }))
  upload.addEventListener("error", () => refuse(t("The connection broke off. Upload the file again.")))
  upload.addEventListener("abort", () => refuse(t("Cancelled.")))
  busy(t("Uploading {name} …", { name: file.name }), 0, file.size)
  upload.send(file)
}

async function look() {
  try {
    const answer = await fetch("/import", { headers: { Accept: "application/json" } })
    if (answer.status === 401) window.llmUi.goToSignIn()
    show((await answer.json()).import)
  } catch {
    // The server restarts, or the laptop was asleep: the worker goes on.
    setTimeout(look, PATIENT_MS)
  }
}

async function cancel() {
  if (upload && upload.readyState !== XMLHttpRequest.DONE) return upload.abort()
  await fetch("/import", { method: "DELETE", headers: { "X-XSRFToken": form.elements._xsrf.value } })
}

function show(job) {
  if (!job) return
  if (job.state === "queued" || job.state === "running") {
    const came = job.chats_added ? tn("{n} chat so far.", "{n} chats so far.", job.chats_added, { n: number(job.chats_added) }) : ""
    busy([t("Bringing in {name} …", { name: job.name }), came].join(" ").trim(), job.done, job.total)
    setTimeout(look, LOOK_MS)
    return
  }
  if (!job.state) return refuse(job.error)
  end()
  line.className = job.state === "failed" ? "error" : "said"
  line.textContent = sentence(job)
  result.replaceChildren(...skipped(job))
}

function busy(text, done, total) {
  form.hidden = true
  said.hidden = bar.hidden = false
  line.className = "note"
  if (line.textContent !== text) line.textContent = text
  if (total) {
    bar.max = total
    bar.value = done
  } else bar.removeAttribute("value")
  if (!result.querySelector("button")) result.replaceChildren(textButton(t("Cancel"), "quiet", cancel))
}

// What was chosen while the page was still asking how the last one had gone stays chosen.
function end() {
  if (form.hidden) form.reset()
  form.hidden = false
  said.hidden = false
  bar.hidden = true
}

function refuse(text) {
  end()
  line.className = "error"
  line.textContent = text
  result.replaceChildren()
}

function sentence(job) {
  const parts = [
    job.chats_added && tn("{n} new chat", "{n} new chats", job.chats_added, { n: number(job.chats_added) }),
    job.messages_added && tn("{n} message", "{n} messages", job.messages_added, { n: number(job.messages_added) }),
    job.chats_extended && tn("{n} chat brought up to date", "{n} chats brought up to date", job.chats_extended, { n: number(job.chats_extended) }),
    job.projects_added && tn("{n} project", "{n} projects", job.projects_added, { n: number(job.projects_added) }),
    job.documents_added && tn("{n} document", "{n} documents", job.documents_added, { n: number(job.documents_added) }),
    job.agents_added && tn("{n} agent", "{n} agents", job.agents_added, { n: number(job.agents_added) }),
    job.prompts_added && tn("{n} prompt", "{n} prompts", job.prompts_added, { n: number(job.prompts_added) }),
    job.memories_added && tn("{n} fact about you", "{n} facts about you", job.memories_added, { n: number(job.memories_added) }),
    job.chats_same && tn("{n} chat that was here already", "{n} chats that were here already", job.chats_same, { n: number(job.chats_same) }),
  ].filter(Boolean)
  const came = parts.length ? `${parts.join(", ")}.` : t("Nothing came in.")
  if (job.state === "failed") return parts.length ? t("{error} Until there: {came}", { error: job.error, came }) : job.error
  if (job.state === "cancelled") return t("{name}, cancelled: {came}", { name: job.name, came })
  return `${job.name}: ${came}`
}

function skipped(job) {
  if (!job.skipped) return []
  const list = make("details", "skipped")
  list.append(make("summary", "", tn("{n} entry left out", "{n} entries left out", job.skipped, { n: number(job.skipped) })))
  const rows = make("ul")
  for (const one of job.skipped_told) {
    const row = make("li")
    row.append(make("strong", "", one.what), ` ${one.why}`)
    rows.append(row)
  }
  const more = job.skipped - job.skipped_told.length
  if (more > 0) rows.append(make("li", "", t("and {n} more", { n: number(more) })))
  list.append(rows)
  return [list]
}

function number(count) {
  return count.toLocaleString(document.documentElement.lang)
}

look()
