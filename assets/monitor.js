// What only the pages of monitoring have: where the time of a run went (llm_ui/admin/run/page.py),
// and how providers did (llm_ui/admin/system/page.py).

import { make } from "./parts.js"

const NARROWEST = 0.6

const Waterfall = {
  render({ model }) {
    const list = make("dl", { class: "waterfall", "aria-label": model.label })
    const draw = () => {
      const total = model.stretches.reduce((sum, one) => sum + one.ms, 0) || 1
      let before = 0
      list.replaceChildren(...model.stretches.flatMap((one) => {
        const bar = make("span", { class: "stretch" })
        bar.style.marginLeft = `${(before / total) * 100}%`
        bar.style.width = `${Math.max(NARROWEST, (one.ms / total) * 100)}%`
        before += one.ms
        return [make("dt", {}, one.name), make("dd", {}, bar, make("span", { class: "ms" }, one.text))]
      }))
    }
    model.on("stretches", draw)
    draw()
    return list
  },
}

const Strips = {
  render({ model }) {
    const list = make("ul", { class: "strips", "aria-label": model.label })
    const strip = (one) => {
      const parts = one.stretches.map((part) => {
        const node = make("span", { class: part.is_bad ? "bad" : "well" })
        node.style.flexGrow = part.share
        return node
      })
      return make("li", {}, make("span", { class: "name" }, one.name), make("span", { class: "strip", "aria-hidden": "true" }, ...parts), make("span", { class: "told" }, one.text))
    }
    const draw = () => list.replaceChildren(...model.strips.map(strip))
    model.on("strips", draw)
    draw()
    return list
  },
}

export default { Waterfall, Strips }
