"""What a page may ask, checked: everything a browser sends is untrusted."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from llm_ui.contract import MAX_PROMPT_CHARS

MAX_PATH_CHARS = 500
Key = Annotated[str, Field(pattern=r"^[\w\-]{8,64}$")]


class _Op(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Ready(_Op):
    """The page is drawn and has nothing, or has lost its connection: it wants everything."""

    op: Literal["ready"]
    path: Annotated[str, Field(max_length=MAX_PATH_CHARS)]


class Open(_Op):
    """Show this path."""

    op: Literal["open"]
    path: Annotated[str, Field(max_length=MAX_PATH_CHARS)]


class Send(_Op):
    """Ask. `chat` is the chat that the page showed when the person pressed Enter; None begins one."""

    op: Literal["send"]
    key: Key
    text: Annotated[str, Field(max_length=2 * MAX_PROMPT_CHARS)]
    chat: UUID | None = None


class Regenerate(_Op):
    """Make an answer once more."""

    op: Literal["regenerate"]
    key: Key
    answer: UUID


class Stop(_Op):
    """End the running answer."""

    op: Literal["stop"]


class Ack(_Op):
    """The last batch is drawn."""

    op: Literal["ack"]


class Older(_Op):
    """Show messages before the oldest one shown."""

    op: Literal["older"]
    before: UUID


class MoreChats(_Op):
    """Show more of the list."""

    op: Literal["more_chats"]


class Rename(_Op):
    """Give a chat a title."""

    op: Literal["rename"]
    chat: UUID
    title: Annotated[str, Field(max_length=1_000)]


class Delete(_Op):
    """Put a chat into the bin."""

    op: Literal["delete"]
    chat: UUID


class Restore(_Op):
    """Take a chat back out of the bin."""

    op: Literal["restore"]
    chat: UUID


Asked = Annotated[
    Ready | Open | Send | Regenerate | Stop | Ack | Older | MoreChats | Rename | Delete | Restore,
    Field(discriminator="op"),
]
ASKED: TypeAdapter[Asked] = TypeAdapter(Asked)
