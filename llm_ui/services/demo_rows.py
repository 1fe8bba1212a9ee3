"""The made-up rows themselves, some ten thousand at a time and column by column, as services/bulk.py takes them."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llm_ui.kit.money import TOKENS_PER_MTOK, to_picodollars
from llm_ui.models import (
    AiModel,
    MessageRole,
    MessageStatus,
    ProjectRole,
    Role,
    RunStatus,
    TeamRole,
    UsageKind,
    UsagePurpose,
    UsageSource,
)
from llm_ui.services.bulk import Columns

DAYS = 365
"""So far back calls go, more of them in the last months and by day."""
SLOWING = 1.3
"""How steep it goes up: 1 would be as many each day."""
HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 12, 15, 18, 18, 16, 12, 8, 6, 5, 4, 3, 2)
"""How much is asked in each hour of a day of UTC."""
PURPOSES = (
    (UsagePurpose.ANSWER, UsageKind.CHAT, 60), (UsagePurpose.ANSWER, UsageKind.API, 15),
    (UsagePurpose.ANSWER, UsageKind.TEMPORARY, 5), (UsagePurpose.TITLE, UsageKind.HELPER, 10),
    (UsagePurpose.EMBEDDING, UsageKind.EMBEDDING, 10),
)  # fmt: skip
ENDS = ((RunStatus.COMPLETED, 94), (RunStatus.STOPPED, 3), (RunStatus.FAILED, 2), (RunStatus.INTERRUPTED, 1))
ASKED = (50, 30, 10, 10)
"""How much of each model."""
CACHED, ESTIMATED = 0.3, 0.05
"""The share of calls of which the provider had read a part before, and of those that are estimated."""
IN_PROJECT = 5
"""One person of so many asks in the project of their team."""
SPOKEN = timedelta(days=30)
"""Chats that were begun since then have a question and an answer."""

Times = NDArray[np.datetime64]
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Ids of who there is, as they are stored. People are in the team of their place in the line."""

    people: NDArray[Any]
    teams: NDArray[Any]
    projects: NDArray[Any]
    models: tuple[AiModel, ...]

    def team_of(self, people: Whole) -> Whole:
        """Return the number of the team that each person is in."""
        return people * len(self.teams) // len(self.people)


def ids(chance: np.random.Generator, at: Times) -> list[str]:
    """Return an UUID version 7 of each instant (RFC 9562, 5.7)."""
    drawn = np.frombuffer(chance.bytes(16 * len(at)), dtype=np.uint8).reshape(-1, 16).copy()
    milliseconds = at.astype("datetime64[ms]").astype(">i8")
    drawn[:, :6] = milliseconds.view(np.uint8).reshape(-1, 8)[:, 2:]
    drawn[:, 6] = drawn[:, 6] & 0x0F | 0x70
    drawn[:, 8] = drawn[:, 8] & 0x3F | 0x80
    text = drawn.tobytes().hex()
    return [text[start : start + 32] for start in range(0, len(text), 32)]


def texts(at: Times) -> list[str]:
    """Return instants as both databases read them."""
    return [text.replace("T", " ") for text in np.datetime_as_string(at, unit="us").tolist()]


def instant(at: datetime) -> np.datetime64:
    """Return an instant as NumPy knows it."""
    return np.datetime64(at.astimezone(UTC).replace(tzinfo=None), "us")


def people(names: Sequence[str], made: Sequence[str], at: str) -> Columns:
    """Return accounts that nobody can sign in to."""
    count = len(names)
    addresses = [f"{name}@example.org" for name in names]
    return {
        "id": made, "name": names, "name_key": names, "email": addresses, "email_key": addresses,
        "password_hash": [""] * count, "role": [Role.USER.value] * count, "is_active": [0] * count,
        "created_at": [at] * count, "updated_at": [at] * count,
    }  # fmt: skip


