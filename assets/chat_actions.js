// What can be done on the chat page: in the composer, to messages, to chats of the list.

import { Agents } from "./chat_agents.js"
import { documents } from "./chat_document.js"
import { ArchivedBar } from "./chat_project_menu.js"
import { Told } from "./chat_told.js"
import { TEMPORARY } from "./chat_temporary.js"
import { ToolMenu } from "./chat_tools.js"

// What is not done later, when there is a connection again.
export const NEEDS_CONNECTION = new Set([
  "stop", "rename", "delete", "restore", "purge", "pin", "archive", "show_shelf", "show_branch", "rewrite", "delete_message", "restore_messages", "rate", "branch_off", "explain", "compare", "list_links", "save_agent", "delete_agent", "restore_agent", "list_knowledge", "pick_agent", "read_told", "save_personal", "list_versions", "restore_version", "save_prompt", "delete_prompt", "share", "revoke", "copy_request", "move", "tag", "save_project", "archive_project", "list_members", "add_member", "change_member", "remove_member", "share_with_team", "weigh_keeping", "save_limits", "weigh_project", "delete_project", "want_follow_ups", "list_memories", "save_memory", "delete_memory", "use_memory", "read_summary", "edit_summary", "read_parts", "read_difference",
  "choose_tools", "save_instructions", "rename_document", "retry_document", "delete_document", "fetch_document", "fetch_again", "retry_fetch", "remove_fetch", "save_cutting", "read_bench", "try_search", "judge_passage", "change_case", "delete_case", "measure_cases", "promote",
])
export const NO_CONNECTION = t("There is no connection to the server at the moment. Try again when it is back.")

export function composerActions(page) {
  return {
    submit: (pending) => page.submit(pending),
    stop: () => page.tell({ op: "stop" }),
    editLast: () => page.editLast(),
    beside: () => page.choice.ids,
    project: () => page.home.id ?? page.list.project,
    drops: () => page.home.takesDrops(),
    gauge: (what) => page.tell({ op: "gauge", agent: page.agents.current?.id ?? null, ...what }),
    blindModel: () => page.blindModel(),
    offeredModels: () => [...page.agents.offered(), ...page.models.map(({ id, label }) => ({
      label, about: t("Ask this model"), take: (write) => { write(""); page.tell({ op: "pick_model", model: id }) },
    }))],
    findDocuments: (chat, text, number) => page.tell({
      op: "find_documents", chat: chat === TEMPORARY ? null : chat, project: chat ? null : page.home.id ?? page.list.project, text, number,
    }),
    offeredPrompts: () => page.prompts.offered(),
  }
}

export function messageActions(page) {
  return {
    regenerate: (answer, how) => (page.chat === TEMPORARY ? page.temporary.askAgain(answer) : page.again({ op: "regenerate", answer, ...how })),
    goOn: (answer) => page.again({ op: "continue", answer }),
    edit: (question, text, attachments) => (page.chat === TEMPORARY ? page.temporary.askAgain(question, text) : page.again({ op: "edit", question, text, attachments })),
    showBranch: (message) => page.tell({ op: "show_branch", message }),
    compare: (answer, is_on) => page.tell({ op: "compare", answer, is_on }),
    merge: (answers) => page.again({ op: "merge", answers }),
    keep: (answer) => page.keep(answer),
    readDifference: (answer, other) => page.tell({ op: "read_difference", answer, other }),
    rewrite: (answer, text) => page.tell({ op: "rewrite", answer, text }),
    readParts: (answer) => page.tell({ op: "read_parts", answer }),
    remove: (message) => page.tell({ op: "delete_message", message }),
    rate: (answer, given) => page.tell({ op: "rate", answer, ...given }),
    branchOff: (message) => page.tell({ op: "branch_off", message }),
    explain: (answer) => page.explain(answer),
    models: () => page.models,
  }
}

export function explanationActions(page) {
  return {
    models: () => page.models,
    copy: (answer, language) => page.tell({ op: "copy_request", answer, language }),
    change: { memory: () => page.memories.show(), summary: () => page.summary.show() },
    replay: (answer, how) => {
      page.messages.comparison.awaitReplay(answer)
      page.again({ op: "replay", answer, ...how })
    },
  }
}

export function temporaryActions(page) {
  return {
    messages: page.messages,
    tell: (op) => page.tell(op),
    ask: (text) => page.again({ op: "send", text, files: [] }),
    agent: () => page.agents.current?.id ?? null,
    open: (path) => page.navigate(path),
  }
}

