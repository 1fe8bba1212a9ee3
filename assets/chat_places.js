// What chats are sorted by: projects, which hold them, and tags, which they are found by.

import { ProjectForm } from "./chat_project_form.js"
import { projectIcon } from "./chat_project_look.js"
import { Limits } from "./chat_limits.js"
import { Members, isShared, placeName, sharedSign } from "./chat_members.js"
import { ProjectMenu } from "./chat_project_menu.js"
import { dialogNamed } from "./dialog.js"
import { icon, make, textButton } from "./dom.js"

const MAX_TAGS = 20

function rowButton(label, drawn, act) {
  const button = textButton("", "place", act)
  button.append(drawn, make("span", "", label))
  return button
}

export class Places {
  // `act` has tell(op), changed(), moved(chat, project): a chat was, show(shelf, project), models(), and open(): the project whose chats are listed.
  constructor(act) {
    this.act = act
    this.all = []
    this.tags = []
    this.form = new ProjectForm({ ...act, templates: () => this.projects.filter((project) => project.is_template) })
    this.menu = new ProjectMenu({
      ...act, archived: () => this.all.filter((project) => project.is_archived), settings: (id) => this.settings(id), duplicate: (project) => this.form.duplicate(project), members: (project) => this.members.show(project),
    })
    this.members = new Members({ tell: act.tell, find: (id) => this.find(id) })
    this.limits = new Limits({ tell: act.tell })
    this.moving = dialogNamed(t("Move"), "moving form-dialog")
    this.tagging = dialogNamed(t("Tags"), "tagging form-dialog")
  }

  // Those that are not put away.
  get projects() {
    return this.all.filter((project) => !project.is_archived)
  }

  update(op) {
    this.all = op.projects
    this.tags = op.tags
    if (op.saved) {
      const told = this.form.saved()
      // A new project is opened; what was only moved or changed leaves the list as it is, but for that.
      if (told?.chat) this.act.moved(told.chat, op.saved)
      if (told?.project || told?.chat) this.act.relist()
      else this.act.show("open", op.saved)
    }
    const isOpenGone = this.act.open() && !this.all.some((project) => project.id === this.act.open())
    // Here or on another page.
    const isDoneHere = this.members.left(op.left) || this.menu.tellDeleted(op.deleted)
    if (isOpenGone && !isDoneHere) window.llmUi.toast(t("The project was deleted, or you are no member of it any more."))
    if (isDoneHere || isOpenGone) this.act.show("open", null)
    if (this.limits.saved(op.limited)) this.act.reread(op.limited)
    if (this.menu.shelf.dialog.open) this.menu.drawShelf()
    this.act.changed()
  }

  has(id) {
    return this.all.some((project) => project.id === id)
  }

  // What is known of a project; of one that is not known yet only that it is one.
  find(id) {
    return this.all.find((project) => project.id === id) ?? { id, name: t("Project"), color: "grey", icon: "folder" }
  }

  named(id) {
    return this.find(id).name
  }

  settings(id) {
    this.form.change(this.find(id))
  }

  // ---- In the sidebar ----
  section() {
    const head = make("div", "group places-head")
    head.append(make("h2", "", t("Projects")))
    const add = textButton("", "icon-button", () => this.form.begin())
    add.setAttribute("aria-label", t("New project"))
    add.title = t("New project")
    add.append(icon("plus"))
    head.append(add)
    const list = make("ul")
    list.setAttribute("aria-label", t("Projects"))
    for (const project of this.projects) {
      const item = make("li")
      const button = rowButton(project.name, projectIcon(project), () => this.act.show("open", project.id))
      button.dataset.focus = `project-${project.id}`
      if (isShared(project)) button.append(sharedSign(project))
      item.append(button)
      list.append(item)
    }
    return this.projects.length ? [head, list] : [head]
  }

  // Where those are found that are put away, if there are any.
  shelfLinks() {
    return this.projects.length < this.all.length ? [this.menu.shelfLink()] : []
  }

  head(id) {
    const project = this.find(id)
    const head = make("div", "shelf-head project-head")
    const name = make("strong")
    name.append(projectIcon(project), make("span", "", project.name))
    if (isShared(project)) name.append(sharedSign(project))
    name.title = project.name
    head.append(textButton(t("← Chats"), "shelf-link", () => this.act.show("open", null)), this.menu.button(project), name)
    return head
  }

  // ---- Dialogs ----
  // Where a chat is to be kept.
  move(chat) {
    const { dialog, title, body } = this.moving
    title.textContent = t("Move “{title}”", { title: chat.title || t("New chat") })
    const list = make("ul", "choices")
    const add = (label, drawn, act, isHere = false) => {
      const item = make("li")
      const button = rowButton(label, drawn, () => {
        dialog.close()
        act()
      })
      if (isHere) button.setAttribute("aria-current", "true")
      item.append(button)
      list.append(item)
    }
    const put = (project) => {
      this.act.tell({ op: "move", chat: chat.id, project })
      this.act.moved(chat, project)
    }
    add(t("No project"), icon("list"), () => put(null), !chat.project)
    for (const project of this.projects) add(placeName(project), projectIcon(project), () => put(project.id), chat.project === project.id)
    add(t("New project …"), icon("plus"), () => this.form.begin(chat))
    body.replaceChildren(list, textButton(t("Cancel"), "more", () => dialog.close()))
    dialog.showModal()
  }

  // The tags of a chat: each change is kept at once.
  tag(chat) {
    const { dialog, title, body } = this.tagging
    title.textContent = t("Tags of “{title}”", { title: chat.title || t("New chat") })
    let tags = [...chat.tags]
    const form = make("form")
    const box = Object.assign(make("input"), { maxLength: 40, placeholder: t("travel"), autocomplete: "off" })
    const given = make("ul", "tags")
    given.setAttribute("aria-label", t("Tags of this chat"))
    const offered = make("ul", "tags")
    offered.setAttribute("aria-label", t("Your other tags"))
    const keep = (changed) => {
      tags = [...new Set(changed)].sort()
      this.act.tell({ op: "tag", chat: chat.id, tags })
      draw()
    }
    const chip = (label, text, act) => {
      const item = make("li")
      const button = textButton(text, "tag", act)
      button.setAttribute("aria-label", label)
      item.append(button)
      return item
    }
    const draw = () => {
      given.replaceChildren(...tags.map((name) => chip(t("Take away {name}", { name }), `${name} ×`, () => {
        keep(tags.filter((one) => one !== name))
        box.focus()
      })))
      const others = this.tags.filter((name) => !tags.includes(name)).slice(0, 30)
      offered.replaceChildren(...others.map((name) => chip(t("Add {name}", { name }), `+ ${name}`, () => {
        keep([...tags, name])
        box.focus()
      })))
      box.disabled = tags.length >= MAX_TAGS
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault()
      const typed = box.value.split(",").map((name) => name.trim().replace(/^#/, "").toLowerCase()).filter(Boolean)
      if (typed.length) keep([...tags, ...typed].slice(0, MAX_TAGS))
      box.value = ""
    })
    const line = make("div", "buttons")
    line.append(box, make("button", "primary", t("Add")))
    box.setAttribute("aria-label", t("New tag"))
    form.append(make("p", "muted", t("Chats are found by their tags. At most {n}.", { n: MAX_TAGS })), given, line, offered)
    body.replaceChildren(form, textButton(t("Done"), "more", () => dialog.close()))
    draw()
    dialog.showModal()
    box.focus()
  }
}
