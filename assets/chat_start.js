// What an empty chat shows: a question, and examples that can be asked with a click.

import { make } from "./dom.js"

const EXAMPLES = [
  [t("What can I do here?"), t("A short guide to this workspace")],
  [t("What is 47 * 89?"), t("Arithmetic, exactly")],
  [t("Show me a table and some code"), t("See how answers look")],
]

export function drawStart(place, ask) {
  const list = make("div", "examples")
  for (const [text, about] of EXAMPLES) {
    const button = make("button")
    button.type = "button"
    button.append(make("strong", "", text), make("span", "", about))
    button.addEventListener("click", () => ask(text))
    list.append(button)
  }
  place.prepend(make("h2", "", t("What is on your mind?")), list)
}
