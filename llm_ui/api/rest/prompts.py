"""Prompts of the library: one's own to change, and those for everybody."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from llm_ui.api.principal import Parts
from llm_ui.api.rest.door import Told, asks
from llm_ui.api.rest.wire import (
    After,
    IdempotencyKey,
    IfMatch,
    Limit,
    Page,
    lock_of,
    page_of,
    require_match,
    tagged,
)
from llm_ui.contract.base import Wire
from llm_ui.db import ReadSession
from llm_ui.errors import NotFound
from llm_ui.kit.ids import SavedPromptId
from llm_ui.models import KeyScope
from llm_ui.services import library
from llm_ui.services.access import Actor
from llm_ui.services.library import Saved

router = APIRouter(prefix="/v1/prompts", route_class=Told)

Reader = Annotated[Actor, asks(KeyScope.PROMPTS_READ)]
Writer = Annotated[Actor, asks(KeyScope.PROMPTS_WRITE)]
Name = Annotated[str, Field(max_length=100, description="1 to 40 letters, digits, - or _; typed behind the slash.")]
Text = Annotated[str, Field(max_length=100_000)]
Tags = Annotated[tuple[str, ...], Field(max_length=50)]


class NewPrompt(Wire):
    """A prompt to keep."""

    name: Name
    text: Text
    tags: Tags = ()


class PromptChange(Wire):
    """What is to be different; what is not named stays as it is."""

    name: Name | None = None
    text: Text | None = None
    tags: Tags | None = None


class Prompt(BaseModel):
    """A prompt of the library."""

    prompt_id: UUID
    name: str
    text: str
    tags: tuple[str, ...]
    is_shared: bool
    """Whether everybody is offered it."""
    is_mine: bool
    use_count: int


@router.get("")
async def list_prompts(parts: Parts, actor: Reader, after: After = "", limit: Limit = 50) -> Page[Prompt]:
    """Return one's own prompts and those for everybody, by name."""
    async with parts.database.reading() as session:
        found = await library.list_prompts(session, actor)
    return page_of(map(_view, found), after, limit, lambda one: (one.name, one.prompt_id))


@router.post("", status_code=201)
async def create(
    body: NewPrompt, parts: Parts, actor: Writer, response: Response, idempotency_key: IdempotencyKey = None
) -> Prompt:
    """Keep a prompt; one of the same name and words is the same one for who sends an idempotency key."""
    # Names are one's own only once, so the same request is known by what it has made.
    async with parts.database.writing(lock=idempotency_key and f"rest {actor.user_id}") as session:
        made = None if idempotency_key is None else await library.find_mine(session, actor, body.name)
        if made is not None and (made.text, made.tags) == (body.text, body.tags):
            return tagged(response, _view(made))
        kept = await library.save(session, actor, None, body.name, body.text, is_shared=False, tags=body.tags)
        return await _read(session, actor, kept, response)


@router.get("/{prompt_id}")
async def read(prompt_id: UUID, parts: Parts, actor: Reader, response: Response) -> Prompt:
    """Return a prompt."""
    async with parts.database.reading() as session:
        return await _read(session, actor, SavedPromptId(prompt_id), response)


@router.patch("/{prompt_id}")
async def change(
    prompt_id: UUID, body: PromptChange, parts: Parts, actor: Writer, response: Response, if_match: IfMatch = ""
) -> Prompt:
    """Change a prompt of one's own."""
    one = SavedPromptId(prompt_id)
    async with parts.database.writing(lock=lock_of(if_match, one)) as session:
        before = await _read(session, actor, one, response)
        require_match(if_match, before)
        await library.save(
            session, actor, one,
            before.name if body.name is None else body.name,
            before.text if body.text is None else body.text,
            is_shared=before.is_shared,
            tags=before.tags if body.tags is None else body.tags,
        )  # fmt: skip
        return await _read(session, actor, one, response)


@router.delete("/{prompt_id}", status_code=204)
async def delete(prompt_id: UUID, parts: Parts, actor: Writer, response: Response, if_match: IfMatch = "") -> None:
    """Delete a prompt of one's own."""
    one = SavedPromptId(prompt_id)
    async with parts.database.writing(lock=lock_of(if_match, one)) as session:
        before = await _read(session, actor, one, response)
        require_match(if_match, before)
        if not before.is_mine:
            raise NotFound("This prompt is not yours. Keep one of your own under its name.")
        await library.remove(session, actor, one)


async def _read(session: ReadSession, actor: Actor, prompt_id: SavedPromptId, response: Response) -> Prompt:
    return tagged(response, _view(await library.read(session, actor, prompt_id)))


def _view(one: Saved) -> Prompt:
    return Prompt(
        prompt_id=one.id,
        name=one.name,
        text=one.text,
        tags=one.tags,
        is_shared=one.is_shared,
        is_mine=one.is_mine,
        use_count=one.use_count,
    )
