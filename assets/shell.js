// The frame of every page: menus, off-canvas navigation, toasts, and the connection to the server.

const sidebar = document.getElementById("sidebar")
const scrim = document.getElementById("scrim")
const menuButton = document.getElementById("menu-button")

// ---- Menus: one open at a time, closed by Escape and by a click elsewhere ----------------------------------------
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!event.composedPath().includes(menu)) menu.open = false
  }
})

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false
    menu.querySelector("summary").focus()
  }
  showSidebar(false)
})

// ---- Off-canvas navigation ---------------------------------------------------------------------------------------
function showSidebar(isOpen) {
  if (sidebar.classList.contains("open") === isOpen) return
  sidebar.classList.toggle("open", isOpen)
  scrim.hidden = !isOpen
  menuButton.setAttribute("aria-expanded", String(isOpen))
  if (isOpen) sidebar.querySelector("button, a").focus()
  else menuButton.focus({ preventScroll: true })
}
menuButton.addEventListener("click", () => showSidebar(!sidebar.classList.contains("open")))
scrim.addEventListener("click", () => showSidebar(false))

// ---- Toasts ------------------------------------------------------------------------------------------------------
const TOAST_MS = 7000

function toast(text, { isError = false, action = "", onAction = null } = {}) {
  const node = document.createElement("div")
  node.className = isError ? "toast error" : "toast"
  node.append(Object.assign(document.createElement("span"), { textContent: text }))
  if (action) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: action })
    button.addEventListener("click", () => { node.remove(); onAction() })
    node.append(button)
  }
  document.getElementById("toasts").append(node)
  setTimeout(() => node.remove(), TOAST_MS)
}

// ---- Signing out: drafts are this person's and go with them ------------------------------------------------------
function forgetDrafts() {
  for (const storage of [localStorage, sessionStorage]) {
    for (const key of Object.keys(storage)) if (/^llm-ui-(draft|queue|beside)/.test(key)) storage.removeItem(key)
  }
}

document.getElementById("sign-out").addEventListener("submit", forgetDrafts)

// ---- The connection: tried again for as long as it takes ---------------------------------------------------------
const RETRY_MS = 1500
const MAX_REFUSALS = 3
const connection = document.getElementById("connection")

function showConnection(text) {
  connection.textContent = text
  connection.hidden = !text
}

async function whoIsSignedIn() {
  try {
    return (await fetch("/api/me", { cache: "no-store" })).status
  } catch {
    return 0
  }
}

// Once: another navigation would end the one under way, and with it what a slow server has begun to answer.
let isLeaving = false
addEventListener("pageshow", () => { isLeaving = false })

function goToSignIn() {
  if (isLeaving) return
  isLeaving = true
  location.assign("/login?next=" + encodeURIComponent(location.pathname))
}

let refusals = 0

async function reconnect(event) {
  const status = await whoIsSignedIn()
  if (status === 401) {
    goToSignIn()
  } else if (status !== 204) {
    setTimeout(() => reconnect(event), RETRY_MS)
  } else if (++refusals > MAX_REFUSALS) {
    // Signed in, the server is up, and yet the page is refused: it is too old. Drafts are kept in this browser.
    location.reload()
  } else {
    setTimeout(() => event.reconnect(), RETRY_MS)
  }
}

function watchConnection(document_) {
  document_.on_event("connection_lost", (_, event) => {
    // Bokeh 3.9 goes on with the half message it had when the connection broke, and then understands nothing.
    const connection = event.connection.deref()
    if (connection?._receiver) connection._receiver = new connection._receiver.constructor()
    showConnection(t("Connection lost. Reconnecting …"))
    dispatchEvent(new CustomEvent("llm-ui-disconnected"))
    // Panel tries five times by itself; from the last time on it is up to us.
    if (event.timeout == null) reconnect(event)
    else whoIsSignedIn().then((status) => { if (status === 401) goToSignIn() })
  })
  document_.on_event("client_reconnected", () => {
    refusals = 0
    showConnection("")
    window.llmUiLook.ask()
  })
  document_.on_message("look", () => window.llmUiLook.ask())
  // What changed between the page's making and now was told to nobody.
  window.llmUiLook.ask()
}

function waitForDocument() {
  const documents = window.Bokeh?.documents ?? []
  if (documents.length) documents.forEach(watchConnection)
  else setTimeout(waitForDocument, 50)
}
waitForDocument()

// Where the connection breaks while the document is on its way, Bokeh connects anew but never shows it.
const LOAD_MS = 8_000

async function watchLoading(begun) {
  if (window.Bokeh?.documents?.length) return
  const status = await whoIsSignedIn()
  if (status === 401) goToSignIn()
  else if (status === 204 && Date.now() - begun > LOAD_MS) location.reload()
  else setTimeout(() => watchLoading(begun), RETRY_MS)
  if (!status) showConnection(t("Connection lost. Reconnecting …"))
}
addEventListener("load", () => setTimeout(() => watchLoading(Date.now()), RETRY_MS))

// ---- Without a server: a page that says so, kept by a service worker where browsers allow one ----------------------
navigator.serviceWorker?.register("/service-worker.js").catch(() => {})

// The pages' own scripts use these; a global, for Panel loads those by a loader of its own.
window.llmUi = { toast, showSidebar, showConnection, goToSignIn }