def members(crowd: Crowd, at: str) -> Columns:
    """Return who is in which team; the first of each owns it."""
    team = crowd.team_of(np.arange(len(crowd.people)))
    is_first = np.diff(team, prepend=-1) != 0
    return {
        "team_id": crowd.teams[team].tolist(), "user_id": crowd.people.tolist(),
        "role": np.where(is_first, TeamRole.OWNER.value, TeamRole.MEMBER.value).tolist(), 
        "created_at": [at] * len(team),
    }  # fmt: skip


def owners(crowd: Crowd) -> list[str]:
    """Return the first person of each team."""
    team = crowd.team_of(np.arange(len(crowd.people)))
    found: list[str] = crowd.people[np.diff(team, prepend=-1) != 0].tolist()
    return found


def project_owners(crowd: Crowd, at: str) -> Columns:
    """Return who owns the project of each team."""
    count = len(crowd.projects)
    return {
        "project_id": crowd.projects.tolist(), "user_id": owners(crowd), "role": [ProjectRole.OWNER.value] * count,
        "lets_memory_in": [0] * count, "created_at": [at] * count,
    }  # fmt: skip


def chats(
    chance: np.random.Generator, crowd: Crowd, ends: datetime, numbers: range, count: int
) -> tuple[Columns, Columns]:
    """Return some of so many chats in the order of time, and the messages of the late ones."""
    share = (np.array(numbers) + chance.random(len(numbers))) / count
    back = DAYS * 86_400e6 * (1 - share) ** SLOWING
    at = np.sort(instant(ends) - np.maximum(back, 1e6).astype("timedelta64[us]"))
    made, when, total = ids(chance, at), texts(at), len(numbers)
    spoken = np.flatnonzero(at > instant(ends - SPOKEN)).tolist()
    questions, answers = ids(chance, at[spoken]), ids(chance, at[spoken] + np.timedelta64(1, "ms"))
    leaves, next_position = np.full(total, None, dtype=object), np.zeros(total, dtype=int)
    leaves[spoken], next_position[spoken] = answers, 2
    stored = {
        "id": made, "user_id": crowd.people[chance.integers(len(crowd.people), size=total)].tolist(),
        "title": [f"Made-up chat {number + 1}" for number in numbers], "is_title_automatic": [0] * total,
        "next_position": next_position.tolist(), "active_leaf_id": leaves.tolist(), "last_message_at": when,
        "created_at": when, "updated_at": when,
    }  # fmt: skip
    return stored, _messages([made[one] for one in spoken], [when[one] for one in spoken], questions, answers)


def _messages(chat: list[str], when: list[str], questions: list[str], answers: list[str]) -> Columns:
    count = len(chat)
    return {
        "id": questions + answers, "chat_id": chat * 2, "parent_id": [None] * count + questions,
        "position": [0] * count + [1] * count,
        "role": [MessageRole.USER.value] * count + [MessageRole.ASSISTANT.value] * count,
        "status": [MessageStatus.COMPLETE.value] * (2 * count), "reasoning": [""] * (2 * count),
        "text": ["What does a made-up question ask?"] * count + ["Nothing, as this made-up answer says."] * count,
        "created_at": when * 2, "updated_at": when * 2,
    }  # fmt: skip


def calls(
    chance: np.random.Generator, crowd: Crowd, ends: datetime, count: int, together: int
) -> Iterator[tuple[datetime, datetime, Columns]]:
    """Yield calls of days of so many, the oldest first, with the instant of the first and one after the last."""
    until = [round(count * (1 - (day / DAYS) ** (1 / SLOWING))) for day in range(DAYS, -1, -1)]
    days: list[tuple[int, int]] = []
    for ago, (first, last) in zip(range(DAYS - 1, -1, -1), itertools.pairwise(until), strict=True):
        days.append((ago, last - first))
        if sum(many for _, many in days) >= together or ago == 0:
            at = _times(chance, ends, days)
            if len(at):
                first_at, last_at = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in texts(at[[0, -1]]))
                yield first_at, last_at + timedelta(microseconds=1), _calls(chance, crowd, at)
            days = []


