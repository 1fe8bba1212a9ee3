"""How well questions that mean the same are told from others: by words, and by vectors where there is a model.

The model is the one in LLM_UI_EMBEDDING_FOLDER, as the README says; without it words alone are measured.
"""

import os
from pathlib import Path

from llm_ui.embedder.bert import Bert
from tests.bench.figures import Line
from tests.similar import figures
from tests.similar.figures import Figures

THRESHOLDS = (0.95, 0.9, 0.85)


def measure(_folder: Path) -> list[Line]:
    """Measure the pairs of tests/similar."""
    lines = [_line("by words alone", figures.words_alone(), None)]
    held = figures.pairs("unseen")
    through = len(figures.by_words(held))
    lines.append(("pairs that mean something else, not known before, let through by words", f"{through} of {len(held)}",
                  "", "", ""))  # fmt: skip
    folder = os.environ.get("LLM_UI_EMBEDDING_FOLDER")
    if not folder:
        return lines
    model = Bert(Path(folder))
    for least in THRESHOLDS:
        raw = figures.with_vectors(model, least, has_words=False)
        lines.append(_line(f"{model.name}, cosine {least}", figures.with_vectors(model, least, has_words=True), raw))
    return lines


def _line(what: str, found: Figures, raw: Figures | None) -> Line:
    return f"questions that mean the same, {what}", _told(found), "" if raw is None else _told(raw), "", ""


def _told(found: Figures) -> str:
    same, different = len(figures.pairs("same")), len(figures.pairs("different"))
    return f"{found.hits} of {same} found, {found.false} of {different} wrongly: precision {found.precision:.2f}"
