"""Files that the server gives to browsers."""

import pkgutil
import re
import sys

import panel
import pytest

from llm_ui.kit import assets
from tests.app.browser import NONCE
from tests.app.conftest import Workspace

TRAVERSALS = [
    "../llm_ui/config.py",
    "..%2fllm_ui/config.py",
    "%2e%2e/llm_ui/config.py",
    "..\\llm_ui\\config.py",
    "/etc/passwd",
    "//etc/passwd",
    "....//llm_ui/config.py",
    "theme.css/../../pyproject.toml",
    ".",
    "",
]


async def test_our_files_may_be_kept_for_ever_under_their_present_address(workspace: Workspace) -> None:
    file = await workspace.browser().get(assets.url("theme.css"))

    assert file.code == 200
    assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert b"--accent" in file.body


async def test_an_older_page_gets_todays_file_and_keeps_it_not(workspace: Workspace) -> None:
    file = await workspace.browser().get("/assets/0123456789ab/theme.css")

    assert (file.code, file.headers["Cache-Control"]) == (200, "no-store")


async def test_templates_are_not_served(workspace: Workspace) -> None:
    for name in ("login.html", "account.html"):
        assert (await workspace.browser().get(assets.url(name))).code == 404


@pytest.mark.parametrize(
    "root", [f"/assets/{assets.version()}", "/pncdn/1/dist", "/static", "/static/extensions/panel"]
)
async def test_no_path_leads_out_of_the_folder(workspace: Workspace, root: str) -> None:
    for path in TRAVERSALS:
        file = await workspace.browser().get(f"{root}/{path}")

        assert file.code in (400, 403, 404), path
        assert b"root:" not in file.body


async def test_a_name_with_a_nul_is_not_found(workspace: Workspace) -> None:
    assert (await workspace.browser().get(assets.url("theme.css%00.js"))).code == 404


async def test_text_is_compressed_for_browsers_that_can(workspace: Workspace) -> None:
    plain = await workspace.browser().get("/static/js/bokeh.min.js", **{"Accept-Encoding": "identity"})
    packed = await workspace.browser(**{"Accept-Encoding": "gzip"}).get("/static/js/bokeh.min.js")

    assert packed.headers.get("X-Consumed-Content-Encoding") == "gzip"
    assert packed.body == plain.body


async def test_panels_files_come_from_this_host(workspace: Workspace) -> None:
    from panel.io.resources import CDN_DIST  # noqa: PLC0415 - read at the moment of the test

    file = await workspace.browser().get(f"{CDN_DIST}panel.min.js")

    assert CDN_DIST.startswith("/pncdn/")
    assert file.code == 200


COMPONENTS = [
    "this/X/css/x",
    "antigravity/X/css/x",
    "os/path/css/x",
    "llm_ui.not_there/X/css/x",
    "panel_evil/X/css/x",
    "llm_ui/X/css/x",
    "llm_ui.config/Config/css/config.py",
    "panel.io.server/INDEX_HTML/css/server.py",
    "panel.widgets/TextInput/_stylesheets/../../pyproject.toml",
    "panel",
    "",
]


async def test_components_are_looked_up_and_never_imported(workspace: Workspace) -> None:
    not_loaded = next(
        module.name for module in pkgutil.walk_packages(panel.__path__, "panel.") if module.name not in sys.modules
    )
    before = set(sys.modules)

    for path in [*COMPONENTS, f"{not_loaded}/X/css/x"]:
        file = await workspace.browser().get(f"/components/{path}")

        assert file.code in (400, 403, 404), path
    assert set(sys.modules) == before


async def test_every_page_names_this_host_only(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")

    for path in ("/", "/c/1", "/login", "/account", "/nowhere"):
        page = await ann.get(path)
        assert re.findall(rb'(?:src|href)="(?!/|\.|#|data:)[^"]*"', page.body) == []
        assert b"https://cdn" not in page.body
        assert NONCE.search(page.headers["Content-Security-Policy"])
