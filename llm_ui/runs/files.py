"""Attached files as a model is sent them: images as images, texts with their names around them.

What is sent is decided while the question is stored, from what the database knows of the files; they are read when
the model is asked.
"""

import base64
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from llm_ui.contract.steps import Step
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.media import decoded
from llm_ui.kit.token_count import PER_MESSAGE, estimate
from llm_ui.providers.base import Image, PromptMessage
from llm_ui.providers.images import RULES
from llm_ui.runs.said import with_steps
from llm_ui.services.attachments import AttachmentInfo
from llm_ui.services.targets import ModelTarget

AROUND = 12
"""Tokens of the lines around a file's text."""
TOLD_CHARS = 2_000
"""Of a file's text in a request that is shown to a person."""
NOT_SEEN = "[{name}: an image that you are not shown]"
NOT_THERE = "[{name}: a file that is not on the server any more]"


@dataclass(frozen=True, slots=True)
class SentFile:
    """One file, and how it is sent."""

    file: AttachmentInfo
    tokens: int
    is_shown: bool = True
    """Whether the model gets what the file holds; else only its name."""
    is_asked: bool = False
    """Whether it belongs to the question itself, which is not asked without it."""


@dataclass(frozen=True, slots=True)
class SentMessage:
    """One message as it is sent; what its files hold is not read yet."""

    role: Literal["user", "assistant"]
    text: str
    files: tuple[SentFile, ...] = ()
    steps: tuple[Step, ...] = ()
    """Tools that were used for an answer."""


class Room:
    """What one request to a model takes: how its tokens are counted, and how many images there is still room for."""

    def __init__(self, target: ModelTarget) -> None:
        self._target = target
        self._rules = RULES[target.kind]
        self._bytes = self._rules.max_total_bytes

    def count(self, text: str) -> int:
        """Return the estimated tokens of a message."""
        return self.scaled(estimate(text) + PER_MESSAGE)

    def scaled(self, tokens: int) -> int:
        """Return what an estimate comes to, by what the model's provider has counted so far."""
        return math.ceil(tokens * self._target.calibration.factor)

    def required(self, files: Iterable[AttachmentInfo]) -> tuple[SentFile, ...]:
        """Return the files of the question. Raises `InvalidInput` with what to do when the model does not take one."""
        taken = []
        for file in files:
            if refusal := self._refusal(file):
                raise refusal
            taken.append(self._taken(file, is_asked=True))
        return tuple(taken)

    def offered(self, files: Iterable[AttachmentInfo]) -> tuple[SentFile, ...]:
        """Return the files of an earlier message; of an image that the model does not take only the name is sent."""
        return tuple(
            SentFile(file, _name_tokens(file), is_shown=False) if self._refusal(file) else self._taken(file)
            for file in files
        )

    def _taken(self, file: AttachmentInfo, *, is_asked: bool = False) -> SentFile:
        if not file.is_image:
            return SentFile(file, file.tokens + _name_tokens(file), is_asked=is_asked)
        self._bytes -= file.size_bytes
        return SentFile(file, self._rules.tokens(file.width or 1, file.height or 1), is_asked=is_asked)

    def _refusal(self, file: AttachmentInfo) -> InvalidInput | None:
        """Return why the model is not sent a file; None when it is."""
        target, rules = self._target, self._rules
        if not file.is_image:
            return None
        if not target.can_see_images:
            return InvalidInput(
                "{model} cannot see images. Remove {name}, or pick a model that can.",
                model=target.display_name,
                name=file.name,
            )
        provider = target.provider_name
        if file.media_type not in rules.media_types:
            return InvalidInput(
                "{provider} does not take {kind} images. Save {name} as PNG or JPEG.",
                provider=provider,
                kind=_kind(file),
                name=file.name,
            )
        if file.size_bytes > rules.max_bytes:
            return InvalidInput(
                "{name} is larger than {most} MB, the most {provider} takes. Make it smaller.",
                name=file.name,
                most=f"{rules.max_bytes / 1e6:.1f}",
                provider=provider,
            )
        if max(file.width or 0, file.height or 0) > rules.max_side_px:
            return InvalidInput(
                "{name} is wider or higher than {most} pixels, the most {provider} takes. Make it smaller.",
                name=file.name,
                most=rules.max_side_px,
                provider=provider,
            )
        if file.size_bytes > self._bytes:
            return InvalidInput(
                "The images are together larger than {most} MB, the most {provider} takes. Remove some.",
                most=round(rules.max_total_bytes / 1e6),
                provider=provider,
            )
        return None


def with_contents(
    store: FileStore, messages: Sequence[SentMessage], *, as_calls: bool = False, is_told: bool = False
) -> tuple[PromptMessage, ...]:
    """Return the messages with what their files hold. Blocks where there are any: not for an event loop.

    `as_calls`: what tools were used goes along as the protocol has it, else in words. `is_told` is for people to read:
    of each file a beginning, with a mark. Raises `NotFound` when a file of the question is gone.
    """
    found: list[PromptMessage] = []
    for place, message in enumerate(messages):
        if message.steps:
            found += with_steps(message.text, message.steps, place, as_calls=as_calls)
        else:
            found.append(_with_contents(store, message, is_told=is_told))
    return tuple(found)


def _with_contents(store: FileStore, message: SentMessage, *, is_told: bool) -> PromptMessage:
    texts: list[str] = []
    images: list[Image] = []
    for sent in message.files:
        file = sent.file
        if not sent.is_shown:
            texts.append(NOT_SEEN.format(name=file.name))
        elif file.is_image and is_told:
            images.append(Image(file.name, file.media_type, f"… {file.size_bytes:,} bytes of {file.name} as base64 …"))
        else:
            try:
                data = store.read(file.sha256)
            except NotFound:
                if sent.is_asked and not is_told:
                    raise
                texts.append(NOT_THERE.format(name=file.name))
            else:
                if file.is_image:
                    images.append(Image(file.name, file.media_type, base64.b64encode(data).decode("ascii")))
                else:
                    texts.append(_named(file.name, decoded(data), is_told=is_told))
    text = "\n\n".join([*texts, *([message.text] if message.text else [])])
    return PromptMessage(message.role, text, tuple(images))


def _named(name: str, text: str, *, is_told: bool) -> str:
    """Return a file's text with its name around it."""
    if is_told and len(text) > TOLD_CHARS:
        text = f"{text[:TOLD_CHARS]}\n… {len(text) - TOLD_CHARS:,} more characters of {name} …"
    return f'<file name="{escape(name)}">\n{text}\n</file>'


def _name_tokens(file: AttachmentInfo) -> int:
    return estimate(file.name) + AROUND


def _kind(file: AttachmentInfo) -> str:
    return file.media_type.partition("/")[2].upper()
