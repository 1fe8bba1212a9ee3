// What a person chose for this browser. Light or dark, else as the system says: runs before the first paint of every
// page. The language, else as the browser asks for it: the server reads the cookie.

{
  const KEY = "llm-ui-theme"
  const THEMES = ["light", "dark"]
  const root = document.documentElement
  const colours = [...document.querySelectorAll("meta[name='theme-color']")]
  const bySystem = colours.map((meta) => meta.content)
  const scheme = document.querySelector("meta[name='color-scheme']")

  const chosenTheme = () => {
    try {
      const theme = localStorage.getItem(KEY)
      return THEMES.includes(theme) ? theme : "system"
    } catch {
      // The browser's store is switched off: nothing is kept.
      return root.dataset.theme ?? "system"
    }
  }

  const showTheme = (theme) => {
    if (theme === "system") delete root.dataset.theme
    else root.dataset.theme = theme
    scheme.content = theme === "system" ? THEMES.join(" ") : theme
    // One colour for each scheme of the system; a choice makes them the same.
    colours.forEach((meta, index) => { meta.content = bySystem[theme === "system" ? index : THEMES.indexOf(theme)] })
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === theme))
    }
  }

  showTheme(chosenTheme())
  document.addEventListener("DOMContentLoaded", () => showTheme(chosenTheme()))
  document.addEventListener("click", (event) => {
    const theme = event.target.closest?.("[data-theme-choice]")?.dataset.themeChoice
    if (!theme) return
    try {
      localStorage.setItem(KEY, theme)
    } catch {
      // It holds until the page is left.
    }
    showTheme(theme)
  })
  // Chosen in another tab, or before a step back to this page.
  addEventListener("storage", (event) => { if (event.key === KEY || event.key === null) showTheme(chosenTheme()) })
  addEventListener("pageshow", (event) => { if (event.persisted) showTheme(chosenTheme()) })

  const YEAR_S = 31_536_000
  document.addEventListener("change", (event) => {
    const select = event.target.closest?.("[data-languages]")
    if (!select) return
    document.cookie = `llm-ui-language=${select.value}; path=/; max-age=${YEAR_S}; samesite=lax`
    location.reload()
  })
}
