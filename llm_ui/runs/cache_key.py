"""Who may be given a kept answer, and to what: the wall that it is behind, and the key of all that it depends on."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import datetime
from typing import Any

from llm_ui.kit.ids import ChatId, ModelId, ProjectId, UserId
from llm_ui.models import CacheMode
from llm_ui.providers.base import Image, Prompt
from llm_ui.services.targets import ModelTarget

VERSION = 1
"""Of the key and of what is kept under it: another one finds nothing of what was kept before."""
EVERYBODY = "everybody"


@dataclass(frozen=True, slots=True)
class CacheUse:
    """How one question uses what is kept."""

    user_id: UserId
    project_id: ProjectId | None
    chat_id: ChatId | None
    """None: a script asks."""
    is_shared: bool
    may_read: bool
    """False: the person or the script wants a new answer."""
    may_keep: bool
    is_similar: bool = False
    """Whether the answer to a question that means the same will do."""

    @property
    def wall(self) -> str:
        """What sets apart whoever may be given the same answers."""
        return EVERYBODY if self.is_shared else f"{self.user_id} {self.project_id or ''}"


@dataclass(frozen=True, slots=True)
class Repeated:
    """An answer that was there already."""

    made_at: datetime
    similarity: float | None = None
    """The cosine with the question that it was the answer to; None: it was the very same."""
    question: str = ""
    """That one, where the same person asked it in the same project."""
    key: str | None = None
    """Under which it is kept; None: it was the very same question."""

    def told(self) -> dict[str, Any]:
        """Return the fields of `KeptAnswer` in llm_ui/contract/kept.py."""
        return {"cached_at": self.made_at, "similarity": self.similarity, "similar_to": self.question}

    def columns(self) -> dict[str, object]:
        """Return the columns of its run that say what it repeats, beside when that was made."""
        return {"similarity": self.similarity, "similar_to": self.question, "similar_key": self.key}


@dataclass(frozen=True, slots=True)
class Keeping:
    """What an agent or a key wants of answers that are there, whatever the model says."""

    answers: bool = False
    similar: bool = False


@dataclass(frozen=True, slots=True)
class CacheWish:
    """What a script says of answers that are there, with `Cache-Control`."""

    may_read: bool = True
    may_keep: bool = True


USUAL_WISH = CacheWish()


def use_of(
    target: ModelTarget,
    user_id: UserId,
    project_id: ProjectId | None,
    *,
    chat_id: ChatId | None = None,
    wanted: tuple[Keeping, ...] = (),
    may_read: bool = True,
    may_keep: bool = True,
) -> CacheUse | None:
    """Return how a question uses what is kept; None: not at all.

    `wanted` is what the agent and the key want, whatever the model says; such answers are never shared.
    """
    own = Keeping(target.cache_mode is not CacheMode.OFF, target.cache_similar)
    on = [one for one in (own, *wanted) if one.answers]
    if not on or not (may_read or may_keep):
        return None
    is_shared, is_similar = target.cache_mode is CacheMode.SHARED, any(one.similar for one in on)
    return CacheUse(user_id, project_id, chat_id, is_shared, may_read, may_keep, is_similar)


async def key_of(use: CacheUse, target: ModelTarget, prompt: Prompt) -> str:
    """Return the key of an answer. Prompts with images are hashed beside the loop: they are large."""
    if any(message.images for message in prompt.messages):
        return await asyncio.to_thread(_key, use, target, prompt)
    return _key(use, target, prompt)


async def group_of(use: CacheUse, target: ModelTarget, prompt: Prompt, embedder: ModelId) -> str:
    """Return what all questions have in common whose answers differ by the words of the last question alone.

    `embedder` is what makes vectors of these: those of two models say nothing of each other.
    """
    *before, last = prompt.messages
    wordless = replace(prompt, messages=(*before, replace(last, text="")))
    return hashlib.sha256(f"{embedder} {await key_of(use, target, wordless)}".encode()).hexdigest()


def _key(use: CacheUse, target: ModelTarget, prompt: Prompt) -> str:
    told = {
        "version": VERSION,
        "wall": use.wall,
        "model": [str(target.model_id), str(target.provider_id), target.kind.value, target.base_url],
        "prompt": prompt,
    }
    return hashlib.sha256(json.dumps(told, default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    """Return what a key is made of: of images a hash, of all else each field."""
    if isinstance(value, Image):
        return {"media_type": value.media_type, "sha256": hashlib.sha256(value.data.encode()).hexdigest()}
    if is_dataclass(value):
        return {one.name: getattr(value, one.name) for one in fields(value)}
    raise TypeError(f"a prompt holds a {type(value).__name__}, of which no key can be made")
