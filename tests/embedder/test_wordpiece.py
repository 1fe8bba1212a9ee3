from pathlib import Path

import pytest

from llm_ui.embedder.wordpiece import WordPiece
from llm_ui.errors import ConfigurationError
from tests.fakes import bert


@pytest.fixture
def tokenizer(tmp_path: Path) -> WordPiece:
    return WordPiece(bert.make(tmp_path / "tiny") / "vocab.txt", is_lower=True)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        # The example of BERT's own tests.
        ("UNwant\u00e9d,running", "un ##want ##ed , runn ##ing"),
        ("The heron\tstands  in\nthe reeds.", "the heron stands in the reeds ."),
        ("lowest! x漢a", "lowest ! [UNK] 漢 a"),
        ("wa\u200bnt \ufffd\x00", "want"),
        ("unknown " + "a" * 101, "[UNK] [UNK]"),
        ("", ""),
    ],
)
def test_a_text_is_parted_as_bert_parts_it(tokenizer: WordPiece, text: str, pieces: str) -> None:
    numbers = tokenizer.encode(text, 100)

    assert [bert.PIECES[number] for number in numbers] == ["[CLS]", *pieces.split(), "[SEP]"]


def test_a_long_text_is_cut(tokenizer: WordPiece) -> None:
    numbers = tokenizer.encode("the heron " * 1_000, 9)

    assert [bert.PIECES[number] for number in numbers] == ["[CLS]", *["the", "heron"] * 3, "the", "[SEP]"]


def test_case_stays_where_the_model_tells_it_apart(tmp_path: Path) -> None:
    tokenizer = WordPiece(bert.make(tmp_path / "tiny") / "vocab.txt", is_lower=False)

    assert [bert.PIECES[number] for number in tokenizer.encode("The heron ä", 9)] == [
        "[CLS]", "[UNK]", "heron", "ä", "[SEP]",
    ]  # fmt: skip


def test_another_file_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("no\nvocabulary\n")

    with pytest.raises(ConfigurationError, match=r"holds no vocab\.txt of a BERT model"):
        WordPiece(tmp_path / "vocab.txt", is_lower=True)