export function listActions(page) {
  return {
    rename: (chat, title) => page.tell({ op: "rename", chat: chat.id, title }),
    delete: (chat) => page.tell({ op: "delete", chat: chat.id }),
    restore: (chat) => page.tell({ op: "restore", chat: chat.id }),
    purge: (chat) => page.tell({ op: "purge", chat: chat.id }),
    pin: (chat) => page.tell({ op: "pin", chat: chat.id, is_pinned: true }),
    unpin: (chat) => page.tell({ op: "pin", chat: chat.id, is_pinned: false }),
    archive: (chat) => archive(page, chat, true),
    unarchive: (chat) => archive(page, chat, false),
    share: (chat) => page.sharing.show(chat),
    exports: (chat) => page.exports.show(chat),
    places: () => page.places,
    move: (chat) => page.places.move(chat),
    tag: (chat) => page.places.tag(chat),
    show: (shelf, project = null) => showShelf(page, shelf, project),
    more: () => page.tell({ op: "more_chats" }),
  }
}

export function placesActions(page) {
  return {
    tell: (op) => page.tell(op),
    show: (shelf, project) => showShelf(page, shelf, project),
    relist: () => page.tell({ op: "show_shelf", shelf: "open", project: page.list.project }),
    open: () => page.list.project,
    reread: (project) => page.tell({ op: "read_project", project }),
    models: () => page.models,
    moved: (chat, project) => {
      if (chat.id === page.chat) keepIn(page, project)
      page.composer.asksOther()
    },
    changed: () => {
      // It was deleted, or its person is no member of it any more.
      if (page.keptIn && !page.places.has(page.keptIn)) page.keptIn = null
      page.archived.draw()
      page.list.draw()
      page.home.change()
      page.search.offer()
      drawStartPlace(page)
    },
  }
}

// A project is opened at its home; what leaves it for the list leaves that too.
function showShelf(page, shelf, project) {
  if (project) {
    page.navigate(`/p/${project}`)
    return
  }
  page.tell({ op: "show_shelf", shelf, project: null })
  if (page.home.isOpen) page.navigate("/")
}

export function homeActions(page) {
  return {
    tell: (op) => page.tell(op),
    list: (project) => page.tell({ op: "show_shelf", shelf: "open", project }),
    find: (project) => page.places.find(project),
    settings: (project) => page.places.settings(project),
    members: (project) => page.places.members.show(project),
    limits: (project, budget) => page.places.limits.show(project, budget),
    menu: (project) => page.places.menu.button(project),
    model: (id) => page.models.find((model) => model.id === id)?.label,
    retitled: () => page.retitle(""),
    know: (project) => page.memories.show(project),
    leave: (sentence) => {
      window.llmUi.toast(sentence, { isError: true })
      page.tell({ op: "show_shelf", shelf: "open", project: null })
      page.navigate("/")
    },
    bytes: () => Number(document.getElementById("project").dataset.maxBytes),
    fetches: () => document.getElementById("project").dataset.fetches === "true",
  }
}

// The project of the chat that is open, or of one that begins now.
function placeOf(page) {
  const id = page.chat && page.chat !== TEMPORARY ? page.keptIn : page.chat === null ? page.home.id ?? page.list.project : null
  return id ? page.places.find(id) : null
}

function keepIn(page, project) {
  page.keptIn = project
  page.archived.draw()
}

export function agentsOf(page) {
  return new Agents({
    tell: (op) => page.tell(op),
    // In an empty chat outside of projects the address names the agent: it can be kept, and reloading changes nothing.
    pick: (agent) => {
      const isFree = page.chat === null && !page.home.id
      if (isFree) page.navigate(agent ? `/a/${agent}` : "/")
      else page.tell({ op: "pick_agent", agent })
      page.composer.refocus()
    },
    changed: (agent) => {
      page.temporary.answeredBy(agent)
      page.composer.asksOther()
    },
    preview: (agent) => page.inAdvance.show(agent),
    ask: (text) => page.composer.take(text),
    models: () => page.models,
    projects: () => page.places.projects.filter((project) => !project.is_archived),
  })
}

export function toldOf(page) {
  return new Told({
    tell: (op) => page.tell(op),
    // Of the chat that is open, or of the one that would begin here.
    place: () => ({ chat: page.chat === TEMPORARY ? null : page.chat, project: page.chat ? null : page.home.id ?? page.list.project, agent: page.agents.current?.id ?? null }),
    isTemporary: () => page.chat === TEMPORARY,
    changed: () => {
      page.tell({ op: "list_prompts" })
      page.composer.asksOther()
    },
  })
}

export function archivedBar(page) {
  return new ArchivedBar(document.getElementById("archived"), {
    project: () => placeOf(page),
    restore: (project) => page.places.menu.archive(project, false),
  })
}

// Where a chat that begins now will be kept.
function drawStartPlace(page) {
  const { project } = page.list
  const line = document.getElementById("start-place")
  line.hidden = !project
  line.textContent = project ? t("The chat will be kept in the project {name}.", { name: page.places.named(project) }) : ""
}

function archive(page, chat, is_archived) {
  page.tell({ op: "archive", chat: chat.id, is_archived })
  if (!is_archived || !page.model) return
  const undo = () => page.tell({ op: "archive", chat: chat.id, is_archived: false })
  window.llmUi.toast(t("The chat is in the archive."), { action: t("Undo"), onAction: undo })
}

