"""Every sentence of the pages is in the catalogues, and every catalogue is whole and up to date."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_ui.errors import filled
from llm_ui.kit.i18n import ENGLISH, NAMES, PLACE, TOLD, speak, told
from tests.catalogue import (
    ERRORS,
    LOCALE,
    compiled,
    extracted,
    is_translated,
    sentences_of_errors,
    stored,
    untranslatable,
)

ROOT = Path(__file__).parents[2]
CODES = [code for code in NAMES if code != ENGLISH]
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}|</?\w+>")
"""What a translation must keep: places for values, and marks of the text."""
NAMES_OF_THINGS = re.compile(r"LLM UI|Ctrl K|UTC|\bX\b")
JINJA = re.compile(
    r"\{% trans\b.*?\{% endtrans %\}|\{% (?:macro|block width)\b.*?\{% end(?:macro|block) %\}"
    r"|\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<script\b.*?</script>",
    re.DOTALL,
)
"""What is no text of the page; the block *width* and our macros hold classes and attributes."""
READ_ALOUD = re.compile(r'(?:aria-label|title|placeholder|alt)="([^"]*)"')


def places(text: str) -> list[str]:
    return sorted(PLACES.findall(text))


def unmarked(template: str) -> list[str]:
    """Return the words of a template that go round the catalogue."""
    page = JINJA.sub("\x00", template)
    texts = [*READ_ALOUD.findall(page), *re.split(r"<[^>]*>|\x00", page)]
    return [text.strip() for text in texts if re.search(r"[A-Za-z]{2}", NAMES_OF_THINGS.sub("", text))]


SENTENCE = re.compile(r'"([A-Z‹←“…][^"\n]*[a-z][^"\n]*)"')
WITH_VALUES = re.compile(r"`([^`\n]*)`")
TEXT_OF_NODE = re.compile(r'\bmake\("\w+", (?:"[^"]*"|\{[^}]*\}), "([^"]*[a-z]{2}[^"]*)"')
NO_SENTENCE = re.compile(
    r"Enter|Escape|Arrow(?:Up|Down|Left|Right)|Home|End|Tab|Notification|DOMContentLoaded|Content-Type"
    r"|X-[\w-]+|Files|HTML|LLM UI|M[\d.]+ .*"
)
"""Names of keys, headers, formats and kinds of data, and the paths of icons."""
NESTED = re.compile(r"\$\{tn?\(")
"""A mark within a template literal, where extraction does not look."""
MARKED = re.compile(r'\btn?\("[^"\n]*"(?:, "[^"\n]*")?')
FIRST_OF_MARKED = re.compile(r'\btn?\("([^"\\\n]*)"')


def unmarked_in_script(source: str) -> list[str]:
    """Return the sentences of a script that go round the catalogue: what begins like one, and the texts of nodes."""
    lines = [line for line in source.splitlines() if not line.lstrip().startswith(("//", "import "))]
    code = MARKED.sub("", "\n".join(lines))
    filled = [re.sub(r"\$\{[^}]*\}", "…", text) for text in WITH_VALUES.findall(code)]
    sentences = [text for text in SENTENCE.findall(code) if not NO_SENTENCE.fullmatch(text)]
    return [
        *sentences,
        *NESTED.findall(source),
        *TEXT_OF_NODE.findall(code),
        *(text for text in filled if re.search(r"[A-Z][a-z]+ [a-z…]", text)),
    ]


@pytest.mark.parametrize("path", sorted((ROOT / "assets").glob("*.js")), ids=lambda path: path.name)
def test_every_sentence_of_a_script_is_marked(path: Path) -> None:
    assert unmarked_in_script(path.read_text()) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('make("p", "note", t("It is gone."))', []),
        ('// "It is gone."', []),
        ('tn("One is gone.", "{n} are gone.", n)', []),
        ('event.key === "Enter"', []),
        ('make("p", "note", "It is gone.")', ["It is gone.", "It is gone."]),
        ('make("p", "note", "it is gone")', ["it is gone"]),
        ('a = `x ${t("It is gone.")}`', ["${t("]),
        ("toast(`Chat ${name} is gone.`)", ["Chat … is gone."]),
    ],
)
def test_the_rule_for_scripts_knows_good_from_bad(line: str, found: list[str]) -> None:
    assert unmarked_in_script(line) == found


def test_what_is_marked_in_scripts_is_extracted() -> None:
    """A pattern or a quotation mark may confuse the extraction, which then sees nothing of what follows."""
    known = {text for message in extracted() for text in ([message.id] if isinstance(message.id, str) else message.id)}
    scripts = [path.read_text() for path in sorted((ROOT / "assets").glob("*.js"))]

    marked = {text for script in scripts for text in FIRST_OF_MARKED.findall(script)}

    assert sorted(marked - known) == []


@pytest.mark.parametrize("path", sorted((ROOT / "assets").glob("*.html")), ids=lambda path: path.name)
def test_every_word_of_a_template_is_marked(path: Path) -> None:
    assert unmarked(path.read_text()) == []


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ('<p>{{ _("Hello") }}</p><script>let a = "Hello"</script>', []),
        ("<p>{% trans name=x %}Hello <b>{{ name }}</b>{% endtrans %}</p>", []),
        ('<h1 class="big one">{# about #}LLM UI</h1>', []),
        ("<p>Hello</p>", ["Hello"]),
        ('<button aria-label="Close {{ name }}">{{ x }}</button>', ["Close \x00"]),
        ('<input placeholder="Your name">', ["Your name"]),
    ],
)
def test_the_rule_for_templates_knows_good_from_bad(template: str, found: list[str]) -> None:
    assert unmarked(template) == found


PAGES = [
    path for name in ("admin", "app", "auth", "chat", "ui") for path in sorted((ROOT / "llm_ui" / name).rglob("*.py"))
]
SAID = {"label", "text", "title", "sentence", "caption", "placeholder", "hint", "detail", "empty", "button", "unit"}
"""Names under which words reach a page."""
LOOKS_SAID = re.compile(r"[A-Z][a-z]+ [a-z…].*|.*[a-z]{2} [a-z]{2,}[ .…].*", re.DOTALL)
NOT_SAID = re.compile(
    r"[a-z-]+(?:/[a-z.+-]+)?|https://…|.*(?:-src|allow-scripts|default-src).*|<!doctype .*", re.DOTALL
)
"""Names of types and addresses, and the policies and the page of the preview."""
MARKS = {"_", "gettext", "ngettext", "later", "to_tell"}
ASIDE = re.compile(r"re\.compile|log\.\w+|sys\.\w+\.write|self\.close|self\.connection\.error|ConfigurationError")
"""What takes words that no page shows: patterns, the log, the terminal, and what only a browser's console has."""