def _times(chance: np.random.Generator, ends: datetime, days: list[tuple[int, int]]) -> Times:
    """Return when calls are made: by the hours of each day, and none that is still to come."""
    ago = np.repeat([day for day, _ in days], [many for _, many in days])
    weights = np.array(HOURS) / sum(HOURS)
    seconds = chance.choice(24, size=len(ago), p=weights) * 3_600 + chance.random(len(ago)) * 3_600
    midnight = instant(ends).astype("datetime64[D]").astype("datetime64[us]")
    at = midnight + ((seconds - ago * 86_400.0) * 1e6).astype("timedelta64[us]")
    return np.sort(np.where(at < instant(ends), at, at - np.timedelta64(1, "D")))


def _calls(chance: np.random.Generator, crowd: Crowd, at: Times) -> Columns:
    size = len(at)

    def drawn(values: Sequence[Any], weights: Sequence[int]) -> Whole:
        return chance.choice(len(values), size=size, p=np.array(weights) / sum(weights))

    # A few people ask most: the n-th one n-th as much.
    person = np.minimum(np.exp(chance.random(size) * np.log(len(crowd.people))).astype(int) - 1, len(crowd.people) - 1)
    team, purpose = crowd.team_of(person), drawn(PURPOSES, [weight for *_, weight in PURPOSES])
    status = drawn(ENDS, [weight for _, weight in ENDS])
    sent, received = (chance.lognormal(mean, 1, size).astype(int) for mean in (7, 5.5))
    ttft_ms = np.round(chance.lognormal(6, 0.6, size), 1)
    total_ms = np.round(ttft_ms + received * chance.uniform(8, 25, size), 1)
    is_estimate, when = chance.random(size) < ESTIMATED, texts(at)
    return {
        "run_id": ids(chance, at), "user_id": crowd.people[person].tolist(), "team_id": crowd.teams[team].tolist(),
        "purpose": _of([each.value for each, *_ in PURPOSES], purpose),
        "kind": _of([each.value for _, each, _ in PURPOSES], purpose),
        "project_id": _where(person % IN_PROJECT == 0, crowd.projects[team]),
        "provider_name": ["Demo data"] * size, "status": _of([each.value for each, _ in ENDS], status),
        **_paid(crowd, drawn(crowd.models, ASKED), sent, received),
        "input_tokens": sent.tolist(), "output_tokens": received.tolist(), "reasoning_tokens": [0] * size,
        "cached_tokens": np.where(chance.random(size) < CACHED, sent // 3, 0).tolist(),
        "usage_source": np.where(is_estimate, UsageSource.ESTIMATE.value, UsageSource.PROVIDER.value).tolist(),
        "ttft_ms": ttft_ms.tolist(), "total_ms": total_ms.tolist(), "created_at": when,
    }  # fmt: skip


def _paid(crowd: Crowd, model: Whole, sent: Whole, received: Whole) -> Columns:
    """Return the model of each call, and what it costs there; None: its price is not known."""
    prices = [(one.input_usd_per_mtok, one.output_usd_per_mtok) for one in crowd.models]
    is_priced = np.array([None not in pair for pair in prices])
    by_token = np.array([[to_picodollars((one or Decimal(0)) / TOKENS_PER_MTOK) for one in pair] for pair in prices])
    cost = sent * by_token[model, 0] + received * by_token[model, 1]
    return {
        "model_id": _of([one.id.hex for one in crowd.models], model),
        "provider_id": _of([one.provider_id.hex for one in crowd.models], model),
        "model_name": _of([one.display_name for one in crowd.models], model),
        "cost_usd": _where(is_priced[model], cost),
    }


def _of(values: Sequence[Any], numbers: Whole) -> list[Any]:
    found: list[Any] = np.array(values, dtype=object)[numbers].tolist()
    return found


def _where(is_known: NDArray[np.bool_], values: NDArray[Any]) -> list[Any]:
    """Return the values that are known, None in place of the others."""
    found: list[Any] = np.where(is_known, values.astype(object), np.array(None, dtype=object)).tolist()
    return found
