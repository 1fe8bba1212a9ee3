"""What a page may ask that one operation answers, checked: everything a browser sends is untrusted."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from llm_ui.chat.agent_ops import Agents
from llm_ui.chat.op import Reply
from llm_ui.chat.place_ops import Limits, ListMembers, MemberChanges, Places
from llm_ui.kit.fetching import MAX_ADDRESS_CHARS
from llm_ui.models import Audience, Cutting
from llm_ui.services.attachments import MAX_NAME_CHARS as MAX_FILE_NAME_CHARS
from llm_ui.services.documents import LISTED, MAX_DOCUMENTS
from llm_ui.services.library import MAX_TEXT_CHARS
from llm_ui.services.memories import MAX_FACT_CHARS
from llm_ui.services.projects import MAX_INSTRUCTIONS_CHARS
from llm_ui.services.sharing import MAX_DAYS
from llm_ui.services.summaries import MAX_CHARS as MAX_SUMMARY_CHARS
from llm_ui.services.tags import MAX_TAG_CHARS

MAX_NUMBER = 2**31 - 1
"""That every database holds."""
Language = Literal["curl", "python"]
FileName = Annotated[str, Field(max_length=4 * MAX_FILE_NAME_CHARS)]


class OfAnswer(Reply):
    """What is behind an answer."""

    answer: UUID


class Explain(OfAnswer):
    """Tell what the model saw before it answered, and where the time went."""

    op: Literal["explain"]


class ReadParts(OfAnswer):
    """Tell the parts of an answer as they were written, to be edited one by one."""

    op: Literal["read_parts"]


class ReadDifference(OfAnswer):
    """Tell what another answer says differently."""

    op: Literal["read_difference"]
    other: UUID


class CopyRequest(OfAnswer):
    """Tell the request that made an answer, as code."""

    op: Literal["copy_request"]
    language: Language


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
    has_file: bool = False
    offset: Annotated[int, Field(ge=0, le=10_000)] = 0


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
    tags: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=50)] = ()


class UsePrompt(Reply):
    """Count that one was put into a message."""

    op: Literal["use_prompt"]
    prompt: UUID


class ReadTold(Reply):
    """Tell what models are told ahead of a chat, or of one that would begin."""

    op: Literal["read_told"]
    chat: UUID | None = None
    project: UUID | None = None
    agent: UUID | None = None


class SavePersonal(Reply):
    """Have models told this in all chats of the person."""

    op: Literal["save_personal"]
    text: Annotated[str, Field(max_length=2 * MAX_TEXT_CHARS)]


class ListVersions(Reply):
    """Tell the versions of a prompt."""

    op: Literal["list_versions"]
    prompt: UUID


class RestoreVersion(Reply):
    """Have a prompt say again what it said in a version."""

    op: Literal["restore_version"]
    of: Literal["platform", "personal", "saved"]
    prompt: UUID
    version: UUID


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
    """Tell the facts that models are told about the person, or in a project."""

    op: Literal["list_memories"]
    project: UUID | None = None


class SaveMemory(Reply):
    """Keep a fact, or change one."""

    op: Literal["save_memory"]
    project: UUID | None = None
    memory: UUID | None = None
    text: Annotated[str, Field(max_length=4 * MAX_FACT_CHARS)]
    is_on: bool = True


class DeleteMemory(Reply):
    """Delete one."""

    op: Literal["delete_memory"]
    project: UUID | None = None
    memory: UUID


class UseMemory(Reply):
    """Tell models the facts about the person, or none of them: everywhere outside of projects, or in one project."""

    op: Literal["use_memory"]
    project: UUID | None = None
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


class OfProject(Reply):
    """What is done with a project and its documents on their page."""

    project: UUID


class ReadProject(OfProject):
    """Tell a project: what models are told in it, and the first of its documents."""

    op: Literal["read_project"]


class WeighProject(OfProject):
    """Tell what goes with a project that is deleted, and what stays."""

    op: Literal["weigh_project"]


class SaveInstructions(OfProject):
    """Have models told this in all chats of a project."""

    op: Literal["save_instructions"]
    instructions: Annotated[str, Field(max_length=4 * MAX_INSTRUCTIONS_CHARS)]


class ListDocuments(OfProject):
    """Tell documents whose names hold this. `number` counts what was typed, so that a late answer is known."""

    op: Literal["list_documents"]
    number: int
    name: FileName = ""
    offset: Annotated[int, Field(ge=0, le=MAX_DOCUMENTS)] = 0


class LookAtDocuments(OfProject):
    """Tell how far these documents are."""

    op: Literal["look_at_documents"]
    documents: Annotated[tuple[UUID, ...], Field(max_length=LISTED)] = ()


class FindDocuments(Reply):
    """Tell which documents of a chat's project can be picked. `number` counts what was typed."""

    op: Literal["find_documents"]
    chat: UUID | None = None
    project: UUID | None = None
    """Where the chat is kept that begins."""
    number: int
    text: FileName