function deleted(page, { chat }) {
  const isOpen = chat === page.chat
  const restore = () => {
    page.tell({ op: "restore", chat })
    if (isOpen) page.navigate(`/c/${chat}`)
  }
  window.llmUi.toast(t("The chat is in the bin."), { action: t("Undo"), onAction: restore })
  if (isOpen) page.navigate("/")
}

function messagesDeleted(page, { messages }) {
  const restore = () => {
    // Older messages that were loaded are drawn anew: one of them may be the one that comes back.
    page.isRestored = true
    page.tell({ op: "restore_messages", messages })
  }
  page.messages.remove(messages)
  window.llmUi.toast(messages.length > 1 ? t("The question and its answer are gone.") : t("The answer is gone."), { action: t("Undo"), onAction: restore })
}

// Which tools the model that is asked next may use.
function toolMenu(page) {
  return new ToolMenu(document.getElementById("tools"), {
    choose: (off) => page.tell({ op: "choose_tools", off }),
    isUsable: () => page.models.some((model) => model.id === page.asked && model.can_use_tools),
    isInProject: () => Boolean(placeOf(page)),
  })
}

// What the server tells that only one part of the page has to know.
export function replies(page) {
  const tools = toolMenu(page)
  return {
    agent: (op) => page.agents.answer(op),
    agents: (op) => page.agents.update(op),
    chats: (op) => {
      page.list.update(op)
      page.composer.picked.draw()
      page.composer.placed()
      page.archived.draw()
      drawStartPlace(page)
      tools.draw()
    },
    deleted: (op) => deleted(page, op),
    document_changed: (op) => page.home.news(op),
    document_gone: (op) => documents.gone(op),
    document_page: (op) => documents.update(op),
    bench: (op) => page.home.bench.update(op),
    bench_refused: (op) => page.home.bench.refused(op),
    tried: (op) => page.home.bench.found(op),
    measured: (op) => page.home.bench.compare(op),
    promoted: (op) => {
      page.home.bench.promoted(op)
      page.home.news({ ...op, op: "documents_now" })
    },
    cutting: (op) => page.home.passages.cuttings(op),
    cut: (op) => page.home.passages.cut(op),
    documents_cut: (op) => {
      page.home.passages.saved(op)
      page.home.news({ ...op, op: "documents_now" })
    },
    condition: ({ level, text }) => {
      const line = document.getElementById("condition")
      line.hidden = !text
      line.className = `announcement condition ${level === "degraded" ? "info" : "warning"}`
      line.textContent = text
    },
    documents: (op) => page.home.news(op),
    documents_now: (op) => page.home.news(op),
    explained: (op) => page.explanation.show(op),
    follow_ups: (op) => page.followUps.show(op, page.messages.lastAnswer()),
    found: (op) => page.search.found(op),
    found_documents: (op) => page.composer.picked.update(op),
    go: (op) => page.navigate(op.path),
    knowledge: (op) => page.agents.form.know(op),
    gauge: (op) => {
      if (op.chat === null && page.chat === TEMPORARY) page.composer.gauge.update({ ...op, taken: op.taken + page.temporary.tokens })
      else if (op.chat === page.chat) page.composer.gauge.update(op)
    },
    gauge_changed: (op) => {
      page.on_gauge_changed(op)
      tools.draw()
    },
    models: (op) => {
      page.on_models(op)
      tools.draw()
    },
    tools: (op) => tools.update(op),
    links: (op) => page.sharing.update(op),
    parts: (op) => page.messages.editParts(op),
    difference: (op) => page.messages.comparison.showDifference(op),
    places: (op) => page.places.update(op),
    project: (op) => page.home.update(op),
    project_weight: (op) => page.places.menu.weighed(op),
    project_gone: (op) => page.home.gone(op),
    keeping_weight: (op) => page.places.limits.update(op),
    members: (op) => page.places.members.update(op),
    message_deleted: (op) => messagesDeleted(page, op),
    memories: (op) => page.memories.update(op),
    preferences: (op) => page.followUps.setWanted(op),
    prompts: (op) => page.prompts.update(op),
    sent: (op) => {
      const [isNew, project] = [page.chat === null, page.home.id ?? page.list.project]
      page.on_sent(op)
      if (isNew && page.chat) keepIn(page, project)
    },
    snapshot: (op) => {
      page.on_snapshot(op)
      keepIn(page, op.project ?? null)
      tools.draw()
    },
    toast: (op) => {
      page.explanation.refuse()
      window.llmUi.toast(op.text, { isError: op.is_error })
    },
    told: (op) => page.inAdvance.update(op),
    told_changed: () => page.inAdvance.reload(),
    versions: (op) => page.inAdvance.versions.update(op),
    summary: (op) => page.summary.update(op),
    request: (op) => page.explanation.showRequest(op),
  }
}
