"""The jinja2 templates of all pages."""

import re

import jinja2
from jinja2.ext import Extension

from llm_ui.kit import assets, i18n
from llm_ui.kit.currency import DOLLARS
from llm_ui.ui.amounts import money

SCRIPT_TAG = re.compile(r"<script(?=[\s>])(?![^>]*\snonce=)")


class NonceOnScripts(Extension):
    """Gives the scripts that a template itself contains the nonce of the response.

    Only its own: a script that comes in through a value, however it got there, stays without and does not run.
    """

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002 - jinja2's
        """Return the template's source with the attribute added."""
        return SCRIPT_TAG.sub('<script nonce="{{ nonce }}"', source)


TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(assets.folder()),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    # Looking at the files for changes would block the event loop on each page.
    auto_reload=False,
    extensions=[NonceOnScripts, "jinja2.ext.i18n"],
)
TEMPLATES.policies["ext.i18n.trimmed"] = True
# Added by the extension, whose methods no stub knows.
TEMPLATES.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
TEMPLATES.filters |= {
    "translated": i18n.told,
    "instant": i18n.instant,
    "day": i18n.day,
    "amount": i18n.amount,
    "money": money,
    "dollars": DOLLARS.amount,
}
TEMPLATES.globals |= {"language": i18n.language, "languages": i18n.NAMES, "words": i18n.files()}


def load() -> None:
    """Read every catalogue, read and compile every template, before anything is served."""
    i18n.load()
    for name in TEMPLATES.list_templates(extensions=["html"]):
        TEMPLATES.get_template(name)
