"""The page inside the preview: an empty one of an origin of its own, which draws the text that it is posted.

Whatever that text does stays in there: it has no origin, so nothing of ours to read, and it may run scripts, but
nothing it asks for leaves it. That it cannot go elsewhere itself is the policy of the page around it. Two leaks are
closed by `Connection-Allowlist` alone, which only Chromium knows so far: connections that are opened in advance for a
visit that is then refused, and WebRTC in a frame inside the frame.
"""

from tornado.web import RequestHandler

POLICY = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; media-src data: blob:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Preview</title></head><body><script>
addEventListener("message", ({ source, data }) => {
  if (source !== parent || typeof data !== "string") return
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"]) delete window[name]
  document.open()
  document.write(data)
  document.close()
  addEventListener("keydown", ({ key }) => { if (key === "Escape") parent.postMessage("close", "*") })
}, { once: true })
</script></body></html>
"""


class Preview(RequestHandler):
    """The empty page."""

    def get(self) -> None:
        """Send it, with policies of its own; a name that it wants to look up is a request too."""
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("X-Frame-Options", "SAMEORIGIN")
        self.set_header("Connection-Allowlist", "()")
        self.set_header("X-DNS-Prefetch-Control", "off")
        self.set_header("Cache-Control", "no-store")
        self.finish(PAGE)
