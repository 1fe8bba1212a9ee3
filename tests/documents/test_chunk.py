"""Passages: nothing is lost, nothing is out of order, nothing is too long, rows stay whole."""

import re
import time
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_ui.documents.chunk import ROW_TARGETS, Chunk, Chunking, chunks
from llm_ui.kit.reading import Block, BlockKind, Page
from llm_ui.kit.token_count import estimate

WORD = re.compile(r"\S+")
SMALL = Chunking(target_tokens=40, overlap_tokens=10)


def heading(text: str, level: int = 1) -> Block:
    return Block(BlockKind.HEADING, text, level)


def text(content: str) -> Block:
    return Block(BlockKind.TEXT, content)


def row(content: str) -> Block:
    return Block(BlockKind.TABLE_ROW, content)


def cut(*blocks: Block, chunking: Chunking = SMALL) -> list[Chunk]:
    return list(chunks([Page(1, blocks)], chunking))


def sentences(first: int, last: int) -> str:
    return " ".join(f"Sentence number {number} says a thing." for number in range(first, last))


lines = st.text("abcde  .,1:", min_size=1, max_size=300).filter(str.strip)
paragraphs = st.text("abcde  .\n1:", min_size=1, max_size=300).map(str.strip).filter(bool)
blocks = st.one_of(
    st.builds(Block, st.just(BlockKind.HEADING), st.text("abc de", min_size=1, max_size=30), st.integers(1, 4)),
    st.builds(Block, st.sampled_from([BlockKind.TEXT, BlockKind.CODE]), paragraphs),
    st.builds(Block, st.just(BlockKind.ITEM), paragraphs, st.integers(0, 3)),
    st.builds(Block, st.sampled_from([BlockKind.TABLE_HEAD, BlockKind.TABLE_ROW, BlockKind.TABLE_ROW]), lines),
)
pages = st.lists(st.lists(blocks, max_size=8).map(tuple), max_size=5).map(
    lambda read: [Page(number, each) for number, each in enumerate(read, 1)]
)


@given(pages)
@settings(max_examples=60, deadline=None)
def test_every_word_is_in_a_passage_of_its_page(read: list[Page]) -> None:
    found = list(chunks(read, SMALL))
    anywhere = set(WORD.findall(" ".join(" ".join([*each.title_path, each.text]) for each in found)))

    for page in read:
        here = [each for each in found if each.page_from <= page.number <= each.page_to]
        said = set(WORD.findall(" ".join(each.text for each in here)))
        for block in page.blocks:
            words = set(WORD.findall(block.text))
            # Headings are in paths, and the head of a table that goes on need not stand on each of its pages.
            assert words <= (anywhere if block.kind in (BlockKind.HEADING, BlockKind.TABLE_HEAD) else said)


@given(pages)
@settings(max_examples=60, deadline=None)
def test_passages_are_within_their_bounds(read: list[Page]) -> None:
    for each in chunks(read, SMALL):
        has_row = any(
            block.kind is BlockKind.TABLE_ROW and block.text in each.text for page in read for block in page.blocks
        )
        most = (ROW_TARGETS + 1) * SMALL.target_tokens if has_row else SMALL.target_tokens
        # A passage that is nothing but a heading is as long as that.
        assert each.tokens <= most or "\n" not in each.text
        assert each.text.strip()
        assert 1 <= each.page_from <= each.page_to <= len(read)


@given(pages)
@settings(max_examples=60, deadline=None)
def test_rows_are_whole(read: list[Page]) -> None:
    found = list(chunks(read, SMALL))

    rows = [block.text for page in read for block in page.blocks if block.kind is BlockKind.TABLE_ROW]

    for each in rows:
        assert estimate(each) > ROW_TARGETS * SMALL.target_tokens or any(each in chunk.text for chunk in found)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_order_is_kept(sizes: list[int]) -> None:
    numbers = iter(range(10_000))
    read = [
        Page(at, (text(". ".join(f"N{next(numbers)}" for _ in range(size)) + "."),)) for at, size in enumerate(sizes, 1)
    ]

    found = list(chunks(read, SMALL))

    firsts = [int(WORD.findall(each.text)[0].strip("N.")) for each in found]
    assert firsts == sorted(set(firsts))
    for each in found:
        inside = [int(word.strip("N.")) for word in WORD.findall(each.text)]
        assert inside == list(range(inside[0], inside[-1] + 1))


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=400))
def test_any_text_can_be_cut(content: str) -> None:
    found = cut(text(content))

    assert bool(found) == bool(content.strip())
    assert all(each.tokens <= SMALL.target_tokens for each in found)


