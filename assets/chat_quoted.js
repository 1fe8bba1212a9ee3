// Where a passage stands on its page.

const WORD = /[\p{L}\p{N}]+/gu
const MIN_QUOTED_CHARS = 12
const MIN_WORDS = 4

// All of a block is in the passage, or it cannot be said which part of it is.
export const WHOLE = "whole"

// Only letters and digits: a passage may be set otherwise than its page.
const bare = (text) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim()

// What a passage was cut from, by the numbers of the blocks: WHOLE, or where in the block's text it begins and ends. It
// is the longest run of blocks whose words are in it, or that hold one of its lines.
export function quoted(blocks, passage) {
  const whole = ` ${bare(passage)} `
  const lines = passage.split("\n").map(bare).filter((line) => line.length >= MIN_QUOTED_CHARS)
  let [best, bestLength] = [[], 0]
  let [run, length] = [[], 0]
  blocks.forEach((block, number) => {
    const words = bare(block.text)
    const isAll = whole.includes(` ${words} `)
    const isIn = words && (isAll || lines.some((line) => words.includes(line)))
    if (words && !isIn) [run, length] = [[], 0]
    else if (words) [run, length] = [[...run, [number, isAll]], length + words.length]
    if (length > bestLength) [best, bestLength] = [run, length]
  })
  return new Map(best.map(([number, isAll]) => [number, isAll ? WHOLE : part(blocks[number].text, passage)]))
}

// Where in a text the passage is: the most words in a row that are in both.
function part(text, passage) {
  const words = [...text.matchAll(WORD)]
  const [first, count] = longestRun(words.map(lower), [...passage.matchAll(WORD)].map(lower))
  if (count < MIN_WORDS) return WHOLE
  const last = words[first + count - 1]
  // With the signs that stand at the first and the last of them, such as quotation marks and the full stop.
  const before = text.slice(0, words[first].index).match(/[^\s\p{L}\p{N}]*$/u)[0]
  const after = text.slice(last.index + last[0].length).match(/^[^\s\p{L}\p{N}]*/u)[0]
  return [words[first].index - before.length, last.index + last[0].length + after.length]
}

const lower = ([word]) => word.toLowerCase()

// Where in `words` the longest run begins that is in `others` too, and how long it is.
function longestRun(words, others) {
  const places = new Map()
  others.forEach((word, place) => places.set(word, [...(places.get(word) ?? []), place]))
  let [first, count] = [0, 0]
  // Of the runs that end at the word before, by their end in `others`.
  let runs = new Map()
  words.forEach((word, at) => {
    const longer = new Map()
    for (const place of places.get(word) ?? []) {
      const run = (runs.get(place - 1) ?? 0) + 1
      longer.set(place, run)
      if (run > count) [first, count] = [at - run + 1, run]
    }
    runs = longer
  })
  return [first, count]
}
