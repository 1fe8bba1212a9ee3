"""What a question of a project would be answered from, and why passages are left out: the way answers take."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from llm_ui.db import Database
from llm_ui.documents.neighbours import beside
from llm_ui.documents.retrieve import Passage, read_passages
from llm_ui.errors import LLMUIError
from llm_ui.kit.ids import ChunkId, ModelId, ProjectId
from llm_ui.models import Strategy
from llm_ui.runs.context import FirstChat, first_passages
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.passages import MOST, Found, Search, Sought, seek
from llm_ui.runs.reranking import Reranker
from llm_ui.services import projects
from llm_ui.services.access import Actor
from llm_ui.services.targets import target as find_target


class LeftOut(StrEnum):
    """Why a passage would not be sent."""

    WEAK = "weak"
    """It barely matches."""
    ALIKE = "alike"
    """It says nearly the same as another one."""
    ROOM = "room"
    """The model takes no more."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What would become of a passage."""

    passage: Passage
    number: int | None = None
    """What it would be cited by; None: it would not be sent."""
    is_beside: bool = False
    """Whether it was not found but stands around what was."""
    left_out: LeftOut | None = None


@dataclass(frozen=True, slots=True)
class AsAnswers:
    """What an answer would be written from."""

    fates: tuple[Fate, ...]
    """Those that would be sent, best first, then those that would not."""
    took_ms: float
    strategy: Strategy
    model: str
    """Whose window decides how many there is room for; empty: no model can be asked."""
    reranked_by: str
    not_reranked: str
    """As in `Found`."""
    reranking_ms: float


async def as_answers(
    database: Database, embeddings: Embeddings, reranker: Reranker, actor: Actor, project_id: ProjectId, query: str
) -> AsAnswers:
    """Return what the first question of a new chat would be answered from. Raises `NotFound`."""
    async with database.reading() as session:
        settings = (await projects.read(session, actor, project_id)).settings
    chat = FirstChat(project_id, settings.max_tokens)
    began = time.perf_counter()
    sought = await seek(database, embeddings, actor, Search(project_id, query, MOST), reranker)
    async with database.reading() as session:
        found = Found(sought.passages, beside=await beside(session, actor, project_id, sought.passages))
    took_ms = round((time.perf_counter() - began) * 1000, 1)
    model, numbers = await _numbers(database, actor, query, found, settings.model_id, chat)
    sent = [Fate(one, numbers[one.chunk_id]) for one in found.passages if one.chunk_id in numbers]
    sent += [Fate(one, numbers[one.chunk_id], is_beside=True) for one in found.beside if one.chunk_id in numbers]
    no_room = [Fate(one, left_out=LeftOut.ROOM) for one in found.passages if one.chunk_id not in numbers]
    fates = (*sent, *no_room, *await _passed_over(database, actor, project_id, sought, numbers))
    return AsAnswers(
        fates, took_ms, sought.strategy, model, sought.reranked_by, sought.not_reranked, sought.reranking_ms
    )


async def _numbers(
    database: Database, actor: Actor, query: str, found: Found, model_id: ModelId | None, chat: FirstChat
) -> tuple[str, Mapping[ChunkId, int]]:
    """Return the model that would answer, and the numbers that passages would have in what it is sent.

    Where no model can be asked all that was found has one.
    """
    try:
        async with database.reading() as session:
            target = await find_target(session, actor, model_id)
            told = await first_passages(session, actor, query, found, target, chat)
    except LLMUIError:
        return "", {one.chunk_id: number for number, one in enumerate(found.passages, start=1)}
    return target.display_name, {ChunkId(source.passage): source.number for source in told.sources}


async def _passed_over(
    database: Database, actor: Actor, project_id: ProjectId, sought: Sought, sent: Mapping[ChunkId, int]
) -> list[Fate]:
    """Return what was found and left out; what is sent all the same, beside another passage, is not among it."""
    why = dict.fromkeys(sought.alike, LeftOut.ALIKE) | dict.fromkeys(sought.weak, LeftOut.WEAK)
    async with database.reading() as session:
        scores = {chunk_id: 0.0 for chunk_id in why if chunk_id not in sent}
        passages = await read_passages(session, actor, project_id, scores)
    return [Fate(one, left_out=why[one.chunk_id]) for one in passages]
