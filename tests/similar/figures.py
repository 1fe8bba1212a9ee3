"""How well questions that mean the same are told from those that do not: over the pairs of this folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_ui.embedder.bert import Bert
from llm_ui.kit.alike import is_alike
from llm_ui.kit.vectors import cosines, packed

HERE = Path(__file__).parent
Pair = tuple[str, str]


@dataclass(frozen=True)
class Figures:
    """Of one way to tell."""

    hits: int
    """Pairs that mean the same and are found to."""
    false: int
    """Pairs that do not, and are found to."""

    @property
    def precision(self) -> float:
        """The share of what is found that is right; 1 where nothing is."""
        found = self.hits + self.false
        return self.hits / found if found else 1.0


def pairs(name: str) -> list[Pair]:
    lines = (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    return [(one, other) for one, other in (line.split("\t") for line in lines)]


def by_words(found: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that nothing in their words keeps apart."""
    return [pair for pair in found if is_alike(*pair)]


def by_vectors(model: Bert, found: Sequence[Pair], least: float) -> list[Pair]:
    """Return the pairs whose vectors are near enough."""
    return [pair for pair in found if cosine(model, *pair) >= least]


def cosine(model: Bert, one: str, other: str) -> float:
    vectors = [packed([float(number) for number in model.vector(model.tokens(text))]) for text in (one, other)]
    return cosines(vectors[0], vectors[1:])[0]


def words_alone() -> Figures:
    """Return the figures of what is told by words, as if all vectors were near."""
    return Figures(len(by_words(pairs("same"))), len(by_words(pairs("different"))))


def with_vectors(model: Bert, least: float, *, has_words: bool) -> Figures:
    """Return the figures of vectors, with what is told by words or without it."""
    near = {name: by_vectors(model, pairs(name), least) for name in ("same", "different")}
    told = {name: by_words(found) if has_words else found for name, found in near.items()}
    return Figures(len(told["same"]), len(told["different"]))
