"""`llm-ui eval`: how well it works, in figures.

Passages are looked for in a database of their own, answers come from the server that runs.

A collection is a folder as the BEIR benchmark has it (Thakur et al. 2021, https://github.com/beir-cellar/beir):
`corpus.jsonl`, `queries.jsonl` and `qrels/test.tsv`.
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from llm_ui.cli import answers, figures
from llm_ui.cli.answers import Who
from llm_ui.cli.command import data_dir, run, settings, table, with_database
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents.evaluate import Collection, Embedder, Models, measure
from llm_ui.errors import InvalidInput
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.http import new_client
from llm_ui.kit.text import storable
from llm_ui.models import EvaluationKind
from llm_ui.runs.embed_documents import embed_all
from llm_ui.runs.embeddings import TIMEOUTS, Embeddings
from llm_ui.runs.reranking import Reranker
from llm_ui.services.evaluations import Exam, Measured
from llm_ui.services.model_copies import ModelCopies, copy_models, paste_models
from llm_ui.services.secrets import load_secrets


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is measured beside words."""

    embeddings: bool
    reranking: bool | None
    """None: where vectors are, and a model is set."""

    @property
    def is_any(self) -> bool:
        """Whether a model of the workspace is asked."""
        return self.embeddings or bool(self.reranking)


@click.group("eval")
def evaluate() -> None:
    """Measure how well it works."""


@evaluate.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object instead of a table.")
@click.option("--embeddings", "has_embeddings", is_flag=True, help="Measure search by meaning too.")
@click.option(
    "--reranking/--no-reranking", "has_reranking", default=None,
    help="Measure what the reranking model makes of it too. With --embeddings it does when one is set.",
)  # fmt: skip
@figures.store
@data_dir
def retrieval(
    dataset: Path,
    is_json: bool,
    has_embeddings: bool,
    has_reranking: bool | None,
    is_stored: bool,
    data_dir: Path | None,
) -> None:
    """Measure how well passages are found, on the questions and judged answers in the folder DATASET.

    DATASET is in the format of BEIR: corpus.jsonl, queries.jsonl and qrels/test.tsv. It is searched in a database of
    its own, which is deleted afterwards. With --embeddings the workspace's embedding model makes vectors of it, with
    --reranking its reranking model puts the first passages of each question in order, as it does for answers.
    """
    wanted = Wanted(has_embeddings, has_reranking)

    def work() -> dict[str, dict[str, float]]:
        collection = load(dataset)
        found, models = _measured(collection, settings(data_dir=data_dir) if wanted.is_any else None, wanted)
        sizes = len(collection.gains), len(collection.documents)
        exam = Exam(EvaluationKind.RETRIEVAL, dataset.resolve().name, *sizes, models, figures.who())
        if is_stored:
            figures.keep(exam, figures.ways(found), data_dir)
        return found

    found = run(work)
    if is_json:
        click.echo(json.dumps(found))
        return
    names = list(next(iter(found.values())))
    rows = [[strategy, *(_shown(name, measured[name]) for name in names)] for strategy, measured in found.items()]
    table(rows, ["strategy", *(name.removesuffix("_ms") for name in names)])


@evaluate.command("answers")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--user", required=True, help="Whose projects are asked; it is booked to them.")
@click.option("--judge", required=True, help="The model that judges.")
@click.option("--model", help="The model that answers; without it the default one.")
@click.option("--json", "is_json", is_flag=True, help="Print one JSON object, with each answer, instead of a table.")
@figures.store
@data_dir
def answers_command(
    file: Path, user: str, judge: str, model: str | None, is_json: bool, is_stored: bool, data_dir: Path | None
) -> None:
    """Measure how well answers keep to their sources, on the questions in FILE.

    Each line of FILE is a JSON object: {"question": "…", "project": "its name"} and, to ask some documents of it alone,
    "documents": ["their names"]. The server has to run. Citation precision is the share of citations whose passage
    supports the statement they stand at, groundedness the share of statements that some passage supports.
    """

    def work() -> dict[str, Any]:
        asked = answers.load(file)
        config = settings(data_dir=data_dir)
        found = with_database(
            config, lambda database: answers.measure(database, config, asked, Who(user, judge, model))
        )
        if is_stored:
            models = ", ".join(filter(None, (model, f"judge: {judge}")))
            exam = Exam(EvaluationKind.ANSWERS, file.resolve().name, len(asked), None, models, user)
            measured = {name: figure for name, figure in found.items() if name != "each"}
            figures.keep(exam, [Measured("", measured)], data_dir)
        return found

    found = run(work)
    if is_json:
        click.echo(json.dumps(found))
        return
    told = {name: figure for name, figure in found.items() if name != "each"}
    table([[_figure(figure) for figure in told.values()]], [name.replace("_", " ") for name in told])
    for one in found["each"]:
        if "problem" in one:
            click.echo(f"Not judged: {one['question']} ({one['problem']})")


