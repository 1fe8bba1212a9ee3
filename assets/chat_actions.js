// What can be done on the chat page to messages and to chats of the list, as operations to the server.

export function messageActions(page) {
  return {
    regenerate: (answer, how) => page.again({ op: "regenerate", answer, ...how }),
    goOn: (answer) => page.again({ op: "continue", answer }),
    edit: (question, text) => page.again({ op: "edit", question, text }),
    showBranch: (message) => page.tell({ op: "show_branch", message }),
    compare: (answer, is_on) => page.tell({ op: "compare", answer, is_on }),
    merge: (answers) => page.again({ op: "merge", answers }),
    keep: (answer) => page.keep(answer),
    rewrite: (answer, text) => page.tell({ op: "rewrite", answer, text }),
    remove: (message) => page.tell({ op: "delete_message", message }),
    rate: (answer, given) => page.tell({ op: "rate", answer, ...given }),
    branchOff: (message) => page.tell({ op: "branch_off", message }),
    explain: (answer) => page.explain(answer),
    models: () => page.models,
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
    archive: (chat) => page.archive(chat, true),
    unarchive: (chat) => page.archive(chat, false),
    share: (chat) => page.sharing.show(chat),
    exports: (chat) => page.exports.show(chat),
    show: (shelf) => page.tell({ op: "show_shelf", shelf }),
    more: () => page.tell({ op: "more_chats" }),
  }
}
