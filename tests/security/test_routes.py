"""Every route of the UI's server, asked by a stranger: a new one fails here until somebody has thought about it."""

from uuid import UUID

import pytest
from tornado.httpclient import HTTPClientError

from llm_ui.auth.issuers import ISSUER
from llm_ui.kit import assets
from tests.app.conftest import Workspace

SIGN_IN = "goes to the sign-in page"
REFUSED = "refused"
OPEN = "for everybody"

EXPECTED: dict[str, tuple[str, str]] = {
    r"/favicon.ico$": ("/favicon.ico", OPEN),
    r"/ws$": ("/ws", REFUSED),
    r"/?$": ("/", SIGN_IN),
    r"/static/(?!extensions/)(.*)$": ("/static/js/bokeh.min.js", OPEN),
    r"/c/(?P<chat_id>[^/]+)/ws$": ("/c/1/ws", REFUSED),
    r"/c/(?P<chat_id>[^/]+)/?$": ("/c/1", SIGN_IN),
    r"/c/(?:[^/]+)/static/(.*)$": ("/c/1/static/js/bokeh.min.js", OPEN),
    r"/admin/providers/ws$": ("/admin/providers/ws", REFUSED),
    r"/admin/providers/?$": ("/admin/providers", SIGN_IN),
    r"/admin/providers/static/(.*)$": ("/admin/providers/static/js/bokeh.min.js", OPEN),
    r"/broken/ws$": ("/broken/ws", REFUSED),
    r"/broken/?$": ("/broken", SIGN_IN),
    r"/broken/static/(.*)$": ("/broken/static/js/bokeh.min.js", OPEN),
    r"/login$": ("/login", OPEN),
    r"/login/second$": ("/login/second", SIGN_IN),
    # A stranger gets the form only while registration is open and there is an administrator.
    r"/register$": ("/register", REFUSED),
    r"/setup$": ("/setup?token=guessed", REFUSED),
    r"/invitation$": ("/invitation?token=guessed", REFUSED),
    r"/reset$": ("/reset?token=guessed", REFUSED),
    r"/logout$": ("/logout", REFUSED),
    rf"/oidc/{ISSUER}$": (f"/oidc/{UUID(int=1)}", REFUSED),
    rf"/oidc/{ISSUER}/callback$": (f"/oidc/{UUID(int=1)}/callback", REFUSED),
    rf"/oidc/{ISSUER}/connect$": (f"/oidc/{UUID(int=1)}/connect", REFUSED),
    r"/account$": ("/account", SIGN_IN),
    r"/account/second-factor$": ("/account/second-factor", SIGN_IN),
    r"/account/delete$": ("/account/delete", SIGN_IN),
    r"/keys$": ("/keys", SIGN_IN),
    r"/api/me$": ("/api/me", REFUSED),
    r"/export/([0-9a-f\-]{36})\.(md|html|json)$": (f"/export/{UUID(int=1)}.md", SIGN_IN),
    r"/export/everything\.zip$": ("/export/everything.zip", SIGN_IN),
    r"/import$": ("/import", REFUSED),
    r"/s/([^/]+)$": ("/s/guessed", REFUSED),
    r"/s/([^/]+)/images/([0-9a-f\-]{36})$": (f"/s/guessed/images/{UUID(int=1)}", REFUSED),
    r"/picture$": ("/picture", SIGN_IN),
    r"/picture/upload$": ("/picture/upload", REFUSED),
    r"/files$": ("/files", REFUSED),
    r"/files/([0-9a-f\-]{36})$": (f"/files/{UUID(int=1)}", SIGN_IN),
    r"/p/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/documents$": (f"/p/{UUID(int=1)}/documents", REFUSED),
    r"/documents/([0-9a-f\-]{36})/file$": (f"/documents/{UUID(int=1)}/file", SIGN_IN),
    r"/app\.webmanifest$": ("/app.webmanifest", OPEN),
    r"/look$": ("/look", OPEN),
    r"/logo/([0-9a-f]+)/(logo|icon-192|icon-512|maskable-512|apple-180)\.png$": ("/logo/0/logo.png", REFUSED),
    r"/admin/logo$": ("/admin/logo", REFUSED),
    r"/offline$": ("/offline", OPEN),
    r"/service-worker\.js$": ("/service-worker.js", OPEN),
    r"/preview$": ("/preview", OPEN),
    r"/healthz$": ("/healthz", OPEN),
    r"/admin/configuration\.json$": ("/admin/configuration.json", SIGN_IN),
    r"/admin/lists/([a-z\-]+)\.(csv|json)$": ("/admin/lists/users.csv", SIGN_IN),
    r"(/admin)?/usage/([a-z]+)\.csv$": ("/admin/usage/series.csv", SIGN_IN),
    r"/admin/erasures/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json$": (
        f"/admin/erasures/{UUID(int=1)}.json",
        SIGN_IN,
    ),
    r"/admin/?$": ("/admin", "goes to a page that asks for the sign-in"),
    r"/assets/([0-9a-f]+)/(.*)$": (assets.url("theme.css"), OPEN),
    r"/pncdn/[^/]+/dist/(.*)$": ("/pncdn/1/dist/panel.min.js", OPEN),
    r"/components/(.*)$": ("/components/llm_ui.chat.view/ChatView/x/y", REFUSED),
    r"/static/extensions/(.*)$": ("/static/extensions/panel/panel.min.js", OPEN),
    r"/static/(.*)$": ("/static/js/bokeh.min.js", OPEN),
}
METHODS = ("POST", "PUT", "DELETE", "PATCH")


