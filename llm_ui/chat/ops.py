"""What a page may ask, checked: everything a browser sends is untrusted."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from llm_ui.contract import MAX_ATTACHMENTS, MAX_BESIDE, MAX_PROMPT_CHARS, MAX_WISH_CHARS, LeftOut
from llm_ui.models import Audience, FeedbackReason
from llm_ui.services.chats import Shelf
from llm_ui.services.feedback import MAX_COMMENT_CHARS
from llm_ui.services.library import MAX_TEXT_CHARS
from llm_ui.services.memories import MAX_FACT_CHARS
from llm_ui.services.projects import MAX_NAME_CHARS
from llm_ui.services.sharing import MAX_DAYS
from llm_ui.services.summaries import MAX_CHARS as MAX_SUMMARY_CHARS
from llm_ui.services.tags import MAX_TAG_CHARS, MAX_TAGS

MAX_PATH_CHARS = 500
Language = Literal["curl", "python"]
Files = Annotated[list[UUID], Field(max_length=MAX_ATTACHMENTS)]
Key = Annotated[str, Field(pattern=r"^[\w\-]{8,64}$")]


class _Op(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Look(_Op):
    """What shows more, or otherwise."""


class ToChat(_Op):
    """What is done to a chat of the list."""

    chat: UUID


class Reply(_Op):
    """What one operation answers."""


class Ready(_Op):
    """The page is drawn and has nothing, or has lost its connection: it wants everything."""

    op: Literal["ready"]
    path: Annotated[str, Field(max_length=MAX_PATH_CHARS)]
    at: UUID | None = None
    """The message to show; without it the chat's end."""


class Open(Look):
    """Show this path."""

    op: Literal["open"]
    path: Annotated[str, Field(max_length=MAX_PATH_CHARS)]
    at: UUID | None = None
    """The message to show; without it the chat's end."""


class Send(_Op):
    """Ask. `chat` is the chat that the page showed when the person pressed Enter; None begins one."""

    op: Literal["send"]
    key: Key
    text: Annotated[str, Field(max_length=2 * MAX_PROMPT_CHARS)]
    chat: UUID | None = None
    beside: Annotated[list[UUID], Field(max_length=MAX_BESIDE - 1)] = []
    """Models that are asked the same at the same time."""
    project: UUID | None = None
    """Where the chat is kept that begins."""
    attachments: Files = []


class Regenerate(_Op):
    """Make an answer once more: with another model, or as the person wishes it."""

    op: Literal["regenerate"]
    key: Key
    answer: UUID
    model: UUID | None = None
    wish: Annotated[str, Field(max_length=MAX_WISH_CHARS)] = ""


class Continue(_Op):
    """Go on with an answer that ended too early."""

    op: Literal["continue"]
    key: Key
    answer: UUID


class Edit(_Op):
    """Ask a question in other words."""

    op: Literal["edit"]
    key: Key
    question: UUID
    text: Annotated[str, Field(max_length=2 * MAX_PROMPT_CHARS)]
    attachments: Files | None = None
    """None: those of the old one."""


class Merge(_Op):
    """Bring answers to the same question together in a new one."""

    op: Literal["merge"]
    key: Key
    answers: Annotated[list[UUID], Field(min_length=2, max_length=MAX_BESIDE)]


class Replay(_Op):
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


class ShowBranch(_Op):
    """Show another message in the place of one."""

    op: Literal["show_branch"]
    message: UUID


class Rewrite(_Op):
    """Put an answer in the person's own words."""

    op: Literal["rewrite"]
    answer: UUID
    text: Annotated[str, Field(max_length=2 * MAX_PROMPT_CHARS)]


class DeleteMessage(_Op):
    """Take an answer away, or a question with its answers."""

    op: Literal["delete_message"]
    message: UUID


class RestoreMessages(_Op):
    """Take them back."""

    op: Literal["restore_messages"]
    messages: Annotated[list[UUID], Field(max_length=1_000)]


class Rate(_Op):
    """Say what one thinks of an answer; a rating of 0 takes it back."""

    op: Literal["rate"]
    answer: UUID
    rating: Literal[-1, 0, 1]
    reason: FeedbackReason | None = None
    comment: Annotated[str, Field(max_length=2 * MAX_COMMENT_CHARS)] = ""


class BranchOff(_Op):
    """Begin a new chat with what was said up to a message."""

    op: Literal["branch_off"]
    message: UUID


class Explain(Reply):
    """Tell what the model saw before it answered, and where the time went."""

    op: Literal["explain"]
    answer: UUID


class Gauge(Look):
    """Tell how much of the model's window the open chat takes, and what it costs to send."""

    op: Literal["gauge"]
    attachments: Files = []


class PickModel(Look):
    """Ask this model next."""

    op: Literal["pick_model"]
    model: UUID


