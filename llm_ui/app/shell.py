"""The frame around every page of the workspace and the administration."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bokeh
import panel as pn

from llm_ui.app.gate import pages_of
from llm_ui.auth.templates import TEMPLATES
from llm_ui.kit import assets
from llm_ui.services.appearance import Appearance
from llm_ui.ui.page import PageContext

_SHIMS = "bundled/reactiveesm/es-module-shims@^1.10.0/dist/es-module-shims.min.js"
_BUILD = f"?v={pn.__version__}-{bokeh.__version__}"
SCRIPTS = (
    f"static/js/bokeh.min.js{_BUILD}",
    f"static/js/bokeh-widgets.min.js{_BUILD}",
    f"static/js/bokeh-tables.min.js{_BUILD}",
    f"static/extensions/panel/panel.min.js{_BUILD}",
    f"static/extensions/panel/{_SHIMS}{_BUILD}",
)
"""What a page needs of Bokeh and Panel, in this order; panel.min.js does not load without the tables. With a version
in the address browsers keep them for years."""

_DIST = Path(pn.__file__).parent / "dist"
_KATEX = next(_DIST.glob("bundled/katex/*/dist/katex.min.js")).relative_to(_DIST).as_posix()
KATEX = f"static/extensions/panel/{_KATEX}{_BUILD}"
"""Draws formulas; loaded by the first message that has one."""
VEGA = [
    f"static/extensions/panel/{next(_DIST.glob(f'bundled/vegaplot/{name}@*')).relative_to(_DIST).as_posix()}{_BUILD}"
    for name in ("vega", "vega-lite", "vega-embed")
]
"""Draws charts, in this order; loaded by the first chart that is looked at."""


class Frame(pn.Template):
    """A page without what Panel has for notebooks: a widget that starts a server, and a text that tells all parts of
    the page, made anew for each of them. It was a sixth of what a page takes to make."""

    def __repr__(self) -> str:
        return type(self).__name__

    def _build_layout(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(object="")]


def workspace(context: PageContext, parts: dict[str, Any], *, is_new: bool) -> pn.Template:
    """Return the chat workspace with its parts in place.

    Of a new chat the page holds its start from the beginning: nothing moves when the scripts are there.
    """
    config = context.backend.config
    limits = {name: getattr(config, name) for name in ("max_files", "max_file_mb", "max_document_mb", "fetch_web")}
    modules = assets.modules("chat_view.js")
    return _framed("workspace.html", context, parts, modules=modules, is_new=is_new, vega=VEGA, **limits)


def admin(context: PageContext, page: str, content: Any) -> pn.Template:
    """Return an administration page with its navigation."""
    return _framed("admin.html", context, {"content": content}, page=page, pages=pages_of(context.role))


def own(context: PageContext, title: str, content: Any) -> pn.Template:
    """Return a page about whoever opened it."""
    return _framed("own.html", context, {"content": content}, heading=title)


def message(context: PageContext, title: str, text: str) -> pn.Template:
    """Return a page that only says something."""
    return _framed("message.html", context, {}, heading=title, text=text)


def crashed(error_id: str) -> pn.Template:
    """Return a page that says that something went wrong, and nothing else."""
    template = Frame(TEMPLATES.get_template("crashed.html"))
    template.add_variable("asset", assets.url)
    template.add_variable("look", Appearance())
    template.add_variable("error_id", error_id)
    return template


def _framed(name: str, context: PageContext, parts: dict[str, Any], **values: Any) -> pn.Template:
    template = Frame(TEMPLATES.get_template(name))
    for place, part in parts.items():
        template.add_panel(place, part)
    shared = {
        "asset": assets.url,
        "csrf": context.csrf_token,
        "look": context.appearance,
        "user_name": context.name,
        "admin_page": next(iter(pages_of(context.role)), ""),
        "scripts": SCRIPTS,
        "katex": KATEX,
    }
    for key, value in {**shared, **values}.items():
        template.add_variable(key, value)
    return template
