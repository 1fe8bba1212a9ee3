"""What the pages and the LLM API say to each other, and the wire format of a run's events (design §3)."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from llm_ui.contract.base import Wire
from llm_ui.contract.filters import Noticed
from llm_ui.contract.kept import KeptAnswer
from llm_ui.contract.stand_ins import AnsweredBy, Likely
from llm_ui.contract.steps import MAX_TIME_ZONE_CHARS, Step, ToolName

MAX_PROMPT_CHARS = 2_000_000
"""Longest accepted message, in characters. A megabyte of text works; ten do not."""
MAX_WISH_CHARS = 2_000
"""Longest wish for how an answer should be."""

LeftOut = Literal[
    "instructions", "team", "personal", "project", "agent", "memory", "summary", "passages", "history", "tools"
]
"""Parts of the context that a model can be asked without."""

MAX_ATTACHMENTS = 50
"""Most files of a message that any deployment can allow."""
MAX_DOCUMENTS = 20
"""Most documents that a question can name."""
MAX_LOOKED_UP_CHARS = 8_000
"""Of a question, from its beginning: whoever pastes a whole text asks for what it begins with."""
MAX_SAID = 2_000
"""Most earlier messages of a temporary chat."""
MAX_SAID_BY_CHARS = 200

MAX_TEMPERATURE = 2
MAX_ANSWER_TOKENS = 1_000_000
"""Most that a person can allow an answer; models allow less."""
MAX_BESIDE = 4
"""Most answers to one question that are written at once, or merged."""
Key = Annotated[str, Field(min_length=8, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
"""Made by whoever submits; the same key gives the same run, however often it is sent."""
Who = UUID | Literal["none"] | None
"""An agent, or `none` for the model alone. None: the agent that the chat is with, as long as there is one."""


class ChatRequest(Wire):
    """Ask a model. Without `chat_id` a new chat begins.

    At most one of `regenerate_of`, `edit_of` and `continue_of` is given; each names a message of the chat and makes a
    sibling of it, which the chat then shows.
    """

    idempotency_key: Key
    text: str = ""
    chat_id: UUID | None = None
    attachments: Annotated[tuple[UUID, ...], Field(max_length=MAX_ATTACHMENTS)] | None = None
    """Files that go with the question. None: with `edit_of` those of the old one, else none."""
    documents: Annotated[tuple[UUID, ...], Field(max_length=MAX_DOCUMENTS)] = ()
    """Documents of the chat's project that the passages are taken from; none: all of them."""
    regenerate_of: UUID | None = None
    """An answer whose question is asked again; `text` is empty."""
    edit_of: UUID | None = None
    """A question that is asked in other words, those of `text`; what followed the old one stays with it."""
    continue_of: UUID | None = None
    """An answer that ended too early: the new one begins with its text and goes on; `text` is empty."""
    is_beside: bool = False
    """With `regenerate_of`: also while other answers to the question are written, and the chat shows what it showed."""
    merge_of: Annotated[tuple[UUID, ...], Field(max_length=MAX_BESIDE)] = ()
    """With `regenerate_of`: answers to the same question, at least two, that the new one brings together."""
    without: frozenset[LeftOut] = frozenset()
    """Parts that the model is not sent this time."""
    wish: Annotated[str, Field(max_length=MAX_WISH_CHARS)] = ""
    """How the answer should be, such as "Shorter, please."; the model is told, the chat does not show it."""
    model_id: UUID | None = None
    """None: that of an agent new to the chat, the chat's last one, that of a new chat's project, or the default one."""
    agent_id: Who = None
    system_prompt_id: UUID | None = None
    project_id: UUID | None = None
    """Where a chat that begins is kept."""
    temperature: Annotated[float, Field(ge=0, le=MAX_TEMPERATURE)] | None = None
    """None: as the agent has it, else the model's own; so is `max_tokens`."""
    max_tokens: Annotated[int, Field(ge=1, le=MAX_ANSWER_TOKENS)] | None = None
    tools_off: frozenset[ToolName] | None = None
    """Tools that the model may not use from now on in this chat; None: those that the chat says."""
    time_zone: Annotated[str, Field(max_length=MAX_TIME_ZONE_CHARS)] = ""
    """Where the person is, such as Europe/Berlin; for tools alone."""


class Said(Wire):
    """One message of a temporary chat."""

    role: Literal["user", "assistant"]
    text: str
    agent: Annotated[str, Field(max_length=MAX_SAID_BY_CHARS)] = ""
    """Of an answer: the name of the agent that wrote it; empty: the model alone."""


