// Who is in a project, what each may do, and how it is shown that it is shared.

import { confirmed, dialogNamed, field } from "./dialog.js"
import { make, pathIcon, textButton } from "./dom.js"

const ROLES = { viewer: t("Viewer"), editor: t("Editor"), owner: t("Owner") }
// A team owns no project: owners are people.
const TEAM_ROLES = ["viewer", "editor"]
const ABOUT = {
  viewer: t("asks in it and reads its documents"),
  editor: t("also changes its documents and instructions"),
  owner: t("also decides on members, its name and its end"),
}
const MAX_EMAIL_CHARS = 254
const PEOPLE = "M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7zM2.500 20c0-4 3-6 6.500-6s6.500 2 6.500 6M16 4.500a3.500 3.500 0 0 1 0 6M18 14.500c2.200.8 3.500 2.700 3.500 5.500"

export const mayEdit = ({ role = "viewer" }) => role !== "viewer"
export const mayOwn = ({ role = "viewer" }) => role === "owner"
export const isShared = ({ members = 1 }) => members > 1

// What a project is called where several are picked from: those of others may have the same name.
export function placeName({ name, owner }) {
  return owner ? t("{name} ({owner})", { name, owner }) : name
}

// What stands behind the name of a shared project: whose it is.
export function sharedSign(project) {
  const sign = make("small", "shared")
  const said = project.owner ? t("shared by {name}", { name: project.owner }) : t("shared by you")
  sign.append(pathIcon(PEOPLE), make("span", "", project.owner ?? t("you")))
  sign.title = said
  sign.setAttribute("aria-label", said)
  sign.setAttribute("role", "img")
  return sign
}

// What a member may do here, in a sentence.
export function told(project) {
  if (project.owner) {
    if (mayOwn(project)) return t("Shared by {name}. You are an owner, too.", { name: project.owner })
    if (mayEdit(project)) return t("Shared by {name}. You ask here and change its documents and instructions.", { name: project.owner })
    return t("Shared by {name}. You ask here and read its documents.", { name: project.owner })
  }
  return tn("You share it with {n} person.", "You share it with {n} people.", project.members - 1)
}

function roleSelect(chosen, offered = Object.keys(ROLES)) {
  const select = make("select")
  for (const role of offered) select.append(new Option(`${ROLES[role]}: ${ABOUT[role]}`, role))
  select.value = chosen
  return select
}

export class Members {
  // `act` has tell(op) and find(project).
  constructor(act) {
    this.act = act
    Object.assign(this, dialogNamed(t("Members"), "members form-dialog"))
    this.sure = dialogNamed(t("Remove from the project"), "removing form-dialog")
    this.id = null
    // Whom the project is left by, until that is confirmed.
    this.leaving = null
  }

  show(project) {
    this.id = project.id
    this.title.textContent = t("Members of “{name}”", { name: project.name })
    this.body.replaceChildren(make("p", "muted", t("Looking it up …")))
    this.dialog.showModal()
    this.act.tell({ op: "list_members", project: project.id })
  }

  update(op) {
    // The sidebar says with how many it is shared.
    if (op.is_changed) this.act.tell({ op: "list_places" })
    if (op.project !== this.id || !this.dialog.open) return
    this.#draw(op)
  }

  // Whether a project was left here: then that is said.
  left(id) {
    const name = this.leaving
    this.leaving = null
    if (!id || !name) return false
    this.dialog.close()
    window.llmUi.toast(t("You have left the project {name}. Your chats are in your list.", { name }))
    return true
  }

