// What an empty chat shows: a question, and examples that can be asked with a click. They are in the page from the
// beginning (workspace.html), so that nothing moves when the scripts are there.

export function listenToStart(place, ask) {
  for (const button of place.querySelectorAll(":scope > .examples button")) {
    button.addEventListener("click", () => ask(button.firstElementChild.textContent))
  }
}
