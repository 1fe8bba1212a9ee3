// How full the model's window will be with the text in the box, and what sending it costs.

const PIECES = /[\u1100-\u11ff\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f]|(\d+)|([^\W\d_]+|[\p{L}\p{M}]+)|[^\s\w]|_/gu
const LETTERS_PER_TOKEN = 4.5
const DIGITS_PER_TOKEN = 3
const PER_MESSAGE = 4
const SAMPLE_CHARS = 20_000
const PAUSE_MS = 300
const MAX_LOOKED_UP_CHARS = 8_000
const LEAST = 0.0001

// As llm_ui/kit/token_count.py counts.
export function estimate(text) {
  const sample = text.slice(0, SAMPLE_CHARS)
  let tokens = 0
  for (const [piece, digits, word] of sample.matchAll(PIECES)) {
    if (word) tokens += Math.max(1, piece.length / LETTERS_PER_TOKEN)
    else if (digits) tokens += Math.ceil(piece.length / DIGITS_PER_TOKEN)
    else tokens += 1
  }
  return Math.round(sample.length ? (tokens * text.length) / sample.length : 0)
}

function short(count) {
  const written = (value, least, most) => value.toLocaleString(document.documentElement.lang, { minimumFractionDigits: least, maximumFractionDigits: most })
  if (count < 1000) return String(count)
  if (count >= 1_000_000) return `${written(count / 1_000_000, 0, 1)}M`
  return count < 100_000 ? `${written(count / 1000, 1, 1)}k` : `${written(count / 1000, 0, 0)}k`
}

// Dollars in the currency of the workspace, as kit/currency.py writes them.
function priced(usd) {
  const { lang, dataset: { currency, rate } } = document.documentElement
  const write = (amount, digits) => amount.toLocaleString(lang, { style: "currency", currency, ...digits })
  const amount = usd * Number(rate)
  if (amount === 0) return t("free")
  if (amount < LEAST) return t("about {price}", { price: t("under {amount}", { amount: write(LEAST, { maximumSignificantDigits: 1 }) }) })
  return t("about {price}", { price: write(amount, amount >= 1 ? {} : { minimumSignificantDigits: 2, maximumSignificantDigits: 2 }) })
}

export class Gauge {
  // `ask` takes the number of the answer that is waited for, and the text to look up.
  constructor(node, ask) {
    this.node = node
    this.ask = ask
    this.data = null
    this.timer = null
    this.number = 0
    this.text = ""
    // As far as it is known.
    this.isInProject = false
    // What the passages were looked up for.
    this.lookedUp = ""
  }

  // What was known holds no longer: another chat, model or answer.
  forget() {
    this.data = null
    this.number += 1
    this.node.hidden = true
  }

  update(data) {
    if (data.number !== this.number) return
    this.data = data
    this.isInProject = data.is_in_project
    this.#look()
  }

  // The text has changed.
  show(text, { hasFiles = false } = {}) {
    this.text = text
    this.hasFiles = hasFiles
    clearTimeout(this.timer)
    if (!text.trim() && !hasFiles) {
      this.node.hidden = true
      return
    }
    this.timer = setTimeout(() => this.#look(), PAUSE_MS)
  }

  // Draw what is known. In a project the text itself decides which passages go along: it is looked up anew.
  #look() {
    this.draw()
    // No half of a pair at its end.
    const text = this.isInProject ? this.text.slice(0, MAX_LOOKED_UP_CHARS).replace(/[\ud800-\udbff]$/, "") : ""
    if (this.data && (!this.isInProject || text === this.lookedUp)) return
    this.lookedUp = text
    this.number += 1
    this.ask(this.number, text)
  }

  draw() {
    if ((!this.text.trim() && !this.hasFiles) || !this.data) return
    const { window, reserved, taken, attached, passages, passage_count, factor, price } = this.data
    const own = Math.ceil((estimate(this.text) + PER_MESSAGE) * factor) + attached
    const room = window - reserved
    const sent = Math.min(taken + own, Math.max(room, own))
    const cost = price === null ? "" : ` · ${priced((sent * price) / 1_000_000)}`
    this.node.hidden = false
    this.node.textContent = t("{sent} of {window} tokens", { sent: short(sent), window: short(window) }) + cost
    this.node.title = t("About {sent} tokens will be sent, {own} of them what you are writing; {reserved} are kept free for the answer.", {
      sent: sent.toLocaleString(document.documentElement.lang), own: own.toLocaleString(document.documentElement.lang), reserved: reserved.toLocaleString(document.documentElement.lang),
    })
    if (this.data.likely) this.node.title += " " + t("{model} is likely to answer: the estimate is by its price.", { model: this.data.likely })
    if (passage_count) {
      this.node.title += " " + tn("{n} passage of the documents goes along, with about {tokens} tokens.", "{n} passages of the documents go along, with about {tokens} tokens.", passage_count, {
        tokens: passages.toLocaleString(document.documentElement.lang),
      })
    }
    const { budget } = this.data
    const least = price === null ? 0 : (sent * price) / 1_000_000
    if (budget) {
      this.node.append(" · ", t("budget left: {left}", { left: budget.left }))
      this.node.title += " " + t("{left} of the {amount} that may be spent in this project this month are left.", { left: budget.left, amount: budget.amount })
    }
    this.node.classList.toggle("low", Boolean(budget?.is_low))
    this.node.classList.toggle("spent", Boolean(budget) && least > budget.left_usd)
    const isTooLong = own > room
    const isFull = !isTooLong && (this.data.is_cut || taken + own > room)
    this.node.classList.toggle("full", isFull)
    this.node.classList.toggle("too-long", isTooLong)
    if (isTooLong) this.node.textContent = t("About {own} tokens, more than this model takes ({room})", { own: short(own), room: short(room) })
    else if (isFull) this.node.title += " " + t("The oldest messages of the chat do not fit any more.")
  }
}
