"""Whether anything that a page was given to show acts: runs, loads, leaves, or could when it is touched."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, Dialog, Frame, Page

from tests.security.xss_corpus import HOST

FIRED = "xss has fired"
SETTLE_MS = 150
"""What acts later than at once: refreshes, animations, images that fail."""

HOOK = f"""
window.xss = () => console.error("{FIRED}")
addEventListener("click", (event) => {{
  // Links to elsewhere are there to be followed by people; here they stay.
  if (/^(https?|mailto):/.test(event.target.closest?.("a")?.href ?? "")) event.preventDefault()
}}, true)
"""

HARM = """
() => {
  const harm = []
  const inside = (node) => (node.shadowRoot ? elements(node.shadowRoot) : [])
  const elements = (root) => [...root.querySelectorAll("*")].flatMap((node) => [node, ...inside(node)])
  const addresses = new Set([
    "href", "xlink:href", "src", "srcset", "action", "formaction", "data", "poster", "background",
  ])
  const isOurs = (address) => {
    try {
      const { origin, protocol } = new URL(address, document.baseURI)
      return origin === location.origin || ["data:", "blob:"].includes(protocol)
    } catch { return false }
  }
  const isFollowable = (address) => /^(https?|mailto):/i.test(address) || isOurs(address)
  const all = elements(document)
  for (const node of all) {
    const tag = node.localName
    const note = (what) => harm.push(`${what}: ${node.outerHTML.slice(0, 120)}`)
    for (const { name, value } of node.attributes) {
      const isWritten = node.closest(".message .body, .bubble")
      if (name.startsWith("on") || ["srcdoc", "ping"].includes(name)) note("handler")
      else if (addresses.has(name) && !(tag === "a" ? isFollowable(value) : isOurs(value))) note("address")
      else if (isWritten && name === "style" && /url|image|expression|position/i.test(value)) note("style")
      else if (isWritten && (name === "id" || name === "name")) note("id")
    }
    if (tag === "script" && !node.nonce && !node.src && node.closest(".message, nav, header, dialog")) note("script")
    if (["object", "embed", "base", "frame", "frameset", "applet"].includes(tag)) note("element")
    if (tag === "iframe" && node.getAttribute("sandbox") !== "allow-scripts") note("element")
    if (tag === "meta" && node.httpEquiv.toLowerCase() === "refresh") note("refresh")
  }
  if (window.xssclobber || document.xssclobber) harm.push("clobbered")
  // What waits to be touched.
  for (const node of all.filter((node) => node.closest(".body, .bubble, .remark, .stand-in"))) {
    for (const name of ["mouseover", "pointerenter", "focus", "animationstart"]) node.dispatchEvent(new Event(name))
    if (node.localName === "a") node.click()
  }
  return harm
}
"""


@dataclass
class Guard:
    """Watches one browser; `harm` is what has acted in it so far."""

    context: BrowserContext
    harm: list[str] = field(default_factory=list)
    _visited: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.context.add_init_script(HOOK)
        self.context.on("console", lambda message: self._note(message.text, is_harm=FIRED in message.text))
        self.context.on(
            "request", lambda request: self._note(request.url, is_harm=urlsplit(request.url).hostname == HOST)
        )
        self.context.on("dialog", self._dismiss)

    def page(self) -> Page:
        """Open a page; every other one that opens is harm."""
        page = self.context.new_page()
        page.on("framenavigated", self._navigated)
        self.context.on("page", lambda other: self._note(f"opened {other.url}", is_harm=other is not page))
        return page

    def check(self, page: Page, where: str) -> None:
        """Fail if something on the page acts or could, or has acted before."""
        at = len(self._visited)
        standing = page.evaluate(HARM)
        page.wait_for_timeout(SETTLE_MS)
        left = [f"went to {address}" for address in self._visited[at:]]
        assert not [*standing, *self.harm, *left], f"{where}: {[*standing, *self.harm, *left][:5]}"

    def _note(self, what: str, *, is_harm: bool) -> None:
        if is_harm:
            self.harm.append(what)

    def _dismiss(self, dialog: Dialog) -> None:
        self.harm.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _navigated(self, frame: Frame) -> None:
        if frame.parent_frame is None:
            self._visited.append(frame.url)
        else:
            self._note(f"frame {frame.url}", is_harm=HOST in frame.url)