  #draw({ members, teams, offered, is_changed: isChanged }) {
    const me = members.find((one) => one.is_me)
    const project = { ...this.act.find(this.id), role: me?.role }
    const owns = mayOwn(project)
    const list = make("ul", "people")
    for (const one of members) list.append(this.#row(one, project, owns))
    for (const one of teams) list.append(this.#teamRow(one, project, owns))
    const own = make("p", "muted", t("Nobody reads the chats of another member, nor the facts that others have told models here. The usage of the project counts everybody's."))
    const parts = [list]
    if (owns) parts.push(this.#form())
    if (owns && offered.length) parts.push(this.#teamForm(offered))
    const buttons = make("div", "buttons")
    // Who is here through a team leaves with the team.
    if (me) buttons.append(textButton(t("Leave the project …"), "more", () => this.#leave(members, project)))
    buttons.append(textButton(t("Close"), "more", () => this.dialog.close()))
    const hadFocus = this.dialog.contains(document.activeElement) || document.activeElement === document.body
    this.body.replaceChildren(...parts, own, buttons)
    if (isChanged && hadFocus) (this.body.querySelector("input") ?? buttons.lastChild).focus()
  }

  #row(one, project, owns) {
    const line = make("li")
    const who = make("div", "who")
    who.append(make("strong", "", one.is_me ? t("{name} (you)", { name: one.name }) : one.name), make("small", "", one.email))
    line.append(who)
    if (!owns) {
      line.append(make("span", "role", ROLES[one.role]))
      return line
    }
    const role = make("select")
    for (const [value, label] of Object.entries(ROLES)) role.append(new Option(label, value))
    role.value = one.role
    role.setAttribute("aria-label", t("Role of {name}", { name: one.name }))
    role.addEventListener("change", () => {
      this.act.tell({ op: "change_member", project: this.id, member: one.id, role: role.value })
      // Until it is confirmed; a refusal leaves it so.
      role.value = one.role
    })
    line.append(role)
    if (!one.is_me) {
      const remove = textButton(t("Remove"), "more", () => this.#remove(one, project))
      remove.setAttribute("aria-label", t("Remove {name}", { name: one.name }))
      line.append(remove)
    }
    return line
  }

  #teamRow(one, project, owns) {
    const line = make("li")
    const who = make("div", "who")
    who.append(make("strong", "", one.name), make("small", "", tn("Team with {n} person", "Team with {n} people", one.members)))
    line.append(who)
    if (!owns) {
      line.append(make("span", "role", ROLES[one.role]))
      return line
    }
    const role = make("select")
    for (const value of TEAM_ROLES) role.append(new Option(ROLES[value], value))
    role.value = one.role
    role.setAttribute("aria-label", t("Role of {name}", { name: one.name }))
    role.addEventListener("change", () => {
      this.act.tell({ op: "share_with_team", project: this.id, team: one.id, role: role.value })
      role.value = one.role
    })
    const remove = textButton(t("Remove"), "more", () => this.#removeTeam(one, project))
    remove.setAttribute("aria-label", t("Remove {name}", { name: one.name }))
    line.append(role, remove)
    return line
  }

  #teamForm(offered) {
    const form = make("form", "add-member")
    const team = make("select")
    for (const { id, name } of offered) team.append(new Option(name, id))
    const role = roleSelect("viewer", TEAM_ROLES)
    form.append(field(t("A team of yours: all its members, as long as they are in it"), team), field(t("Role"), role), make("button", "primary", t("Add team")))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.act.tell({ op: "share_with_team", project: this.id, team: team.value, role: role.value })
    })
    return form
  }

  #removeTeam(one, project) {
    const said = t("Its members cannot open the project “{project}” any more, at once, unless they are members of it themselves. Their chats in it stay theirs, but leave the project; facts they have told models in it are deleted. Documents they have added stay.", { project: project.name })
    this.sure.title.textContent = t("Remove {name}?", { name: one.name })
    confirmed(this.sure, said, () => this.act.tell({ op: "share_with_team", project: this.id, team: one.id, role: null }), t("Remove"))
  }

  #form() {
    const form = make("form", "add-member")
    const email = Object.assign(make("input"), { type: "email", required: true, maxLength: MAX_EMAIL_CHARS, placeholder: "name@example.org", autocomplete: "off" })
    const role = roleSelect("viewer")
    form.append(field(t("E-mail address of somebody with an account here"), email), field(t("Role"), role), make("button", "primary", t("Add member")))
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      this.act.tell({ op: "add_member", project: this.id, email: email.value, role: role.value })
    })
    return form
  }

  #remove(one, project) {
    const said = t("{name} cannot open the project “{project}” any more, at once. Their chats in it stay theirs, but leave the project and reach its documents no longer; facts they have told models in it are deleted. Documents they have added stay.", { name: one.name, project: project.name })
    this.sure.title.textContent = t("Remove {name}?", { name: one.name })
    confirmed(this.sure, said, () => this.act.tell({ op: "remove_member", project: this.id, member: one.id }), t("Remove"))
  }

  #leave(members, project) {
    const me = members.find((one) => one.is_me)
    if (me.role === "owner" && members.filter(({ role }) => role === "owner").length === 1) {
      window.llmUi.toast(t("You are the only owner. Make somebody else an owner first, or delete the project."), { isError: true })
      return
    }
    this.sure.title.textContent = t("Leave “{name}”?", { name: project.name })
    confirmed(this.sure, t("Your chats stay yours: they go back to your list, and reach the documents of the project no longer. Facts you have told models in it are deleted; documents you have added stay."), () => {
      this.leaving = project.name
      this.act.tell({ op: "remove_member", project: this.id, member: me.id })
    }, t("Leave"))
  }
}