def routes(workspace: Workspace) -> list[str]:
    """The patterns of all routes."""
    rules = workspace.served._server._tornado.wildcard_router.rules
    return [rule.matcher.regex.pattern for rule in rules]


async def test_every_route_has_been_thought_about(workspace: Workspace) -> None:
    assert set(routes(workspace)) == set(EXPECTED)


async def test_a_stranger_gets_what_is_for_everybody_and_nothing_else(workspace: Workspace) -> None:
    for path, what in EXPECTED.values():
        page = await workspace.browser().get(path)

        if what == OPEN:
            assert page.code == 200, path
        elif what == REFUSED:
            assert page.code in (400, 401, 403, 404, 405), path
        else:
            target = "/login" if what == SIGN_IN else "/admin/overview"
            assert page.code == 302, path
            assert page.headers["Location"].startswith(target), path
    assert workspace.served.documents == []


@pytest.mark.parametrize("method", METHODS)
async def test_nothing_is_changed_without_a_token_of_ours(workspace: Workspace, method: str) -> None:
    ann = await workspace.signed_in("ann")

    for path, _ in EXPECTED.values():
        page = await ann._fetch(path, method, None if method == "DELETE" else "", {})

        assert page.code in (403, 404, 405), path
    assert (await ann.get("/api/me")).code == 204


async def test_bokehs_other_pages_are_not_served(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    for path in (
        "/metadata",
        "/autoload.js?bokeh-autoload-element=x",
        "/c/1/metadata",
        "/rest/session_info",
        "/liveness",
    ):
        assert (await ann.get(path)).code == 404, path


async def test_security_headers_are_on_every_answer(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    for path in [
        "/nowhere",
        "/components/this/X/css/x",
        "/?bokeh-session-id=x",
        *(path for path, _ in EXPECTED.values() if path != "/preview"),
    ]:
        for browser in (ann, workspace.browser()):
            headers = (await browser.get(path)).headers
            policy = headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy, path
            assert "unsafe-eval" not in policy, path
            scripts = [part for part in policy.split("; ") if part.startswith("script-src")]
            assert not any("unsafe-inline" in part or "*" in part for part in scripts), path
            if headers.get("Content-Type", "").startswith("text/html"):
                assert "'nonce-" in policy, path
            assert headers["X-Content-Type-Options"] == "nosniff", path
            assert headers["Referrer-Policy"] in ("same-origin", "no-referrer"), path
            assert headers["Cross-Origin-Opener-Policy"] == "same-origin", path
            assert headers["X-Frame-Options"] == "DENY", path
            assert "camera=()" in headers["Permissions-Policy"], path


async def test_the_page_of_the_preview_has_no_origin_and_nothing_leaves_it(workspace: Workspace) -> None:
    headers = (await workspace.browser().get("/preview")).headers
    policy = dict(part.partition(" ")[::2] for part in headers["Content-Security-Policy"].split("; "))

    assert policy.pop("sandbox") == "allow-scripts"
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("frame-ancestors") == "'self'"
    assert not any("http" in sources or "*" in sources or "'self'" in sources for sources in policy.values())
    assert headers["Connection-Allowlist"] == "()"
    assert headers["X-Frame-Options"] == "SAMEORIGIN"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


async def test_a_refused_websocket_tells_no_more_than_its_status(workspace: Workspace) -> None:
    with pytest.raises(HTTPClientError) as refusal:
        await workspace.browser().socket("junk", "/")

    assert refusal.value.code == 403
    body = refusal.value.response.body if refusal.value.response else b""
    assert b"Traceback" not in body
