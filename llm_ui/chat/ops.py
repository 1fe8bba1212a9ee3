"""What a page may ask, checked: everything a browser sends is untrusted."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from llm_ui.chat.bench_ops import Bench
from llm_ui.chat.op import Op
from llm_ui.chat.reply_ops import Replies
from llm_ui.contract import (
    MAX_ATTACHMENTS,
    MAX_BESIDE,
    MAX_LOOKED_UP_CHARS,
    MAX_PROMPT_CHARS,
    MAX_SAID,
    MAX_WISH_CHARS,
    LeftOut,
    Said,
)
from llm_ui.contract.steps import MAX_TIME_ZONE_CHARS, ToolName
from llm_ui.models import FeedbackReason
from llm_ui.services.chats import Shelf
from llm_ui.services.feedback import MAX_COMMENT_CHARS
from llm_ui.services.tags import MAX_TAG_CHARS, MAX_TAGS

MAX_PATH_CHARS = 500
MAX_PICKED = 20
"""Documents that one question is asked of."""
Files = Annotated[tuple[UUID, ...], Field(max_length=MAX_ATTACHMENTS)]
Key = Annotated[str, Field(pattern=r"^[\w\-]{8,64}$")]


class Look(Op):
    """What shows more, or otherwise."""


class ToChat(Op):
    """What is done to a chat of the list."""

    chat: UUID


class Ready(Op):
    """The page is drawn and has nothing, or has lost its connection: it wants everything."""

    op: Literal["ready"]
    path: Annotated[str, Field(max_length=MAX_PATH_CHARS)]
    at: UUID | None = None
    """The message to show; without it the chat's end."""
    time_zone: Annotated[str, Field(max_length=MAX_TIME_ZONE_CHARS)] = ""
    """Where the browser is, such as Europe/Berlin."""


class ChooseTools(Look):
    """Let models use all tools but these from now on: in the open chat, or in the one that begins next."""

    op: Literal["choose_tools"]
    off: frozenset[ToolName]


class Open(Look):
    """Show this path."""

    op: Literal["open"]
    path: Annotated[str, Field(max_length=MAX_PATH_CHARS)]
    at: UUID | None = None
    """The message to show; without it the chat's end."""


class Send(Op):
    """Ask. `chat` is the chat that the page showed when the person pressed Enter; None begins one."""

    op: Literal["send"]
    key: Key
    text: Annotated[str, Field(max_length=2 * MAX_PROMPT_CHARS)]
    chat: UUID | None = None
    beside: Annotated[tuple[UUID, ...], Field(max_length=MAX_BESIDE - 1)] = ()
    """Models that are asked the same at the same time."""
    project: UUID | None = None
    """Where the chat is kept that begins."""
    attachments: Files = ()
    documents: Annotated[tuple[UUID, ...], Field(max_length=MAX_PICKED)] = ()
    """Documents of the project that the passages are taken from; none: all of them."""


class AskTemporary(Op):
    """Ask in a temporary chat, which only the page knows."""

    op: Literal["ask_temporary"]
    key: Key
    text: Annotated[str, Field(max_length=2 * MAX_PROMPT_CHARS)]
    earlier: Annotated[tuple[Said, ...], Field(max_length=MAX_SAID)] = ()


class Regenerate(Op):
    """Make an answer once more: with another model, or as the person wishes it."""

    op: Literal["regenerate"]
    key: Key
    answer: UUID
    model: UUID | None = None
    wish: Annotated[str, Field(max_length=MAX_WISH_CHARS)] = ""


class Continue(Op):
    """Go on with an answer that ended too early."""

    op: Literal["continue"]
    key: Key
    answer: UUID


class Edit(Op):
    """Ask a question in other words."""

    op: Literal["edit"]
    key: Key
    question: UUID
    text: Annotated[str, Field(max_length=2 * MAX_PROMPT_CHARS)]
    attachments: Files | None = None
    """None: those of the old one."""


class Merge(Op):
    """Bring answers to the same question together in a new one."""

    op: Literal["merge"]
    key: Key
    answers: Annotated[list[UUID], Field(min_length=2, max_length=MAX_BESIDE)]


class Replay(Op):
    """Make an answer once more beside it: with another model, or with a part of what it saw left out."""

    op: Literal["replay"]
    key: Key
    answer: UUID
    model: UUID | None = None
    without: frozenset[LeftOut] = frozenset()


class Compare(Look):
    """Show the answers that stand in the place of one side by side, or only that one again."""

    op: Literal["compare"]
    answer: UUID
    is_on: bool


