"""The corpus is what the browser's tests take it for: many, each by itself, and all harmless once rendered."""

from llm_ui.kit.markdown import blocks, render
from tests.kit.test_markdown import harm_in
from tests.security.xss_corpus import corpus, lines, message

LEAST = 600


def test_it_is_large_and_nothing_is_in_it_twice() -> None:
    assert len(set(corpus())) == len(corpus()) >= LEAST
    assert len(set(lines())) >= LEAST


def test_no_text_swallows_what_follows_it() -> None:
    after = "<p>after</p>\n"

    assert [text for text in corpus() if blocks(f"{text}\n\nafter\n")[-1] != after] == []


def test_rendered_each_is_harmless_by_itself_and_among_the_others() -> None:
    assert {text: harm for text in corpus() if (harm := harm_in(render(text)))} == {}
    assert harm_in(render(message())) == []
