"""What all of our own REST has in common: pages, versions, and creating once however often it is asked for."""

import base64
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Header, Query, Response
from pydantic import BaseModel

from llm_ui.contract import Key
from llm_ui.errors import InvalidInput, Outdated
from llm_ui.kit.ids import uuid7, uuid8
from llm_ui.kit.signing import sha256_hex
from llm_ui.services.access import Actor

T = TypeVar("T")
View = TypeVar("View", bound=BaseModel)

After = Annotated[str, Query(max_length=1_000, description="`next` of the page before; empty: the first page.")]
Limit = Annotated[int, Query(ge=1, le=100, description="How many there are on a page.")]
IfMatch = Annotated[str, Header(max_length=200, description="The `ETag` it was read with: changes nothing newer.")]
IdempotencyKey = Annotated[
    Key | None, Header(description="Made by whoever asks; the same key makes the same thing once, however often sent.")
]


class Page(BaseModel, Generic[T]):
    """Some of a list."""

    items: list[T]
    next: str | None = None
    """Sent as `after` it gives the page after this one; null: there is none."""


def cursor(*parts: str) -> str:
    """Return where a page ends, in one word."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def instant(text: str) -> datetime:
    """Return an instant. Raises `ValueError` for one without a time zone, and beyond the calendar."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return found.astimezone(UTC)


def place(after: str, *kinds: Callable[[str], Any]) -> list[Any]:
    """Return the parts of a cursor, read as these. Raises `InvalidInput`."""
    try:
        parts = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        return [kind(part) for kind, part in zip(kinds, parts, strict=True)]
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput("after: this is no `next` of a page. Leave it out to begin anew.") from None


def page_of(items: Iterable[View], after: str, limit: int, name: Callable[[View], tuple[str, UUID]]) -> Page[View]:
    """Return a page of a list that is short enough to be read whole, by name."""

    def key(item: View) -> tuple[str, str]:
        called, item_id = name(item)
        return called.casefold(), str(item_id)

    ordered = sorted(items, key=key)
    if after:
        last = tuple(place(after, str, str))
        ordered = [item for item in ordered if key(item) > last]
    shown = ordered[:limit]
    return Page(items=shown, next=cursor(*key(shown[-1])) if len(ordered) > limit else None)


def tag(view: BaseModel) -> str:
    """Return the version of what is shown."""
    return f'"{sha256_hex(view.model_dump_json())[:32]}"'


def tagged(response: Response, view: View) -> View:
    """Return what is shown, with its version in the headers."""
    response.headers["ETag"] = tag(view)
    return view


def require_match(if_match: str, view: BaseModel) -> None:
    """Raise `Outdated` unless this is the version that is meant, or none is."""
    if if_match not in ("", "*", tag(view)):
        raise Outdated("This was changed meanwhile. Read it again and repeat your change.")


def lock_of(if_match: str, thing_id: UUID) -> str | None:
    """Return the lock under which nothing comes between the look at a version and the change."""
    return f"rest {thing_id}" if if_match else None


def new_id(actor: Actor, kind: str, key: str | None) -> UUID:
    """Return the id of what is made: with an idempotency key always the same."""
    return uuid7() if key is None else uuid8(str(actor.user_id), "created", kind, str(actor.wall), key)