class TemporaryRequest(Wire):
    """Ask a model in a temporary chat: of what is said only the tokens and their price are stored.

    Whoever asks keeps what was said before and sends it along; what the model knows of the person is left out.
    """

    idempotency_key: Key
    text: str
    earlier: Annotated[tuple[Said, ...], Field(max_length=MAX_SAID)] = ()
    """Oldest first. As many of the newest as fit are sent to the model."""
    model_id: UUID | None = None
    """None: that of the agent, else the default model."""
    agent_id: UUID | None = None
    """Who answers; None: the model alone."""
    temperature: Annotated[float, Field(ge=0, le=MAX_TEMPERATURE)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_ANSWER_TOKENS)] | None = None
    tools_off: frozenset[ToolName] = frozenset()
    """Tools that the model may not use."""
    time_zone: Annotated[str, Field(max_length=MAX_TIME_ZONE_CHARS)] = ""
    """As in `ChatRequest`."""


class Usage(Wire):
    """Tokens of one run."""

    input_tokens: int = 0
    cached_tokens: int = 0
    """Part of `input_tokens`."""
    output_tokens: int = 0
    reasoning_tokens: int = 0
    """Part of `output_tokens`."""
    source: Literal["provider", "estimate"] = "estimate"


class Metrics(KeptAnswer):
    """Timings of one run; None where nothing was measured."""

    queue_ms: float | None = None
    """Until the provider is called; `context_ms` is part of it."""
    context_ms: float | None = None
    connect_ms: float | None = None
    """Part of `ttft_ms`; 0 on a connection that was open already."""
    ttft_ms: float | None = None
    reasoning_ms: float | None = None
    """From the first word of the reasoning to the first of the answer; None without reasoning."""
    total_ms: float | None = None
    tokens_per_second: float | None = None
    attempts: int = 0


class ErrorDetail(Wire):
    """One error, the same everywhere."""

    code: str
    message: str
    retryable: bool = False
    retry_after: float | None = None
    request_id: str = ""


class ErrorBody(Wire):
    """The body of every refused request."""

    error: ErrorDetail


class Source(Wire):
    """A passage of a document that a model was sent, and may cite by its number."""

    number: int
    """From 1, within one answer."""
    document_id: UUID
    name: str
    """The document's."""
    page: int | None
    """Where the passage begins; None: the document has no pages that a person counts."""
    page_to: int | None
    """Where it ends."""
    place: int
    """The page at which the document is opened, whatever a page is in it."""
    passage: int
    """The id of the passage."""
    text: str


class StartEvent(AnsweredBy):
    """The run exists and is stored; its ids follow.

    `is_replay` says that the text follows from its first character (the numbered events are gone, because the
    process that held them is): whoever follows forgets what it has.
    """

    type: Literal["start"] = "start"
    run_id: UUID
    chat_id: UUID
    question_id: UUID
    answer_id: UUID
    agent_id: UUID | None = None
    agent_name: str = ""
    is_replay: bool = False
    sources: tuple[Source, ...] | None = None
    """What the answer may cite; None outside of projects with documents."""
    warned: str = ""


class TokenEvent(Wire):
    """A piece of the answer. `offset` is its place in the answer's text, in characters."""

    type: Literal["token"] = "token"
    token: str
    index: int
    """Counts the pieces of the answer from 0."""
    offset: int


class ReasoningEvent(Wire):
    """A piece of the model's reasoning; `offset` as in `TokenEvent`, within the reasoning."""

    type: Literal["reasoning"] = "reasoning"
    token: str
    offset: int


class ToolCallEvent(Wire):
    """The model calls a tool, which begins to work."""

    type: Literal["tool_call"] = "tool_call"
    step: Step


class ToolResultEvent(Wire):
    """The tool is done, well or not."""

    type: Literal["tool_result"] = "tool_result"
    step: Step
    sources: tuple[Source, ...] = ()
    """What may be cited from now on besides."""


class TitleEvent(Wire):
    """The chat got a title."""

    type: Literal["title"] = "title"
    title: str


class MetricsEvent(Wire):
    """Live figures while the answer is being written."""

    type: Literal["metrics"] = "metrics"
    metrics: Metrics
    usage: Usage


class CompleteEvent(Wire):
    """The run ended well (`completed`) or was stopped; its figures are final."""

    type: Literal["complete"] = "complete"
    status: Literal["completed", "stopped"]
    finish_reason: str
    """`stop`, `length`, `content_filter`, `empty`, `stopped` (by the person), `cap` (our own), `rounds` (of tools)."""
    usage: Usage
    cost_usd: str | None
    """Exact decimal, or None where the model has no price."""
    metrics: Metrics


class ErrorEvent(Wire):
    """The run ended badly: `failed` before any text, `interrupted` with text that is kept."""

    type: Literal["error"] = "error"
    status: Literal["failed", "interrupted"]
    error: ErrorDetail
    usage: Usage
    cost_usd: str | None = None
    metrics: Metrics


