// How the workspace looks, while the page is open: its name, logo, colour and banner, shown as they change. Pages with a
// connection are told that something changed (llm_ui/app/sockets.py); plain ones ask now and then.

{
  const PLAIN_PAUSE_MS = 5000
  let name = document.querySelector("[data-look=name]")?.textContent

  const put = (node, attribute, value) => { if (node && node.getAttribute(attribute) !== value) node.setAttribute(attribute, value) }
  const each = (what, act) => document.querySelectorAll(`[data-look="${what}"]`).forEach(act)

  const say = (what, text) => each(what, (node) => {
    if (node.textContent !== text) node.textContent = text
    node.hidden = !text
  })

  function show(look) {
    const accent = document.getElementById("accent")
    if (accent.textContent !== look.styles) accent.textContent = look.styles
    each("logo", (image) => put(image, "src", look.logo))
    put(document.querySelector("link[rel=icon]"), "href", look.logo)
    put(document.querySelector("link[rel=apple-touch-icon]"), "href", look.touch)
    for (const what of ["name", "banner", "sign_in_text"]) say(what, look[what])
    each("banner", (node) => node.classList.toggle("warning", look.level === "warning"))
    const frame = document.querySelector(".frame")
    if (frame) frame.dataset.off = look.off
    put(document.documentElement, "data-currency", look.currency)
    put(document.documentElement, "data-rate", look.rate)
    if (look.name === name) return
    // The title may have grown a count of new answers meanwhile; of others' words only the end is the name.
    if (document.title.endsWith(name)) document.title = document.title.slice(0, -name.length) + look.name
    name = look.name
  }

  let isAsking = false
  let isStale = false

  // Whoever is told while an answer is on its way asks again after it: what is shown last is what holds.
  async function ask() {
    isStale = true
    if (isAsking) return
    isAsking = true
    while (isStale) {
      isStale = false
      try {
        const answer = await fetch("/look")
        if (answer.ok) show(await answer.json())
      } catch {
        // No connection: asked again once there is one.
      }
    }
    isAsking = false
  }

  window.llmUiLook = { ask }

  if (!document.querySelector(".frame")) {
    setInterval(() => { if (!document.hidden) ask() }, PLAIN_PAUSE_MS)
    document.addEventListener("visibilitychange", () => { if (!document.hidden) ask() })
  }
}
