// Formulas, drawn by KaTeX as MathML once the first one is seen. Until then, and where it fails, they stand as written.

const MAX_FORMULAS = 300
const OPTIONS = { output: "mathml", trust: false, strict: "ignore", maxSize: 20, maxExpand: 200 }

let katex = null
let loading = null

async function load() {
  // A classic script: it leaves itself behind in the window.
  await import(document.getElementById("chat").dataset.katex)
  katex = window.katex
}

function draw(place) {
  const source = place.textContent
  const size = /^(\$\$|\\)/.test(source) ? 2 : 1
  try {
    katex.render(source.slice(size, -size), place, { ...OPTIONS, displayMode: place.classList.contains("display") })
    place.title = source
  } catch {
    place.textContent = source
  }
}

// Draw the formulas in a node, now or when KaTeX is there.
export function drawMaths(node) {
  const places = [...node.querySelectorAll(".math")].slice(0, MAX_FORMULAS)
  if (!places.length) return
  if (katex) {
    places.forEach(draw)
    return
  }
  loading ??= load()
  loading.then(() => places.forEach(draw), () => { loading = null })
}
