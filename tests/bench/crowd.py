"""What lists of the administration show beside made-up people, chats and calls: sign-ins, logs, ratings, entries."""

import hashlib
import logging
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.kit.clock import now
from llm_ui.models import ChatMessage, LogEntry, MessageFeedback, MessageRole, User, UserSession
from llm_ui.services import audit, bulk
from llm_ui.services.access import SYSTEM
from llm_ui.services.bulk import Columns
from llm_ui.services.demo_rows import ids, instant, texts
from llm_ui.services.logs import MOST

SESSIONS, RATINGS, ENTRIES = 50_000, 20_000, 20_000
AT_ONCE = 1_000
"""Entries of the audit log in one transaction: each holds the hash of the one before."""
EVENTS = ("run.finished", "session.started", "document.parsed", "request.refused")


async def fill(database: Database) -> None:
    """Put in as many as there are people and answers for."""
    async with database.reading() as session:
        people = [one.hex for one in await session.scalars(select(User.id).order_by(User.id).limit(SESSIONS))]
        answered = select(ChatMessage.id).where(ChatMessage.role == MessageRole.ASSISTANT).limit(RATINGS)
        answers = [one.hex for one in await session.scalars(answered)]
    chance = np.random.default_rng(2)
    async with database.writing() as session:
        await bulk.insert(session, UserSession, _sessions(chance, people))
        await bulk.insert(session, LogEntry, _lines(chance, people))
        await bulk.insert(session, MessageFeedback, _ratings(chance, people, answers))
    for first in range(0, ENTRIES, AT_ONCE):
        async with database.writing() as session:
            for number in range(first, first + AT_ONCE):
                await audit.record(session, SYSTEM, "user.disabled", f"demo {number}", reason="made up")


def _ago(chance: np.random.Generator, count: int, days: int) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    back = np.sort(chance.random(count))[::-1] * days * 86_400e6
    at: np.ndarray[tuple[int], np.dtype[np.datetime64]] = instant(now()) - back.astype("timedelta64[us]")
    return at


def _sessions(chance: np.random.Generator, people: Sequence[str]) -> Columns:
    at, count = _ago(chance, len(people), 7), len(people)
    [ends] = texts(np.array([instant(now() + timedelta(days=7))]))
    return {
        "id": ids(chance, at), "user_id": people,
        "token_hash": [hashlib.sha256(one.encode()).hexdigest() for one in people],
        "created_at": texts(at), "last_seen_at": texts(at), "expires_at": [ends] * count,
        "user_agent": ["Made-up browser"] * count,
        "address": [f"10.0.{n // 250 % 250}.{n % 250}" for n in range(count)],
    }  # fmt: skip


def _lines(chance: np.random.Generator, people: Sequence[str]) -> Columns:
    at = _ago(chance, MOST, 14)
    level = chance.choice([logging.INFO, logging.WARNING, logging.ERROR], size=MOST, p=[0.95, 0.04, 0.01])
    return {
        "id": ids(chance, at), "at": texts(at), "level": level.tolist(), "process": ["api"] * MOST,
        "event": [EVENTS[n % len(EVENTS)] for n in range(MOST)],
        "fields": ['{"status": "200"}'] * MOST, "words": ["status=200"] * MOST,
        "request_id": [f"{n:016x}" for n in range(MOST)], "user_id": [people[n % len(people)] for n in range(MOST)],
    }  # fmt: skip


def _ratings(chance: np.random.Generator, people: Sequence[str], answers: Sequence[str]) -> Columns:
    at, count = _ago(chance, len(answers), 60), len(answers)
    return {
        "id": ids(chance, at), "message_id": answers, "user_id": [people[n % len(people)] for n in range(count)],
        "rating": chance.choice([-1, 1], size=count).tolist(), "comment": [""] * count,
        "created_at": texts(at), "updated_at": texts(at),
    }  # fmt: skip
