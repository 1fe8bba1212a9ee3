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
bar.setAttribute("aria-label", "Bringing chats in")
said.append(line, bar, result)

let upload = null

form.addEventListener("submit", (event) => {
  event.preventDefault()
  const file = chosen.files[0]
  if (!file) return refuse("Choose a file first.")
  if (file.size > Number(place.dataset.most)) return refuse("The file is larger than 1 GB. Upload it in parts.")
  send(file)
})

function send(file) {
  upload = new XMLHttpRequest()
  upload.open("POST", "/import")
  upload.setRequestHeader("X-XSRFToken", form.elements._xsrf.value)
  upload.setRequestHeader("X-File-Name", encodeURIComponent(file.name))
  upload.responseType = "json"
  upload.upload.addEventListener("progress", (event) => {
    busy(`Uploading ${file.name} …`, event.loaded, event.total)
  })
  upload.addEventListener("load", () => show(upload.response?.import ?? { error: "The upload failed. Try again." }))
  upload.addEventListener("error", () => refuse("The connection broke off. Upload the file again."))
  upload.addEventListener("abort", () => refuse("Cancelled."))
  busy(`Uploading ${file.name} …`, 0, file.size)
  upload.send(file)
}

async function look() {
  try {
    const answer = await fetch("/import", { headers: { Accept: "application/json" } })
    if (answer.status === 401) location.assign("/login?next=/account")
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
    const came = job.chats_added ? `: ${counted(job.chats_added, "chat")} so far` : ""
    busy(`Bringing in ${job.name}${came} …`, job.done, job.total)
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
  if (!result.querySelector("button")) result.replaceChildren(textButton("Cancel", "quiet", cancel))
}

function end() {
  form.hidden = false
  form.reset()
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
    job.chats_added && `${counted(job.chats_added, "new chat")} with ${counted(job.messages_added, "message")}`,
    job.chats_extended && `${counted(job.chats_extended, "chat")} brought up to date`,
    job.prompts_added && counted(job.prompts_added, "prompt"),
    job.chats_same && `${counted(job.chats_same, "chat")} that were here already`,
  ].filter(Boolean)
  const came = parts.length ? `${parts.join(", ")}.` : "Nothing came in."
  if (job.state === "failed") return parts.length ? `${job.error} Until there: ${came}` : job.error
  return `${job.name}${job.state === "cancelled" ? ", cancelled" : ""}: ${came}`
}

function skipped(job) {
  if (!job.skipped) return []
  const list = make("details", "skipped")
  list.append(make("summary", "", `${counted(job.skipped, "entry", "entries")} left out`))
  const rows = make("ul")
  for (const one of job.skipped_told) {
    const row = make("li")
    row.append(make("strong", "", one.what), ` ${one.why}`)
    rows.append(row)
  }
  const more = job.skipped - job.skipped_told.length
  if (more > 0) rows.append(make("li", "", `and ${more.toLocaleString()} more`))
  list.append(rows)
  return [list]
}

function counted(number, one, many = `${one}s`) {
  return `${number.toLocaleString()} ${number === 1 ? one : many}`
}

look()