def _figure(figure: float | int | None) -> str:
    if figure is None:
        return "–"
    return str(figure) if isinstance(figure, int) else f"{figure:.4f}"


def _measured(
    collection: Collection, workspace: Config | None, wanted: Wanted
) -> tuple[dict[str, dict[str, float]], str]:
    """Return the figures of each strategy, and the models that were asked."""
    copies = None if workspace is None else with_database(workspace, lambda database: _models_of(database, wanted))
    with tempfile.TemporaryDirectory(prefix="llm-ui-eval-") as folder:
        # Never the database of the settings.
        config = settings(data_dir=folder).model_copy(update={"database_url": None})
        if workspace is None or copies is None:
            return with_database(config, lambda database: measure(database, collection, Models())), ""
        sealer = load_secrets(workspace).sealer
        asked = [one.display_name for one in (copies.embedder, copies.reranker) if one is not None]
        found = with_database(config, lambda database: _compared(database, collection, copies, sealer))
        return found, ", ".join(asked)


async def _models_of(database: Database, wanted: Wanted) -> ModelCopies:
    """Return the models that are asked. Raises `InvalidInput` when one is not set."""
    async with database.reading() as session:
        copies = await copy_models(session)
    if wanted.embeddings and copies.embedder is None:
        raise InvalidInput("No embedding model is set. Choose one under Admin, Settings, or leave out --embeddings.")
    if wanted.reranking and copies.reranker is None:
        raise InvalidInput("No reranking model is set. Choose one under Admin, Settings, or leave out --reranking.")
    return replace(
        copies,
        embedder=copies.embedder if wanted.embeddings else None,
        reranker=None if wanted.reranking is False else copies.reranker,
    )


async def _compared(
    database: Database, collection: Collection, copies: ModelCopies, sealer: Sealer
) -> dict[str, dict[str, float]]:
    async with database.writing() as session:
        await paste_models(session, copies)
    async with new_client() as http:
        embeddings = Embeddings(database, sealer, http, question=TIMEOUTS)
        embedder = Embedder(partial(embed_all, database, embeddings), embeddings.question)
        reranker = Reranker(database, sealer, http, timeouts=TIMEOUTS)
        models = Models(
            None if copies.embedder is None else embedder, None if copies.reranker is None else reranker.reordered
        )
        return await measure(database, collection, models)


def _shown(name: str, figure: float) -> str:
    return f"{figure:.1f} ms" if name.endswith("_ms") else f"{figure:.4f}"


def load(folder: Path) -> Collection:
    """Return the collection in a folder. Raises `InvalidInput` with the file and the line that are wrong."""
    documents = {entry["_id"]: (entry.get("title", ""), entry["text"]) for entry in _entries(folder / "corpus.jsonl")}
    questions = {entry["_id"]: entry["text"] for entry in _entries(folder / "queries.jsonl")}
    gains: dict[str, dict[str, int]] = {}
    for question, document, gain in _judgements(folder / "qrels" / "test.tsv"):
        if question in questions and gain > 0:
            gains.setdefault(question, {})[document] = gain
    if not gains:
        raise InvalidInput(f"{folder} judges no answer to any of its questions.")
    return Collection(documents, questions, gains)


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the lines of a file that are not empty, each with where it is."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"{path}, line {number}", storable(line.rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidInput(
            f"{path} cannot be read: {reason}. Name a folder with corpus.jsonl, queries.jsonl and qrels/test.tsv."
        ) from None


def _entries(path: Path) -> Iterator[dict[str, str]]:
    for where, line in _lines(path):
        try:
            entry = json.loads(line)
        except ValueError:
            raise InvalidInput(f"{where} is not JSON.") from None
        if not isinstance(entry, dict) or not {"_id", "text"} <= entry.keys():
            raise InvalidInput(f"{where} has no _id or no text.")
        if not all(isinstance(entry.get(name, ""), str) for name in ("_id", "title", "text")):
            raise InvalidInput(f"{where}: _id, title and text have to be strings.")
        yield entry


def _judgements(path: Path) -> Iterator[tuple[str, str, int]]:
    for number, (where, line) in enumerate(_lines(path)):
        cells = line.split("\t")
        if number == 0 and cells[-1] == "score":
            continue
        try:
            question, document, gain = cells
            yield question, document, int(gain)
        except ValueError:
            raise InvalidInput(
                f"{where} is not a question, a document and a whole number, with tabs between."
            ) from None
