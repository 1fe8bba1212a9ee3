// How agents look, wherever they are named: the icon and colour that their maker gave them.

import { projectIcon } from "./chat_project_look.js"
import { make } from "./dom.js"

// Those that may be asked, by id; one that is gone looks plain.
const looks = new Map()

export function agentIcon(id) {
  return projectIcon(looks.get(id) ?? { color: "grey", icon: "star" })
}

// Who answered, above an answer.
export function byline({ id, name }) {
  const node = make("p", "by")
  node.dataset.agent = id ?? ""
  node.append(agentIcon(id), make("span", "", name))
  return node
}

// The agents came: what names them already is drawn anew.
export function learnLooks(agents) {
  looks.clear()
  for (const agent of agents) looks.set(agent.id, agent)
  for (const node of document.querySelectorAll(".by[data-agent]")) node.firstChild.replaceWith(agentIcon(node.dataset.agent))
}
