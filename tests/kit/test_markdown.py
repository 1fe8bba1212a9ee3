"""Markdown: safe, the same however it arrives, and never slow."""

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_ui.kit.markdown import TAGS, GrowingText, blocks, render

CORPUS = [
    "# Title\n\ntext **bold** _em_ `code`\n\nnext",
    "- a\n- b\n\n  more of b\n- c\n\npara",
    "1. one\n2. two\n\n   ```py\n   x = 1\n   ```\n3. three",
    "```python\ndef f():\n    return 1\n\n\nprint(f())\n```\n\nafter",
    "~~~\nopen fence without end\n\nmore",
    "| a | b |\n|---|:-:|\n| 1 | 2 |\n| 3 | 4 |\n\nend",
    "> quote\n> > nested\n\nlazy\ncontinuation",
    "setext\n===\n\nother\n---\n\ntext",
    "para\n    not code\n\n    code\n    code\n\nend",
    "[ref]: http://example.org\n\n[ref] and [x](http://example.org 'title')",
    "a\r\nb\rc\n\r\nd\u2028e\x0bf",
    "<div>\n<b>html</b>\n</div>\n\n<script>alert(1)</script>",
    "***\n\n---\n\n* * *\n",
    "![image](http://example.org/x.png) ![](data:image/png;base64,x) <http://auto.example>",
    "👩‍👩‍👧 日本語 \u202etxt.exe\u202c end\n\n\n\n\nlast",
]

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    '![x" onerror="alert(1)](x)',
    '[x](http://a"onmouseover="alert(1))',
    "[x](http://a 'q\" onclick=\"alert(1)')",
    '```"><img src=x onerror=alert(1)>\ncode\n```',
    "``` html onclick=alert(1)\n<script>alert(1)</script>\n```",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <script>alert(1)</script> |",
    "<a href='javascript:alert(1)'>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<style>@import 'http://evil'</style>",
    "<math><mtext></mtext><mglyph><style></math><img src onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "[x](&#106;avascript:alert(1))",
    "[x](\x01javascript:alert(1))",
    "<http://a'onclick=alert(1)>",
]
HARMLESS_ATTRIBUTES = {"class", "href", "target", "rel", "title", "start", "style", "data-language"}


class Reader(HTMLParser):
    """Reads HTML as a browser does and notes what could act."""

    def __init__(self) -> None:
        super().__init__()
        self.harm: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.harm.append(tag)
        for name, value in attrs:
            is_safe_link = name != "href" or (value or "").startswith(("http://", "https://", "mailto:"))
            if name not in HARMLESS_ATTRIBUTES or not is_safe_link:
                self.harm.append(f"{tag} {name}={value}")


def harm_in(html: str) -> list[str]:
    """Return what in the HTML could act."""
    reader = Reader()
    reader.feed(html)
    return reader.harm


def streamed(text: str, size: int) -> list[str]:
    """Return the blocks as a page holds them at the end, when the text came in pieces of that size."""
    growing, held = GrowingText(), []
    for end in range(0, len(text), size):
        start = growing.finished_count
        held[start:] = growing.update(text[:end])
    start = growing.finished_count
    held[start:] = growing.finish(text)
    return held


@pytest.mark.parametrize("text", CORPUS)
def test_a_streamed_text_ends_as_the_whole_one(text: str) -> None:
    for size in range(1, len(text) + 1):
        assert streamed(text, size) == blocks(text), size


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.sampled_from(CORPUS + HOSTILE + ["\n", "- x", "    y", "\n\n", "> z", "|", "```"]), max_size=6),
    st.integers(1, 40),
)
def test_any_mixture_ends_as_the_whole_one(parts: list[str], size: int) -> None:
    text = "\n".join(parts)

    assert streamed(text, size) == blocks(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_harmless(text: str) -> None:
    for shown in (render(text), "".join(streamed(text, 3)), render(f"> - {text}\n\n{text}")):
        assert harm_in(shown) == [], shown


@settings(deadline=None, max_examples=200)
@given(st.text(alphabet="<>\"'=`[]()!|#*_-~:/\\ \n\tonscriptajv&;0", max_size=80))
def test_no_text_at_all_makes_a_handler(text: str) -> None:
    assert harm_in(render(text)) == []


def test_images_never_load_by_themselves() -> None:
    shown = render(
        "![secret](https://evil.example/?q=1) ![a](//evil.example/x) [![b](https://evil.example)](https://x.example)"
    )

    assert "<img" not in shown
    assert "src=" not in shown


def test_links_open_elsewhere_and_tell_nothing() -> None:
    shown = render("[x](https://example.org)")

    assert 'target="_blank"' in shown
    assert 'rel="noopener noreferrer nofollow"' in shown


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "x\n\n" + "[" * 200_000,
        ">" * 50_000,
        "> " * 30_000 + "a",
        "<div>" * 100_000,
        "*a " * 60_000,
        "- " * 30_000,
        "|a|b|\n|-|-|\n" + "|1|2|\n" * 100_000,
        "```python\n" + "x = 1\n" * 50_000,
        " ".join("`" * size for size in range(1, 400)),
        "\n".join(" " * size + "- a" for size in range(500)),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_bombs_cost_little(text: str) -> None:
    began = time.process_time()

    shown = render(text)

    # Not a benchmark: what is guarded against takes from seconds to minutes.
    assert time.process_time() - began < 2
    assert shown


def test_a_growing_code_block_is_rendered_in_time_that_grows_with_it() -> None:
    text, growing = "```python\n", GrowingText()
    for _ in range(500):
        text += "value = compute(1, 2, 3)  # a line of code\n"
        (shown,) = growing.update(text)

    assert shown.count("value") == 500