class ShowBranch(Op):
    """Show another message in the place of one."""

    op: Literal["show_branch"]
    message: UUID


class Rewrite(Op):
    """Put an answer in the person's own words."""

    op: Literal["rewrite"]
    answer: UUID
    text: Annotated[str, Field(max_length=2 * MAX_PROMPT_CHARS)]


class DeleteMessage(Op):
    """Take an answer away, or a question with its answers."""

    op: Literal["delete_message"]
    message: UUID


class RestoreMessages(Op):
    """Take them back."""

    op: Literal["restore_messages"]
    messages: Annotated[list[UUID], Field(max_length=1_000)]


class Rate(Op):
    """Say what one thinks of an answer; a rating of 0 takes it back."""

    op: Literal["rate"]
    answer: UUID
    rating: Literal[-1, 0, 1]
    reason: FeedbackReason | None = None
    comment: Annotated[str, Field(max_length=2 * MAX_COMMENT_CHARS)] = ""


class BranchOff(Op):
    """Begin a new chat with what was said up to a message."""

    op: Literal["branch_off"]
    message: UUID


class Gauge(Look):
    """Tell how much of the model's window the open chat takes, and what it costs to send."""

    op: Literal["gauge"]
    number: Annotated[int, Field(ge=0)]
    """The page's count of these, which is told back."""
    attachments: Files = ()
    project: UUID | None = None
    """Where the chat is kept that would begin."""
    is_temporary: bool = False
    agent: UUID | None = None
    """Who would answer."""
    text: Annotated[str, Field(max_length=MAX_LOOKED_UP_CHARS)] = ""
    """The beginning of what is written, where documents are looked through for it."""
    documents: Annotated[tuple[UUID, ...], Field(max_length=MAX_PICKED)] = ()
    """Those that are picked."""


class PickModel(Look):
    """Ask this model next."""

    op: Literal["pick_model"]
    model: UUID


class PickAgent(Look):
    """Have this agent answer next, or none."""

    op: Literal["pick_agent"]
    agent: UUID | None


class Stop(Op):
    """End the running answer."""

    op: Literal["stop"]


class Ack(Op):
    """The last batch is drawn."""

    op: Literal["ack"]


class Older(Look):
    """Show messages before the oldest one shown."""

    op: Literal["older"]
    before: UUID


class MoreChats(Look):
    """Show more of the list."""

    op: Literal["more_chats"]


class Rename(ToChat):
    """Give a chat a title."""

    op: Literal["rename"]
    title: Annotated[str, Field(max_length=1_000)]


class Pin(ToChat):
    """Keep a chat at the top of the list, or no longer."""

    op: Literal["pin"]
    is_pinned: bool


class Archive(ToChat):
    """Put a chat away, or take it back into the list."""

    op: Literal["archive"]
    is_archived: bool


class Purge(ToChat):
    """Delete a chat that is in the bin for good."""

    op: Literal["purge"]


class ShowShelf(Look):
    """List the chats that are open, archived or in the bin; or those of a project."""

    op: Literal["show_shelf"]
    shelf: Shelf
    project: UUID | None = None


class Move(ToChat):
    """Put a chat into a project, or into none."""

    op: Literal["move"]
    project: UUID | None


class Tag(ToChat):
    """Give a chat these tags and no others."""

    op: Literal["tag"]
    tags: Annotated[list[Annotated[str, Field(max_length=4 * MAX_TAG_CHARS)]], Field(max_length=2 * MAX_TAGS)]


class Delete(ToChat):
    """Put a chat into the bin."""

    op: Literal["delete"]


class Restore(ToChat):
    """Take a chat back out of the bin."""

    op: Literal["restore"]


Change = ShowBranch | Rewrite | DeleteMessage | RestoreMessages | Rate | BranchOff
"""What is done to a message that is there."""
Again = Regenerate | Continue | Edit | Merge | Replay
"""What makes a sibling of a message by asking a model."""

ChatChanges = Rename | Pin | Archive | Delete | Restore | Purge | Move | Tag
Looks = Open | ChooseTools | Older | MoreChats | ShowShelf | Compare | Gauge | PickModel | PickAgent
InOrder = Ready | Send | AskTemporary | Again | Looks | ChatChanges | Change | Replies | Bench
"""What a page does one after the other."""
Asked = Annotated[InOrder | Stop | Ack, Field(discriminator="op")]
ASKED: TypeAdapter[Asked] = TypeAdapter(Asked)
