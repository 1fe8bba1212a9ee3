// What can be done with a project as a whole: change, duplicate, put away, take back, delete. And the list of those put away.

import { sizeOf } from "./chat_files.js"
import { isShared, mayEdit, mayOwn, placeName } from "./chat_members.js"
import { projectIcon } from "./chat_project_look.js"
import { dialogNamed } from "./dialog.js"
import { iconMenu, make, menuEntry, textButton } from "./dom.js"

export class ProjectMenu {
  // `act` has tell(op), show(shelf, project), archived(): those that are, settings(project), members(project) and duplicate(project).
  constructor(act) {
    this.act = act
    this.deleting = dialogNamed(t("Delete the project"), "deleting form-dialog")
    this.shelf = dialogNamed(t("Archived projects"), "archived form-dialog")
    // The one that is asked about, and the one that was deleted here.
    this.asked = null
    this.removed = null
  }

  button(project) {
    const label = t("Actions for the project {name}", { name: project.name })
    const away = project.is_archived ? t("Restore") : t("Archive the project")
    return iconMenu(label, "more", (menu) => [
      ...(mayEdit(project) ? [menuEntry(menu, t("Settings …"), () => this.act.settings(project.id))] : []),
      menuEntry(menu, t("Members …"), () => this.act.members(project)),
      menuEntry(menu, t("Duplicate …"), () => this.act.duplicate(project)),
      ...(mayOwn(project) ? [
        menuEntry(menu, away, () => this.archive(project, !project.is_archived)),
        menuEntry(menu, t("Delete …"), () => this.#weigh(project)),
      ] : []),
    ])
  }

  archive(project, is_archived) {
    this.act.tell({ op: "archive_project", project: project.id, is_archived })
    if (!is_archived) return
    this.act.show("open", null)
    const undo = () => this.archive(project, false)
    window.llmUi.toast(t("The project {name} is archived, with its chats.", { name: project.name }), { action: t("Undo"), onAction: undo })
  }

  // ---- Deleting ----
  #weigh(project) {
    this.asked = project
    this.act.tell({ op: "weigh_project", project: project.id })
  }

  // What goes and what stays is known: it is said before anything is done.
  weighed(op) {
    if (op.project !== this.asked?.id) return
    const project = this.asked
    const { dialog, title, body } = this.deleting
    title.textContent = t("Delete the project “{name}”?", { name: project.name })
    const gone = make("ul")
    const line = (text) => gone.append(make("li", "", text))
    line(t("Its instructions and settings"))
    if (op.documents) line(tn("{n} document, {size}", "{n} documents, {size}", op.documents, { n: op.documents.toLocaleString(document.documentElement.lang), size: sizeOf(op.size) }))
    if (op.facts) line(tn("{n} fact that models know in it", "{n} facts that models know in it", op.facts))
    const n = op.chats.toLocaleString(document.documentElement.lang)
    const back = isShared(project)
      ? tn("Its {n} chat stays: it goes back to the list of whoever wrote it.", "Its {n} chats stay: they go back to the lists of those who wrote them.", op.chats, { n })
      : tn("Its {n} chat stays: it goes back to the list.", "Its {n} chats stay: they go back to the list.", op.chats, { n })
    const stay = op.chats ? back : t("There are no chats in it.")
    const buttons = make("div", "buttons")
    const remove = textButton(t("Delete"), "primary danger", () => {
      dialog.close()
      this.removed = project
      this.act.tell({ op: "delete_project", project: project.id })
    })
    const keep = textButton(t("Cancel"), "more", () => dialog.close())
    buttons.append(remove, keep)
    body.replaceChildren(make("p", "", t("This is deleted for good:")), gone, make("p", "", stay), buttons)
    dialog.showModal()
    keep.focus()
  }

  // Whether this is the one that was deleted here: then that is said.
  tellDeleted(id) {
    const project = this.removed
    if (!id || id !== project?.id) return false
    this.removed = null
    window.llmUi.toast(t("The project {name} is gone; its chats are in the list.", { name: project.name }))
    return true
  }

  // ---- Those that were put away ----
  shelfLink() {
    return textButton(t("Archived projects"), "shelf-link", () => {
      this.drawShelf()
      this.shelf.dialog.showModal()
    })
  }

  drawShelf() {
    const { dialog, body } = this.shelf
    const list = make("ul", "choices")
    for (const project of this.act.archived()) {
      const item = make("li")
      const open = textButton("", "place", () => {
        dialog.close()
        this.act.show("open", project.id)
      })
      open.append(projectIcon(project), make("span", "", placeName(project)))
      const restore = textButton(t("Restore"), "more", () => this.archive(project, false))
      restore.setAttribute("aria-label", t("Restore the project {name}", { name: project.name }))
      item.append(open, ...(mayOwn(project) ? [restore] : []))
      list.append(item)
    }
    const about = list.children.length
      ? t("They can be read and searched. Nothing is asked in them or added to them until they are restored.")
      : t("No project is archived.")
    const hadFocus = dialog.contains(document.activeElement)
    const close = textButton(t("Close"), "more", () => dialog.close())
    body.replaceChildren(make("p", "muted", about), list, close)
    if (hadFocus) close.focus()
  }
}

// Stands in the place of the composer where nothing is asked.
export class ArchivedBar {
  // `act` has project(): the one that is shown, and restore(project).
  constructor(node, act) {
    this.node = node
    this.act = act
    this.composer = document.getElementById("composer")
  }

  draw() {
    const project = this.act.project()
    const isShown = Boolean(project?.is_archived)
    this.node.hidden = !isShown
    this.composer.hidden = isShown
    if (!isShown) return
    const said = make("p", "", t("The project {name} is archived: it is only read.", { name: project.name }))
    this.node.replaceChildren(said, ...(mayOwn(project) ? [textButton(t("Restore"), "primary", () => this.act.restore(project))] : []))
  }
}
