// Agents: who answers in a chat. Picked in the top bar or behind "@"; made, changed and deleted in a dialog.

import { AgentForm } from "./chat_agent_form.js"
import { agentIcon, learnLooks } from "./chat_agent_look.js"
import { projectIcon } from "./chat_project_look.js"
import { dialogNamed } from "./dialog.js"
import { make, menuEntry, pathIcon, textButton } from "./dom.js"

const PLAIN = "M5 9a2 2 0 0 1 2-2h10a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H7a2 2 0 0 1-2-2zM12 7V4M9.500 12v2M14.500 12v2"

const find = (id) => document.getElementById(id)

export class Agents {
  // `act` has tell(op), pick(agent), changed(agent): who answers next, ask(text), models() and projects().
  constructor(act) {
    this.act = act
    this.agents = []
    this.current = null
    this.mayShare = false
    this.library = dialogNamed(t("Agents"), "agents library form-dialog")
    this.form = new AgentForm({ ...act, save: (told) => this.#save(told), mayShare: () => this.mayShare })
    this.menu = find("agent-menu")
    this.menu.addEventListener("toggle", () => { if (this.menu.open) this.menu.lastElementChild.replaceChildren(...this.#entries()) })
    find("start").prepend(make("div", "agent-start"))
    find("temporary-start").append(make("div", "agent-start"))
    this.#draw()
  }

  // ---- What the server tells ----
  update(op) {
    this.agents = op.agents
    this.mayShare = op.may_share
    learnLooks(op.agents)
    if (op.saved) {
      this.form.close()
      if (op.saved === this.current?.id) this.act.tell({ op: "pick_agent", agent: op.saved })
    }
    if (this.library.dialog.open) this.#drawList()
    this.#draw()
  }

  // Who answers next; `gone` names one that has answered here and is not there any more.
  answer({ agent, gone }) {
    this.current = agent
    find("agent-gone").textContent = gone ? t("The agent {name} was deleted or is not shared any more. Its answers stay; from here on the model answers alone, unless another agent is picked.", { name: gone }) : ""
    find("agent-gone").hidden = !gone
    this.#draw()
    this.act.changed(agent?.id ?? null)
  }

  // What is offered behind "@".
  offered() {
    const picks = this.agents.map((agent) => ({
      label: agent.name, about: agent.description || t("Ask this agent"), take: (write) => { write(""); this.act.pick(agent.id) },
    }))
    return [...picks, { label: t("Agents …"), about: t("Make, change and delete them"), isAlways: true, take: (write) => { write(""); this.show() } }]
  }

  // ---- Who answers, in the top bar and in an empty chat ----
  #draw() {
    const { current } = this
    const summary = this.menu.firstElementChild
    summary.replaceChildren(current ? agentIcon(current.id) : pathIcon(PLAIN), ...(current ? [make("span", "", current.name)] : []))
    const label = current ? t("Agent: {name}", { name: current.name }) : t("Agent: none")
    summary.setAttribute("aria-label", label)
    summary.title = label
    this.menu.classList.toggle("is-picked", Boolean(current))
    this.#drawStart()
  }

  #drawStart() {
    find("start").classList.toggle("of-agent", Boolean(this.current))
    // A temporary chat says what it is, and then who answers.
    for (const [start, heading] of [["start", "h2"], ["temporary-start", "h3"]]) {
      const place = find(start).querySelector(".agent-start")
      place.replaceChildren(...(this.current ? this.#introduced(heading) : []))
    }
  }

  #introduced(heading) {
    const { name, description, starters } = this.current
    const head = make(heading)
    head.append(projectIcon(this.current), make("span", "", name))
    const list = make("div", "examples")
    for (const text of starters) {
      const button = textButton("", "", () => this.act.ask(text))
      button.append(make("strong", "", text))
      list.append(button)
    }
    return [head, make("p", "muted", description), list]
  }

  #entries() {
    const entry = (agent, label, node) => {
      const button = menuEntry(this.menu, "", () => this.act.pick(agent))
      button.append(node, make("span", "", label))
      if (agent === (this.current?.id ?? null)) button.setAttribute("aria-current", "true")
      return button
    }
    return [
      entry(null, t("No agent"), pathIcon(PLAIN)),
      ...this.agents.map((agent) => entry(agent.id, agent.name, agentIcon(agent.id))),
      menuEntry(this.menu, t("Agents …"), () => this.show()),
    ]
  }

  // ---- The dialog ----
  show() {
    this.#drawList()
    this.library.dialog.showModal()
  }

  #drawList() {
    const about = make("p", "muted", t("An agent answers with instructions, a model and knowledge of its own. Pick one above the chat, or type @ and its name."))
    const list = make("ul")
    list.append(...this.agents.map((agent) => this.#item(agent)))
    const none = make("p", "muted none", t("None yet. Make one for example that explains before it tells, that writes in the voice of your team, or that answers from your handbook."))
    this.library.body.replaceChildren(
      about, this.agents.length ? list : none, textButton(t("New agent"), "primary", () => this.form.show(null)), " ",
      textButton(t("Close"), "more", () => this.library.dialog.close()),
    )
  }

  #item(agent) {
    const item = make("li")
    const about = make("span")
    about.append(make("strong", "", agent.name), make("small", "", agent.description))
    item.append(about, agentIcon(agent.id))
    item.prepend(item.lastChild)
    if (agent.is_shared) item.append(make("span", "chip", agent.is_mine ? t("For everybody") : t("From {name}", { name: agent.owner })))
    const named = (label, text, act) => {
      const button = textButton(text, "more", act)
      button.setAttribute("aria-label", label)
      return button
    }
    const buttons = make("span", "buttons")
    buttons.append(named(t("Ask {name}", { name: agent.name }), t("Ask"), () => { this.library.dialog.close(); this.act.pick(agent.id) }))
    if (agent.is_mine) buttons.append(named(t("Edit {name}", { name: agent.name }), t("Edit"), () => this.form.show(agent)))
    buttons.append(named(t("Duplicate {name}", { name: agent.name }), t("Duplicate"), () => this.form.show({
      ...agent, id: null, is_shared: false, name: t("{name} (copy)", { name: agent.name }),
    })))
    if (agent.is_mine) buttons.append(named(t("Delete {name}", { name: agent.name }), t("Delete"), () => this.#remove(agent)))
    item.append(buttons)
    return item
  }

  #save(told) {
    this.act.tell({ op: "save_agent", ...told })
  }

  #remove(agent) {
    this.act.tell({ op: "delete_agent", agent: agent.id })
    if (agent.id === this.current?.id) this.act.pick(null)
    const undo = () => this.act.tell({ op: "restore_agent", agent: agent.id })
    window.llmUi.toast(t("{name} is deleted. Chats with it stay and go on without it.", { name: agent.name }), { action: t("Undo"), onAction: undo })
  }
}