class OfDocument(Reply):
    """What is done with one document."""

    document: UUID


class ReadPage(OfDocument):
    """Tell a page of it, and the passage with this id on it."""

    op: Literal["read_page"]
    page: Annotated[int, Field(ge=1, le=MAX_NUMBER)] = 1
    passage: Annotated[int, Field(ge=1, le=MAX_NUMBER)] | None = None


class RenameDocument(OfDocument):
    """Give it another name."""

    op: Literal["rename_document"]
    name: FileName


class RetryDocument(OfDocument):
    """Have it read once more."""

    op: Literal["retry_document"]


class DeleteDocument(OfDocument):
    """Delete it."""

    op: Literal["delete_document"]


class FetchDocument(OfProject):
    """Fetch a document from the web."""

    op: Literal["fetch_document"]
    address: Annotated[str, Field(max_length=2 * MAX_ADDRESS_CHARS)]


class FetchAgain(OfDocument):
    """Fetch it once more from where it came."""

    op: Literal["fetch_again"]


class RetryFetch(Reply):
    """Try once more to fetch what could not be fetched."""

    op: Literal["retry_fetch"]
    fetch: UUID


class RemoveFetch(Reply):
    """Give it up."""

    op: Literal["remove_fetch"]
    fetch: UUID


class ReadCutting(OfProject):
    """Tell how the documents of a project are cut into passages."""

    op: Literal["read_cutting"]


class Cut(Reply):
    """How documents are cut. What cannot be is said by whoever cuts."""

    by: Cutting
    passage_tokens: int
    overlap_tokens: int


class PreviewCutting(Cut, OfDocument):
    """Show how a document would be cut; `number` counts what was asked for, so that an answer that is late is known."""

    op: Literal["preview_cutting"]
    number: int


class SaveCutting(Cut, OfProject):
    """Cut the documents of a project this way."""

    op: Literal["save_cutting"]


Prompts = ListPrompts | SavePrompt | UsePrompt | DeletePrompt
"""What is done with the library of prompts."""
Told = ReadTold | SavePersonal | ListVersions | RestoreVersion
"""What models are told ahead of chats, and earlier versions of it."""
Links = ListLinks | Share | Revoke
"""What is done with links to a chat."""
Preferences = ReadPreferences | WantFollowUps
"""How the person wants the chat to be."""
Memories = ListMemories | SaveMemory | DeleteMemory | UseMemory
"""What is done with the facts about the person."""
Summaries = ReadSummary | EditSummary
"""What is done with the summary of a chat."""
OfAnswers = Explain | ReadParts | ReadDifference | CopyRequest
Projects = ReadProject | WeighProject | SaveInstructions
"""What is done with a project."""
Documents = FindDocuments | ListDocuments | LookAtDocuments | ReadPage | RenameDocument | RetryDocument | DeleteDocument
"""What is done with documents of a project."""
Fetches = FetchDocument | FetchAgain | RetryFetch | RemoveFetch
"""What is done with what is fetched from the web."""
Cuttings = ReadCutting | PreviewCutting | SaveCutting
"""What is done with how documents are cut."""
Replies = (
    OfAnswers
    | Search
    | Prompts
    | Told
    | Agents
    | Links
    | Places
    | ListMembers
    | MemberChanges
    | Limits
    | Preferences
    | Memories
    | Summaries
    | Projects
    | Documents
    | Fetches
    | Cuttings
)