def unmarked_in_python(source: str) -> list[str]:
    """Return the sentences and labels of a page's module that go round the catalogue."""
    return [text for node in ast.iter_child_nodes(ast.parse(source)) for text in _unmarked(node, is_label=False)]


def _unmarked(node: ast.AST, *, is_label: bool) -> Iterator[str]:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Call) and ((name := ast.unparse(node.func)) in MARKS | ERRORS or ASIDE.fullmatch(name)):
        return
    if isinstance(node, ast.keyword) and node.arg == "doc":
        return
    if isinstance(node, ast.JoinedStr):
        yield from _said("".join(each.value if isinstance(each, ast.Constant) else "…" for each in node.values), False)
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _said(node.value, is_label)
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            is_said = isinstance(key, ast.Constant) and key.value in SAID
            yield from _unmarked(value, is_label=is_said)
        return
    for child in ast.iter_child_nodes(node):
        yield from _unmarked(child, is_label=isinstance(node, ast.keyword) and node.arg in SAID)


def _said(text: str, is_label: bool) -> list[str]:
    is_said = re.search("[A-Za-z]{2}", text) if is_label else LOOKS_SAID.fullmatch(text)
    return [text] if is_said and not NOT_SAID.fullmatch(text) else []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sentence_of_a_page_is_marked(path: Path) -> None:
    assert unmarked_in_python(path.read_text()) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('said = _("It is gone.")', []),
        ('x = param.String(doc="What it is.")', []),
        ('raise NotFound("It is gone.")', []),
        ('log.info("a thing happened to us")', []),
        ('{"label": _("Off"), "key": "off"}', []),
        ('said = "It is gone."', ["It is gone."]),
        ('said = f"{name} is deleted."', ["… is deleted."]),
        ('{"label": "Off"}', ["Off"]),
        ('Heading(title="Models")', ["Models"]),
    ],
)
def test_the_rule_for_pages_knows_good_from_bad(line: str, found: list[str]) -> None:
    assert unmarked_in_python(line) == found


