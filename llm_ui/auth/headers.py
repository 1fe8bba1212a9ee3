"""Security headers, on every response of the process."""

import secrets
from collections.abc import Callable

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import OutputTransform

PAGE_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'; manifest-src 'self'; worker-src 'self'"
)
"""`blob:` scripts are es-module-shims', by which Panel loads components; inline styles are Bokeh's."""
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"
"""What is no page runs no script either, such as an image that is opened by itself."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
YEAR_S = 31_536_000


def nonce_of(request: HTTPServerRequest) -> str:
    """Return the nonce of this response: the same for its header and its scripts, and for no other response."""
    nonce: str | None = getattr(request, "nonce", None)
    if nonce is None:
        nonce = secrets.token_urlsafe(16)
        request.nonce = nonce  # type: ignore[attr-defined]
    return nonce


def security_headers(is_tls: Callable[[HTTPServerRequest], bool]) -> type[OutputTransform]:
    """Return the transform that puts the headers on every response, also on Tornado's and Bokeh's own."""

    class SecurityHeaders(OutputTransform):
        """Adds headers to the first chunk of a response."""

        def __init__(self, request: HTTPServerRequest) -> None:
            self._request = request

        def transform_first_chunk(
            self,
            status_code: int,
            headers: HTTPHeaders,
            chunk: bytes,
            finishing: bool,  # noqa: ARG002 - Tornado's
        ) -> tuple[int, HTTPHeaders, bytes]:
            is_page = headers.get("Content-Type", "").startswith("text/html")
            policy = PAGE_POLICY.format(nonce=nonce_of(self._request)) if is_page else FILE_POLICY
            # A page may be stricter; the service worker has a policy of its own.
            for name, value in {"Content-Security-Policy": policy, **HEADERS}.items():
                headers.setdefault(name, value)
            if is_tls(self._request):
                headers["Strict-Transport-Security"] = f"max-age={YEAR_S}"
            return status_code, headers, chunk

    return SecurityHeaders
