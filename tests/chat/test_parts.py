"""An answer in its parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.chat.parts import in_parts
from llm_ui.kit.block import MAX_CHARS
from llm_ui.kit.markdown import blocks

MARKDOWN = st.text(alphabet="ab *_#`~-|>\n\t1.[]()$\\", max_size=300)


def test_each_block_is_a_part_with_the_lines_up_to_the_next() -> None:
    text = "\n# Title\n\nSome *words*\nand more.\n\n```py\na = 1\n\nb = 2\n```\n- one\n- two\n"

    assert in_parts(text) == [
        "\n# Title\n\n", "Some *words*\nand more.\n\n", "```py\na = 1\n\nb = 2\n```\n", "- one\n- two\n",
    ]  # fmt: skip


@given(MARKDOWN)
def test_the_parts_are_the_text_and_the_blocks_that_are_shown(text: str) -> None:
    parts = in_parts(text)

    assert "".join(parts) == text
    assert len(parts) == max(1, len(blocks(text)))


@pytest.mark.parametrize("text", ["", "   \n", "x" * (MAX_CHARS + 1), "a\n\n" * MAX_CHARS])
def test_what_has_no_parts_or_is_very_long_is_one(text: str) -> None:
    assert in_parts(text) == [text]
