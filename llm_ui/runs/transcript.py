"""Conversations as the helper model is told them, and what it says as lines of plain text."""

import re

SHOWN_CHARS = 4_000
"""Of one message, for a title or a suggestion: what it is about is said by then."""
THOUGHTS = re.compile(r"<think>.*?(</think>|\Z)", re.DOTALL)
"""Some servers leave a model's reasoning in its answer."""
BULLET = re.compile(r"^([-*•–]|\(?\d+[.):]|[a-c][.)])\s+")
"""Begins an item of a list."""


def exchange(question: str, answer: str) -> str:
    """Return a question and its answer, long ones shortened."""
    said = (spoken("user", shortened(question, SHOWN_CHARS)), spoken("assistant", shortened(answer, SHOWN_CHARS)))
    return "\n".join(("<conversation>", *said, "</conversation>"))


def spoken(role: str, text: str) -> str:
    """Return a message with who says it."""
    return f"<{role}>\n{text}\n</{role}>"


def without_thoughts(said: str) -> str:
    """Return what a model said without the reasoning that some servers leave in it."""
    return THOUGHTS.sub("", said).strip()


def plain_lines(said: str) -> list[str]:
    """Return the lines that say something."""
    return [line.strip() for line in without_thoughts(said).splitlines() if line.strip()]


def shortened(text: str, limit: int) -> str:
    """Return a text, of a long one the beginning and the end."""
    return text if len(text) <= limit else f"{text[: limit // 2]}\n[…]\n{text[-(limit // 2) :]}"
