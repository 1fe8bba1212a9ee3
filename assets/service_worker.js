// Stands in when the server cannot be reached: shows a page that says so and tries again. Keeps nothing but that page and
// its files, no chat and nothing of a person. VERSION and FILES are put before this by llm_ui/app/offline.py: with
// another version browsers install it anew.

const PAGE = "/offline"
const KEPT = `llm-ui-offline-${VERSION}`
const UNREACHED = new Set([502, 504])

async function install() {
  const kept = await caches.open(KEPT)
  await kept.addAll([PAGE, ...FILES].map((file) => new Request(file, { cache: "reload" })))
  await skipWaiting()
}

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith("llm-ui-offline-") && name !== KEPT) await caches.delete(name)
  // The server is asked while this script starts.
  await registration.navigationPreload?.enable()
  await clients.claim()
}

async function reached(event) {
  try {
    const response = (await event.preloadResponse) ?? (await fetch(event.request))
    if (!UNREACHED.has(response.status)) return response
  } catch {
    // No connection.
  }
  return (await caches.match(PAGE)) ?? Response.error()
}

async function file(request) {
  return (await caches.match(request)) ?? fetch(request)
}

addEventListener("install", (event) => event.waitUntil(install()))
addEventListener("activate", (event) => event.waitUntil(activate()))
addEventListener("fetch", (event) => {
  const { request } = event
  if (request.method !== "GET") return
  if (request.mode === "navigate") event.respondWith(reached(event))
  else if (FILES.includes(new URL(request.url).pathname)) event.respondWith(file(request))
})

// To the page that is open, or to a new one.
async function opened(path) {
  const [page] = await clients.matchAll({ type: "window" })
  if (!page) return clients.openWindow(path)
  page.postMessage({ open: path })
  return page.focus()
}

addEventListener("notificationclick", (event) => {
  event.notification.close()
  event.waitUntil(opened(event.notification.data.path))
})