class CopyRequest(Reply):
    """Tell the request that made an answer, as code."""

    op: Literal["copy_request"]
    answer: UUID
    language: Language


class Stop(_Op):
    """End the running answer."""

    op: Literal["stop"]


class Ack(_Op):
    """The last batch is drawn."""

    op: Literal["ack"]


class Older(Look):
    """Show messages before the oldest one shown."""

    op: Literal["older"]
    before: UUID


class MoreChats(Look):
    """Show more of the list."""

    op: Literal["more_chats"]


class Search(Reply):
    """Find titles and messages. `number` counts what was typed, so that a late answer is known."""

    op: Literal["search"]
    number: int
    text: Annotated[str, Field(max_length=1_000)]
    model: UUID | None = None
    project: UUID | None = None
    tag: Annotated[str, Field(max_length=MAX_TAG_CHARS)] | None = None
    days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """How long ago a chat was written to at most."""
    offset: Annotated[int, Field(ge=0, le=10_000)] = 0


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


class ListPlaces(Reply):
    """Tell the projects and tags that chats are sorted by."""

    op: Literal["list_places"]


class SaveProject(Reply):
    """Begin a project, or give one another name; the chat that is named moves into it."""

    op: Literal["save_project"]
    project: UUID | None = None
    name: Annotated[str, Field(max_length=4 * MAX_NAME_CHARS)]
    chat: UUID | None = None


class DeleteProject(Reply):
    """Delete a project; its chats go back to the list."""

    op: Literal["delete_project"]
    project: UUID


class ListLinks(Reply):
    """Tell the links to a chat."""

    op: Literal["list_links"]
    chat: UUID


class Share(Reply):
    """Make a link to a chat as it is shown now. `days` is how long it holds; None: until it is revoked."""

    op: Literal["share"]
    chat: UUID
    audience: Audience
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] | None = None


class Revoke(Reply):
    """Let a link lead nowhere."""

    op: Literal["revoke"]
    link: UUID


class ListPrompts(Reply):
    """Tell the prompts that are offered behind a slash."""

    op: Literal["list_prompts"]


class SavePrompt(Reply):
    """Keep a prompt, or change one."""

    op: Literal["save_prompt"]
    prompt: UUID | None = None
    name: Annotated[str, Field(max_length=200)]
    text: Annotated[str, Field(max_length=2 * MAX_TEXT_CHARS)]
    is_shared: bool = False


class DeletePrompt(Reply):
    """Delete one."""

    op: Literal["delete_prompt"]
    prompt: UUID


class ReadPreferences(Reply):
    """Tell how the person wants the chat to be."""

    op: Literal["read_preferences"]


class WantFollowUps(Reply):
    """Suggest questions to ask next, or no more."""

    op: Literal["want_follow_ups"]
    is_wanted: bool


class ListMemories(Reply):
    """Tell the facts that models are told about the person."""

    op: Literal["list_memories"]


class SaveMemory(Reply):
    """Keep a fact, or change one."""

    op: Literal["save_memory"]
    memory: UUID | None = None
    text: Annotated[str, Field(max_length=4 * MAX_FACT_CHARS)]
    is_on: bool = True


class DeleteMemory(Reply):
    """Delete one."""

    op: Literal["delete_memory"]
    memory: UUID


class UseMemory(Reply):
    """Tell models these facts, or none of them."""

    op: Literal["use_memory"]
    is_used: bool


class ReadSummary(Reply):
    """Tell the summary of what a chat shows."""

    op: Literal["read_summary"]
    chat: UUID


class EditSummary(Reply):
    """Put it in the person's own words; without any, models are not told it."""

    op: Literal["edit_summary"]
    chat: UUID
    summary: UUID
    text: Annotated[str, Field(max_length=4 * MAX_SUMMARY_CHARS)] | None


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
Prompts = ListPrompts | SavePrompt | DeletePrompt
"""What is done with the library of prompts."""
Links = ListLinks | Share | Revoke
"""What is done with links to a chat."""
Places = ListPlaces | SaveProject | DeleteProject
"""What is done with what chats are sorted by."""
Preferences = ReadPreferences | WantFollowUps
"""How the person wants the chat to be."""
Memories = ListMemories | SaveMemory | DeleteMemory | UseMemory
"""What is done with the facts about the person."""
Summaries = ReadSummary | EditSummary
"""What is done with the summary of a chat."""
Replies = Explain | CopyRequest | Search | Prompts | Links | Places | Preferences | Memories | Summaries
Looks = Open | Older | MoreChats | ShowShelf | Compare | Gauge | PickModel
InOrder = Ready | Send | Again | Looks | ChatChanges | Change | Replies
"""What a page does one after the other."""
Asked = Annotated[InOrder | Stop | Ack, Field(discriminator="op")]
ASKED: TypeAdapter[Asked] = TypeAdapter(Asked)