def test_headings_are_the_path_of_what_stands_under_them() -> None:
    found = cut(
        heading("Pumps"), heading("Care", 2), text(sentences(0, 4)),
        heading("Repair", 2), text(sentences(4, 8)), heading("Valves"), text(sentences(8, 12)),
    )  # fmt: skip

    assert [each.title_path for each in found] == [("Pumps", "Care"), ("Pumps", "Repair"), ("Valves",)]
    assert "Care" not in found[0].text


def test_short_sections_share_a_passage_that_names_them() -> None:
    (found,) = cut(heading("Pumps"), heading("Care", 2), text("Oil it."), heading("Repair", 2), text("Call us."))

    assert found.title_path == ("Pumps",)
    assert found.text == "Care\n\nOil it.\n\nRepair\n\nCall us."


def test_headings_with_nothing_under_them_are_not_lost() -> None:
    assert [each.text for each in cut(heading("One"), heading("Two"))] == ["One\n\nTwo"]
    assert [(each.title_path, each.text) for each in cut(heading("One"), heading("Two", 2))] == [(("One",), "Two")]
    assert [each.text for each in cut(heading("Twice"), heading("Twice"))] == ["Twice"]


def test_a_section_that_is_cut_repeats_whole_sentences() -> None:
    found = cut(text(sentences(0, 12)))

    assert len(found) > 2
    for before, after in pairwise(found):
        last = before.text.rsplit(". ", 1)[-1]
        assert after.text.startswith(last)


def test_sentences_do_not_end_at_abbreviations_or_in_numbers() -> None:
    found = cut(text("It weighs 3.5 kg, e.g. with oil, i.e. filled. " * 8), chunking=Chunking(20, 0))

    assert {each.text for each in found} == {"It weighs 3.5 kg, e.g. with oil, i.e. filled."}


def test_chinese_is_cut_behind_its_full_stop() -> None:
    found = cut(text("泵需要每年加油。阀门不需要。" * 10), chunking=Chunking(20, 0))

    assert all(each.text.endswith("。") for each in found)
    assert "".join(each.text for each in found) == "泵需要每年加油。阀门不需要。" * 10


def test_a_table_that_goes_on_names_its_columns_again_on_every_passage_and_page() -> None:
    head = Block(BlockKind.TABLE_HEAD, "part | price")
    rows = [row(f"bolt {number} | {number} euro") for number in range(30)]

    found = list(chunks([Page(1, (head, *rows[:15])), Page(2, (head, *rows[15:]))], SMALL))

    assert all(each.text.startswith("part | price\nbolt") for each in found)
    assert [line for each in found for line in each.text.split("\n")[1:]] == [each.text for each in rows]
    assert (found[0].page_from, found[-1].page_to) == (1, 2)


def test_code_is_cut_only_where_it_is_longer_than_a_passage_and_then_between_lines() -> None:
    short = Block(BlockKind.CODE, "def one():\n    return 1\n\n\nprint(one())")
    long = Block(BlockKind.CODE, "\n".join(f"value_{number} = {number}" for number in range(40)))

    found = cut(text(sentences(0, 3)), short, long)

    assert any(short.text in each.text for each in found)
    lines = [line for each in found for line in each.text.split("\n") if line.startswith("value_")]
    assert lines == long.text.split("\n")


def test_what_has_neither_sentences_nor_words_is_cut_too() -> None:
    found = cut(text("x" * 100_000))

    assert "".join(each.text for each in found) == "x" * 100_000
    assert max(each.tokens for each in found) <= SMALL.target_tokens


def test_a_long_text_takes_time_in_proportion() -> None:
    def seconds(content: str) -> float:
        began = time.process_time()
        cut(text(content), chunking=Chunking())
        return time.process_time() - began

    for part in ("Dots.....", "a\n", " \n", "“.”", "word ", "。", "x", "A b c. D e f.\n"):
        short = seconds(part * (50_000 // len(part)))
        # Eight times as much: quadratic work would take 64 times as long, each time; a busy machine only now and then.
        assert any(seconds(part * (400_000 // len(part))) < 24 * short + 0.05 for _ in range(3))


def by_page(*pages: list[Block]) -> list[Chunk]:
    read = [Page(number, tuple(blocks)) for number, blocks in enumerate(pages, start=1)]
    return list(chunks(read, Chunking(40, 10, ends_with_pages=True)))


def test_passages_may_end_with_their_page_under_the_same_headings() -> None:
    found = by_page(
        [heading("Birds"), text("A heron.")],
        [text("A stork.")],
        [heading("Boats"), text("A skiff.")],
        [heading("Empty")],
        [],
        [text("The end.")],
    )

    assert [(one.title_path, one.text, one.page_from, one.page_to) for one in found] == [
        (("Birds",), "A heron.", 1, 1),
        (("Birds",), "A stork.", 2, 2),
        (("Boats",), "A skiff.", 3, 3),
        ((), "Empty", 4, 4),
        (("Empty",), "The end.", 6, 6),
    ]