RunEvent = Annotated[
    StartEvent
    | Noticed
    | TokenEvent
    | ReasoningEvent
    | ToolCallEvent
    | ToolResultEvent
    | TitleEvent
    | MetricsEvent
    | CompleteEvent
    | ErrorEvent,
    Field(discriminator="type"),
]
"""Any event of a run. On the wire the type is the SSE `event` field and is left out of `data`."""

RUN_EVENT: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)


class ChatAnswer(Wire):
    """The answer of `POST /v1/chat`, once whole."""

    run_id: UUID
    chat_id: UUID
    question_id: UUID
    answer_id: UUID
    status: str
    text: str
    reasoning: str
    model_name: str
    """Which one answered."""
    instead_of: str
    """As in `StartEvent`."""
    finish_reason: str | None
    usage: Usage
    cost_usd: str | None
    metrics: Metrics
    error: ErrorDetail | None = None


class SentRequest(Wire):
    """The HTTP request with which a provider was asked; its key, and its address for who may not know it, masked."""

    url: str
    headers: dict[str, str]
    body: dict[str, Any]


class RunView(Wire):
    """One run as it stands now."""

    run_id: UUID
    chat_id: UUID
    answer_id: UUID
    status: str
    last_event: int


class Aftermath(Wire):
    """What was made after an answer, as far as it is there."""

    chat_id: UUID
    answer_id: UUID
    is_over: bool
    """Whether nothing more is being made."""
    title: str
    """The chat's title as it is now."""
    tags: tuple[str, ...]
    """After a chat's first answer its tags as they are now."""
    follow_ups: tuple[str, ...]
    """Questions that the person might ask next."""


class PreviewRequest(Wire):
    """Ask what a new message would be sent with."""

    chat_id: UUID | None = None
    project_id: UUID | None = None
    """Where a chat that begins would be kept."""
    is_temporary: bool = False
    """Whether it would be asked in a temporary chat."""
    agent_id: Who = None
    model_id: UUID | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_ANSWER_TOKENS)] | None = None
    attachments: Annotated[tuple[UUID, ...], Field(max_length=MAX_ATTACHMENTS)] = ()
    """Files that would go along."""
    text: Annotated[str, Field(max_length=MAX_LOOKED_UP_CHARS)] = ""
    """The beginning of the message, as far as it is written: in a project its documents are looked through for it."""
    documents: Annotated[tuple[UUID, ...], Field(max_length=MAX_DOCUMENTS)] = ()
    """As in `ChatRequest`."""


class Preview(Likely):
    """What a new message would be sent with, in tokens as far as they can be estimated."""

    window: int
    """The model's context window; assumed where nobody has said it."""
    reserved: int
    """Kept free for the answer."""
    instructions: int
    """With those of the project, what the person has told of themselves and in it, and what is told of tools."""
    history: int
    """Earlier messages of the chat with their files, as many as fit, and the summary of the others."""
    attachments: int
    """Files that would go along."""
    passages: int
    """Passages of the project's documents that would go along with what is written so far."""
    passage_count: int
    is_in_project: bool
    """Whether the passages may be others once more is written."""
    tokens_factor: float
    """What to multiply estimates of a text's tokens with, by what the model's provider has counted so far."""
    is_cut: bool
    """Whether earlier messages are left out already."""
    input_usd_per_mtok: str | None
    output_usd_per_mtok: str | None
    budget_usd: str | None = None
    budget_left_usd: str | None = None
    """Of the project, this month."""


class RetrieveRequest(Wire):
    """Look for passages in the documents of a project."""

    project_id: UUID
    query: Annotated[str, Field(max_length=MAX_PROMPT_CHARS)]
    documents: Annotated[tuple[UUID, ...], Field(max_length=MAX_DOCUMENTS)] = ()
    """Only in these; none: in all."""
    most: Annotated[int, Field(ge=1, le=50)] = 8
    strategy: Literal["lexical", "vector", "hybrid"] | None = None
    """By words, by what they mean, or by both; None: the best there is."""


class FoundPassage(Wire):
    """A passage that was found."""

    document_id: UUID
    name: str
    """The document's."""
    passage: int
    """The id of the passage."""
    headings: tuple[str, ...]
    """Those it stands under, outermost first."""
    text: str
    page_from: int
    page_to: int
    score: float


class Retrieved(Wire):
    """What was found, best first."""

    passages: tuple[FoundPassage, ...]
    took_ms: float
    strategy: Literal["lexical", "vector", "hybrid"]
    """How they were found."""
    problem: str | None = None
    """Why words alone were searched, although there is an embedding model."""


class ModelView(Wire):
    """A model that may be asked."""

    model_id: UUID
    name: str
    display_name: str
    provider_name: str
    kind: str
    context_window: int | None
    max_output_tokens: int | None
    can_see_images: bool
    can_use_tools: bool
    input_usd_per_mtok: str | None
    output_usd_per_mtok: str | None
    is_default: bool
