// The sentences of the scripts in the person's language: locale/….js brings them, English is in the code itself.

{
  const words = window.llmUiWords ?? {}
  const rules = new Intl.PluralRules(document.documentElement.lang)
  const forms = rules.resolvedOptions().pluralCategories
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place)

  // A sentence; {name} in it stands for a value of that name.
  window.t = (text, values = {}) => fill(words[text] ?? text, values)

  // The form of a sentence that goes with a number, which is {n} in it.
  window.tn = (one, many, n, values = {}) => {
    const form = words[one]?.[forms.indexOf(rules.select(n))] ?? (n === 1 ? one : many)
    return fill(form, { n, ...values })
  }
}