def test_sentences_of_errors_are_found_where_they_are_raised() -> None:
    source = (
        'GONE = later("They are gone.")\nKINDS = {1: to_tell("{name} is odd.")}\n'
        'def f(x):\n    raise NotFound("It is gone.") from None\n    raise NotFound(GONE)\n'
        '    raise ValueError("Not for pages.")\n    raise NotFound(x)\n'
    )

    assert sorted(sentences_of_errors(source)) == ["It is gone.", "They are gone.", "{name} is odd."]


OF_PAGES = [path for path in sorted((ROOT / "llm_ui").rglob("*.py")) if "cli" not in path.parts]


@pytest.mark.parametrize("path", OF_PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_sentence_of_an_error_has_its_values_in_it_before_it_is_translated(path: Path) -> None:
    assert untranslatable(path.read_text()) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('NotFound("It is gone.")', []),
        ('NotFound("{name} is gone.", name=row.name)', []),
        ("NotFound(GONE, name=row.name)", []),
        ('NotFound(f"{name} is gone. List all with: llm-ui users list")', []),
        ('NotFound(f"{name} is gone.")', ["f'{name} is gone.'"]),
        ('NotFound(name + " is gone.")', ["name + ' is gone.'"]),
        ("NotFound(GONE.format(name=name))", ["GONE.format(name=name)"]),
        ('NotFound(_("It is gone."))', ["_('It is gone.')"]),
    ],
)
def test_the_rule_for_errors_knows_good_from_bad(line: str, found: list[str]) -> None:
    assert untranslatable(f"raise {line}") == found


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_with_values_is_known_again_once_they_are_in_it(code: str) -> None:
    catalog = stored(code)
    sentences = [message.id for message in extracted() if message.context == TOLD]
    assert len(sentences) > 50
    wrong = []
    speak(code)
    for sentence in sentences:
        # None is a sentence of ours, which would be translated too.
        values = {name: f"{name}: 7 of 9, in all. “x”" for name in PLACE.findall(sentence)}
        expected = filled(catalog.get(sentence, TOLD).string, values)
        said = told(filled(sentence, values))
        wrong += [] if said == expected else [f"{said} instead of {expected}"]
    speak(ENGLISH)
    assert wrong == []


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_translated_with_its_places(code: str) -> None:
    catalog = stored(code)

    wrong = []
    for message in extracted():
        if not message.id:
            continue
        there = catalog.get(message.id if isinstance(message.id, str) else message.id[0], message.context)
        if there is None or not is_translated(there):
            wrong.append(f"not translated: {message.id}")
        elif isinstance(there.id, str):
            wrong += [f"places differ: {there.string}"] if places(there.id) != places(there.string) else []
        else:
            # The form for one may say it in words.
            wrong += [f"places differ: {form}" for form in there.string[1:] if places(form) != places(there.id[1])]
    assert wrong == []


@pytest.mark.parametrize("code", CODES)
def test_nothing_old_is_kept_and_what_is_served_is_compiled_from_it(code: str) -> None:
    catalog = stored(code)
    known = {message.id for message in extracted()}

    assert [message.id for message in catalog if message.id not in known] == []
    mo, script = compiled(catalog)
    assert (LOCALE / f"{code}.mo").read_bytes() == mo
    assert (LOCALE / f"{code}.js").read_text() == script
