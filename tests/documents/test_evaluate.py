"""The measures against values worked out by hand, and a small collection through the command."""

import json
import math
import sqlite3
from pathlib import Path
from uuid import UUID

import pytest

from llm_ui import __version__
from llm_ui.cli.evaluate import load
from llm_ui.db import Database
from llm_ui.documents.evaluate import Models, measure, ndcg, recall, reciprocal_rank
from llm_ui.errors import InvalidInput
from tests.cli.conftest import Cli
from tests.fakes.embeddings import serving

CLAIMS = {
    "c1": ("Zinc lozenges shorten colds.", {"d1": 2, "d2": 1}),
    "c2": ("Night work disturbs the sleep of nurses.", {"d3": 1}),
    "c3": ("Compost warms by the heat of bacteria.", {"d4": 1}),
    "c4": ("Does reading by candlelight harm eyes?", {"d6": 1}),
    "c5": ("Nobody wrote about xylophones.", {"d5": 1}),
}
"""Claims, and which abstracts speak to them, as the questions of SciFact are; written for this test."""
ABSTRACTS = {
    "d1": (
        "Zinc and the common cold",
        "Lozenges with zinc, taken within a day, shortened colds by a third in a trial.",
    ),
    "d2": ("Trace elements", "Zinc is needed by enzymes. Whether lozenges of it help against a cold is discussed."),
    "d3": ("Shifts in hospitals", "Nurses who worked at night slept less and woke more often than those of the day."),
    "d4": ("Heat in compost", "Bacteria that break straw down warm a heap of compost to sixty degrees."),
    "d5": ("Percussion", "Bars of wood are tuned by taking wood off their middle."),
    "d6": ("Light to read by", "Weak light such as that of candles tires the eyes and leaves no lasting harm."),
    "d7": ("Cold storage", "Apples in a cold store keep for months when the air holds little oxygen."),
    "d8": ("Sleep of cats", "Cats sleep through most of the day and hunt at dusk."),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection as BEIR has them."""
    folder = tmp_path / "claims"
    (folder / "qrels").mkdir(parents=True)
    corpus = [json.dumps({"_id": name, "title": title, "text": text}) for name, (title, text) in ABSTRACTS.items()]
    queries = [json.dumps({"_id": name, "text": claim}) for name, (claim, _) in CLAIMS.items()]
    qrels = [f"{name}\t{one}\t{gain}" for name, (_, gains) in CLAIMS.items() for one, gain in gains.items()]
    (folder / "corpus.jsonl").write_text("\n".join(corpus))
    (folder / "queries.jsonl").write_text("\n".join(queries) + "\n\n")
    (folder / "qrels" / "test.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *qrels, "c1\td7\t0"]))
    return folder


@pytest.fixture
def typed(tmp_path: Path) -> Cli:
    """The command line, on a data folder that is not there yet."""
    return Cli(tmp_path / "data folder")


def test_gain_is_discounted_by_rank() -> None:
    gains = {"a": 3, "b": 2, "c": 1}
    ideal = 3 / math.log2(2) + 2 / math.log2(3) + 1 / math.log2(4)

    assert ideal == pytest.approx(4.76186, abs=1e-5)
    assert ndcg(["a", "b", "c"], gains, 10) == pytest.approx(1.0)
    assert ndcg(["x", "b", "a"], gains, 10) == pytest.approx((2 / 1.58496 + 3 / 2) / 4.76186, abs=1e-5)
    assert ndcg(["x", "b", "a"], gains, 2) == pytest.approx((2 / 1.58496) / (3 + 2 / 1.58496), abs=1e-5)
    assert ndcg([], gains, 10) == 0


def test_what_is_found_is_counted_and_the_first_hit_ranked() -> None:
    gains = {"a": 3, "b": 2, "c": 1, "d": 1}

    assert recall(["x", "a", "b", "y"], gains, 10) == 0.5
    assert recall(["x", "a", "b", "y"], gains, 2) == 0.25
    assert reciprocal_rank(["x", "y", "c"], gains, 10) == pytest.approx(1 / 3)
    assert reciprocal_rank(["x", "y", "c"], gains, 2) == 0


async def test_passages_are_found_in_a_collection(database: Database, folder: Path) -> None:
    collection = load(folder)
    found = await measure(database, collection, Models())

    assert len(collection.documents) == len(ABSTRACTS)
    assert collection.gains["c1"] == {"d1": 2, "d2": 1}
    assert found.keys() == {"lexical"}
    for figures in found.values():
        # Of five questions one asks for a word that its answer does not hold.
        assert figures["ndcg@10"] == pytest.approx(0.8)
        assert figures["mrr@10"] == pytest.approx(0.8)
        assert figures["recall@10"] == figures["recall@100"] == pytest.approx(0.8)
        assert 0 < figures["p50_ms"] <= figures["p95_ms"]


def test_the_command_prints_a_table_or_json_and_leaves_the_data_alone(typed: Cli, folder: Path) -> None:
    table = typed.fine("eval", "retrieval", str(folder), LLM_UI_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none")
    printed = json.loads(typed.fine("eval", "retrieval", str(folder), "--json"))

    assert "ndcg@10" in table
    assert "lexical" in table
    assert printed["lexical"]["ndcg@10"] == pytest.approx(0.8)
    assert not typed.folder.exists()


def test_the_command_compares_words_and_meaning_with_the_models_of_the_workspace(typed: Cli, folder: Path) -> None:
    none = typed.sentence("eval", "retrieval", str(folder), "--embeddings")
    with serving() as address:
        model = ("--model", "things-embed", "--model", "word-reranker")
        typed.fine("providers", "add", "Things", "--type", "openai", "--url", address, *model)
        with sqlite3.connect(typed.folder / "llm-ui.db") as connection:
            ids = dict(connection.execute("SELECT name, id FROM ai_models").fetchall())
            value, orders = (json.dumps({"value": str(UUID(ids[name]))}) for name in ("things-embed", "word-reranker"))
            setting = "INSERT INTO settings (name, value, updated_at) VALUES (?, ?, '2026-01-01 00:00:00')"
            connection.execute(setting, ("embedding_model_id", value))
        printed = json.loads(typed.fine("eval", "retrieval", str(folder), "--embeddings", "--json"))
        no_order = typed.sentence("eval", "retrieval", str(folder), "--reranking")
        with connection:
            connection.execute(setting, ("reranking_model_id", orders))
        connection.close()
        ordered = json.loads(typed.fine("eval", "retrieval", str(folder), "--embeddings", "--json"))
        by_words = json.loads(typed.fine("eval", "retrieval", str(folder), "--reranking", "--json"))

    assert "No embedding model is set" in none
    assert printed.keys() == {"lexical", "vector", "hybrid"}
    assert printed["lexical"]["ndcg@10"] == pytest.approx(0.8)
    assert printed["hybrid"]["recall@100"] == 1.0, "what words do not find, meaning does"
    assert "No reranking model is set" in no_order
    assert ordered.keys() == {"lexical", "vector", "hybrid", "reranked"}
    assert ordered["reranked"].keys() == ordered["hybrid"].keys()
    assert ordered["reranked"]["recall@100"] == 1.0
    assert by_words.keys() == {"lexical", "reranked"}
    assert by_words["reranked"]["ndcg@10"] == pytest.approx(0.8)


def test_figures_are_kept_where_there_is_a_database_unless_it_is_not_wanted(typed: Cli, folder: Path) -> None:
    typed.create("ann")
    for more in ([], ["--no-store"]):
        typed.fine("eval", "retrieval", str(folder), "--json", *more)

    with sqlite3.connect(typed.folder / "llm-ui.db") as connection:
        (kept,) = connection.execute(
            "SELECT kind, dataset, questions, documents, strategy, figures, version, is_listed FROM evaluations"
        ).fetchall()
    connection.close()
    assert kept[:5] == ("retrieval", "claims", 5, 8, "lexical")
    assert json.loads(kept[5])["ndcg@10"] == pytest.approx(0.8)
    assert kept[6:] == (__version__, 1)


@pytest.mark.parametrize(
    ("file", "written", "said"),
    [
        ("corpus.jsonl", None, "corpus.jsonl cannot be read: No such file"),
        ("qrels/test.tsv", None, "test.tsv cannot be read: No such file"),
        ("corpus.jsonl", '{"_id": "d1", "text": "x"}\n{"_id": ', "corpus.jsonl, line 2 is not JSON"),
        ("corpus.jsonl", '{"_id": "d1"}', "line 1 has no _id or no text"),
        ("corpus.jsonl", '{"_id": 1, "text": "x"}', "have to be strings"),
        ("queries.jsonl", "[]", "queries.jsonl, line 1 has no _id or no text"),
        ("queries.jsonl", '{"_id": "else", "text": "x"}', "judges no answer to any of its questions"),
        ("qrels/test.tsv", "c1\td1\tmuch", "line 1 is not a question, a document and a whole number"),
        ("qrels/test.tsv", "c1 d1 1", "line 1 is not a question, a document and a whole number"),
        ("qrels/test.tsv", "", "judges no answer"),
    ],
)
def test_a_collection_that_cannot_be_used_is_named(folder: Path, file: str, written: str | None, said: str) -> None:
    if written is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(written)

    with pytest.raises(InvalidInput, match=said):
        load(folder)


def test_what_is_not_utf8_is_named(typed: Cli, folder: Path) -> None:
    (folder / "corpus.jsonl").write_bytes(b'{"_id": "d1", "text": "\xff"}')

    assert "it is not UTF-8" in typed.sentence("eval", "retrieval", str(folder))
    assert "cannot be read: No such file" in typed.sentence("eval", "retrieval", str(folder / "none"))
