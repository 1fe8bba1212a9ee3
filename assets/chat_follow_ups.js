// Questions to ask next, under the last answer. They come a moment after it: their place is kept from its first word
// on, so that nothing moves that is being read.

import { textButton } from "./dom.js"

export class FollowUps {
  // `tell` sends operations, `ask` takes a question into the composer.
  constructor({ tell, ask }) {
    this.ask = ask
    this.place = document.getElementById("follow-ups")
    this.wish = document.getElementById("follow-ups-wanted")
    this.isOn = false
    this.awaited = null
    this.questions = []
    this.wish.querySelector("input").addEventListener("change", ({ target }) => tell({ op: "want_follow_ups", is_wanted: target.checked }))
  }

  // Whether there are any: the workspace offers them and the person wants them.
  setWanted(op) {
    this.isOn = op.offers_follow_ups && op.wants_follow_ups
    this.wish.hidden = !op.offers_follow_ups
    this.wish.querySelector("input").checked = op.wants_follow_ups
    if (this.isOn) this.#draw()
    else this.place.hidden = true
  }

  // An answer is about to be written.
  expect() {
    this.clear()
    this.place.hidden = !this.isOn
  }

  // This answer has ended: what it leaves open comes next.
  await(answer) {
    this.awaited = answer
  }

  // The chat is drawn anew, up to this message.
  restore(last, isStreaming) {
    if (isStreaming) this.expect()
    else if (last?.follow_ups?.length) this.#offer(last.follow_ups)
    else if (!last || last.id !== this.awaited) this.clear()
  }

  show({ answer, questions }, last) {
    if (answer === last) this.#offer(questions)
  }

  clear() {
    this.awaited = null
    this.questions = []
    this.place.hidden = true
    this.place.replaceChildren()
  }

  #offer(questions) {
    this.questions = questions
    if (this.isOn) this.#draw()
  }

  #draw() {
    if (!this.questions.length) return
    this.place.hidden = false
    this.place.replaceChildren(...this.questions.map((text) => textButton(text, "follow-up", () => this.ask(text))))
  }
}
