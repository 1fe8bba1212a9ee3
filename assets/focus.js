// Focus is never lost: when what has it is taken away or hidden, what is nearest and stays gets it. Else the keys of a
// person without a mouse, and the voice of a screen reader, would begin again at the top of the page.

{
  const TAKES_FOCUS = "a, button, summary, input, select, textarea, [tabindex]"
  // What had the focus, with all that is around it; after a dialog or a form, what had it before that was opened. Each
  // with its name and how far down it was, by which it is known when it was drawn again.
  let trail = []
  let isAsked = false

  const canHaveFocus = (node) => Boolean(node?.isConnected && node.checkVisibility() && !node.disabled && node.tabIndex >= 0)

  const ownerOf = (node) => node.matches("details.menu") ? node.querySelector("summary") : node

  const stepOf = (node) => {
    const name = ownerOf(node)?.getAttribute("aria-label")
    return { node, name, top: name ? node.getBoundingClientRect().top : 0 }
  }

  // What was drawn again has the same name; a button that has come to its end stands beside the one that goes back.
  const again = (place, { name, top }) => {
    const like = [...place.querySelectorAll(`[aria-label="${CSS.escape(name)}"]`)].filter((node) => node.checkVisibility())
    const distance = (node) => Math.abs(node.getBoundingClientRect().top - top)
    const [closest] = like.sort((one, other) => distance(one) - distance(other))
    return closest?.disabled ? closest.parentElement.querySelector("button:enabled") : closest
  }

  const nearest = () => {
    const lost = []
    for (const step of trail) {
      if (step.name) lost.push(step)
      if (!step.node.isConnected) continue
      const place = [ownerOf(step.node), ...lost.map((one) => again(step.node, one))].find(canHaveFocus)
      if (place) return place
    }
    return document.getElementById("message") ?? document.getElementById("main")
  }

  const keep = () => {
    isAsked = false
    if (!trail.length || document.activeElement !== document.body) return
    const place = nearest()
    trail = []
    place?.focus({ preventScroll: true })
  }

  document.addEventListener("focusin", ({ target }) => {
    const frame = target.closest("dialog, form")
    const opened = trail.findIndex((step) => step.node === frame)
    const before = frame ? trail.slice(opened + 1) : []
    trail = []
    for (let node = target; node && node !== document.body; node = node.parentElement) {
      trail.push(stepOf(node))
      if (node === frame) break
    }
    trail.push(...before)
  })
  // A click beside everything is meant to leave the focus nowhere.
  document.addEventListener("pointerdown", ({ target }) => { if (!target.closest(TAKES_FOCUS)) trail = [] })
  // After the frame: until then the browser says that something hidden has the focus.
  const ask = () => {
    if (isAsked) return
    isAsked = true
    requestAnimationFrame(() => setTimeout(keep))
  }
  const watched = { subtree: true, childList: true, attributes: true, attributeFilter: ["open", "hidden", "disabled"] }
  new MutationObserver(ask).observe(document.body, watched)
}
