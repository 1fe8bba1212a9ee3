"""What an embedding model is given of a passage or a question.

Some families were trained with words before each text that say which of the two it is, and find less without them.
The words are those of the makers' model cards, read 2026-11-22.
"""

import re

MAX_CHARS = 8_000
"""Of one text: what a passage has at most, and far more than a question says."""
SEARCH = "Represent this sentence for searching relevant passages: "
FAMILIES: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"nomic-embed-text"), "search_document: ", "search_query: "),
    (re.compile(r"(^|-)e5-(?!.*instruct)"), "passage: ", "query: "),
    (re.compile(r"bge-(small|base|large)-en|mxbai-embed|snowflake-arctic-embed(?!2|-[ml]-v2)"), "", SEARCH),
    (re.compile(r"embeddinggemma"), "title: none | text: ", "task: search result | query: "),
)
"""Names of families, what comes before a passage, and what before a question."""


def passage_text(model: str, title_path: str, text: str) -> str:
    """Return what a model is given of a passage: its headings too, for what they say is often not said again."""
    return (_words(model)[0] + "\n".join(filter(None, (title_path, text))))[:MAX_CHARS]


def question_text(model: str, question: str) -> str:
    """Return what a model is given of a question."""
    return (_words(model)[1] + question)[:MAX_CHARS]


def _words(model: str) -> tuple[str, str]:
    name = model.lower().rpartition("/")[2]
    return next(((before, asked) for family, before, asked in FAMILIES if family.search(name)), ("", ""))
