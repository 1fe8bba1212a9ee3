"""Who may be given a kept answer, and to what: the wall that it is behind, and the key of all that it depends on."""

import asyncio
import hashlib
import json
from dataclasses import dataclass, fields, is_dataclass

from llm_ui.kit.ids import ChatId, ProjectId, UserId
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

    @property
    def wall(self) -> str:
        """What sets apart whoever may be given the same answers."""
        return EVERYBODY if self.is_shared else f"{self.user_id} {self.project_id or ''}"


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
    is_wanted: bool,
    may_read: bool = True,
    may_keep: bool = True,
) -> CacheUse | None:
    """Return how a question uses what is kept; None: not at all.

    `is_wanted` says that the agent or the key wants it, whatever the model says; such answers are never shared.
    """
    is_on = is_wanted or target.cache_mode is not CacheMode.OFF
    if not is_on or not (may_read or may_keep):
        return None
    is_shared = target.cache_mode is CacheMode.SHARED
    return CacheUse(user_id, project_id, chat_id, is_shared, may_read, may_keep)


async def key_of(use: CacheUse, target: ModelTarget, prompt: Prompt) -> str:
    """Return the key of an answer. Prompts with images are hashed beside the loop: they are large."""
    if any(message.images for message in prompt.messages):
        return await asyncio.to_thread(_key, use, target, prompt)
    return _key(use, target, prompt)


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
