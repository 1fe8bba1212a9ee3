// Shown in place of a page while the server cannot be reached: asks until it can, then opens that page.

const PAUSE_MS = 3000

async function tryAgain() {
  try {
    const isUp = (await fetch("/healthz", { cache: "no-store" })).ok
    if (!isUp) return
  } catch {
    return
  }
  if (location.pathname === "/offline") location.replace("/")
  else location.reload()
}

document.getElementById("again").addEventListener("click", tryAgain)
addEventListener("online", tryAgain)
setInterval(tryAgain, PAUSE_MS)
