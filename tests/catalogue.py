"""The message catalogues: `python -m tests.catalogue` takes all sentences from the code into them and compiles them.

A sentence is what `_("…")` or `gettext("…")` holds in Python and in templates, `{% trans %}` in templates, `t("…")` and
`tn("…", "…", n)` in scripts. Translate what is empty in `assets/locale/*.po` and run it again.
"""

import ast
import io
import itertools
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from llm_ui import errors
from llm_ui.kit.i18n import ENGLISH, NAMES, PLACE, TOLD

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "assets" / "locale"
METHODS = [
    ("assets/locale/**", "ignore"),
    ("llm_ui/**.py", "python"),
    ("assets/**.html", "jinja2"),
    ("assets/**.js", "javascript"),
]
OPTIONS = {"assets/**.html": {"trimmed": "true", "silent": "false"}, "assets/**.js": {"encoding": "utf-8"}}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "later": None, "t": None, "tn": (1, 2)}
OF_THE_START = {"ConfigurationError", "SchemaMismatch"}
"""Errors that no page shows."""
FOR_THE_TERMINAL = re.compile(r"\bllm-ui [a-z]")
"""Sentences of errors that name a command, which no page shows either."""
ERRORS = {"BadEntry"} | {
    name for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, errors.LLMUIError)
} - OF_THE_START


def extracted() -> Catalog:
    """Return all sentences of the code."""
    catalog = Catalog(project="LLM UI", charset="utf-8")
    for folder in ("llm_ui", "assets"):
        found = extract_from_dir(
            ROOT / folder,
            [(pattern.removeprefix(f"{folder}/"), method) for pattern, method in METHODS if pattern.startswith(folder)],
            {pattern.removeprefix(f"{folder}/"): options for pattern, options in OPTIONS.items()},
            keywords=KEYWORDS,
        )
        for name, _, message, _, _ in found:
            catalog.add(message, locations=[(f"{folder}/{name}", 0)])
    for path in sorted((ROOT / "llm_ui").rglob("*.py")):
        for sentence in sentences_of_errors(path.read_text()):
            context = TOLD if PLACE.search(sentence) else None
            catalog.add(sentence, locations=[(str(path.relative_to(ROOT)), 0)], context=context)
    return catalog


def sentences_of_errors(source: str) -> list[str]:
    """Return the sentences that errors are raised with, those they have by themselves, and those marked for `told`."""
    tree = ast.parse(source)
    constants = _constants(tree)
    found = [text for each in raised_with(tree) if (text := constants.get(ast.unparse(each), _text(each)))]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "to_tell":
            found.append(str(_text(node.args[0])))
        elif isinstance(node, ast.ClassDef) and node.name in ERRORS:
            defaults = (each.args.defaults for each in node.body if isinstance(each, ast.FunctionDef))
            found += [text for each in itertools.chain(*defaults) if (text := _text(each))]
    return found


def untranslatable(source: str) -> list[str]:
    """Return the sentences that errors are raised with and that no catalogue can hold, values being in them already."""
    made = [ast.unparse(each) for each in raised_with(ast.parse(source)) if _is_made(each)]
    return [text for text in made if not FOR_THE_TERMINAL.search(text)]


def _is_made(node: ast.expr) -> bool:
    """Return whether a sentence is put together where it stands, or translated there already."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in ("_", "gettext") or ast.unparse(node.func).endswith(".format")
    return isinstance(node, ast.JoinedStr | ast.BinOp)


def raised_with(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield the sentence, as it is written, of each error that is made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {*ERRORS, "super().__init__"}:
            yield from node.args[:1]


def _constants(tree: ast.Module) -> dict[str, str]:
    """Return the sentences of a module that have a name there."""
    named = [node for node in tree.body if isinstance(node, ast.Assign)]
    return {ast.unparse(node.targets[0]): text for node in named if (text := _text(node.value))}


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("later", "to_tell"):
        node = node.args[0]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def stored(code: str) -> Catalog:
    """Return what is stored for a language."""
    path = LOCALE / f"{code}.po"
    if not path.exists():
        return Catalog(locale=code, project="LLM UI", charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=code)


def is_translated(message: Message) -> bool:
    """Return whether every form of a sentence is there."""
    forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
    return bool(forms) and all(forms) and not message.fuzzy


def is_of_script(message: Message) -> bool:
    """Return whether a script says this."""
    return any(name.endswith(".js") for name, _ in message.locations)


def compiled(catalog: Catalog) -> tuple[bytes, str]:
    """Return what Python reads, and the script that brings the words of the scripts."""
    mo = io.BytesIO()
    write_mo(mo, catalog)
    words = {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        for message in catalog
        if message.id and is_translated(message) and is_of_script(message)
    }
    lines = json.dumps(dict(sorted(words.items())), ensure_ascii=False, indent=0)
    return mo.getvalue(), f"window.llmUiWords = {lines}\n"


def main() -> int:
    """Bring all catalogues up to date; return how many sentences wait for a translation."""
    waiting = 0
    for code in NAMES:
        if code == ENGLISH:
            continue
        catalog = stored(code)
        catalog.update(extracted(), no_fuzzy_matching=True)
        catalog.obsolete.clear()
        with (LOCALE / f"{code}.po").open("wb") as file:
            write_po(file, catalog, omit_header=False, sort_output=True, include_lineno=False, width=110)
        mo, script = compiled(catalog)
        (LOCALE / f"{code}.mo").write_bytes(mo)
        (LOCALE / f"{code}.js").write_text(script)
        empty = [message.id for message in catalog if message.id and not is_translated(message)]
        for message in empty:
            print(f"{code}: {message}")
        waiting += len(empty)
    return waiting


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
