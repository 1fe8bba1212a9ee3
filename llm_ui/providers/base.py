"""What every adapter is given, gives back and may raise."""

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, replace
from typing import Literal, Protocol

import httpx2


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a provider is and the key it wants. Never log it."""

    base_url: str
    key: str | None
    headers: tuple[tuple[str, str], ...] = ()
    """Sent with every request, beside those of the protocol."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image that goes with a message."""

    name: str
    media_type: str
    data: str
    """Base64."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that a model may call, as it is told of it."""

    name: str
    description: str
    schema: dict[str, object]
    """JSON Schema of the arguments, an object."""
    is_strict: bool = False
    """Whether the arguments have to keep to it, where the protocol can demand that."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model called, whole."""

    id: str
    """The provider's, else ours; the same nowhere else in the conversation."""
    name: str
    arguments: dict[str, object] | None
    """None: what came is no JSON object."""
    signature: str = ""
    """What the provider wants back with the call, unread."""


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call gave."""

    call_id: str
    name: str
    text: str
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """One message of the conversation. With images, calls or results its text may be empty."""

    role: Literal["user", "assistant"]
    text: str
    images: tuple[Image, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    """Of an answer: what it called after its text. The next message holds the results."""
    results: tuple[ToolResult, ...] = ()
    """Of what follows such an answer: one for each call, in their order; such a message has no text."""


@dataclass(frozen=True, slots=True)
class Output:
    """What form an answer is to have: JSON."""

    schema: dict[str, object] | None = None
    """JSON Schema of it; None: any object."""
    name: str = "answer"
    is_strict: bool = False


@dataclass(frozen=True, slots=True)
class Sampling:
    """What scripts may set beyond what chats do. A protocol that lacks one of these leaves it out."""

    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    top_logprobs: int | None = None
    """How many alternatives are told beside each token's own probability; None: no probabilities are."""
    token_bias: dict[str, float] | None = None
    """What is added to the weights of tokens, by their numbers."""
    user: str = ""
    """Whom the script asks for, in its own words."""
    effort: str = ""
    """How much the model is to think: none, minimal, low, medium, high or xhigh; empty: as it likes."""
    thinking_tokens: int | None = None
    """The same as a number of tokens."""
    is_one_call: bool = False
    """Whether an answer may hold one call only."""

    def thinking_budget(self) -> int | None:
        """Return how many tokens of thinking are asked for; None: the model decides."""
        return self.thinking_tokens if self.thinking_tokens is not None else THINKING_TOKENS.get(self.effort)

    def thinking_effort(self) -> str:
        """Return how much is to be thought as a degree; empty: the model decides."""
        if self.effort or self.thinking_tokens is None:
            return self.effort
        return next((name for name in ("low", "medium") if self.thinking_tokens <= THINKING_TOKENS[name]), "high")


PLAIN = Sampling()
THINKING_TOKENS = {"none": 0, "minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 32_768}
"""What a degree of thinking is in tokens, for the protocols that count them."""
ANY_TOOL = "*"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model is asked. `model` is the provider's own name of it."""

    model: str
    system: str
    messages: tuple[PromptMessage, ...]
    temperature: float | None = None
    max_tokens: int | None = None
    """Most tokens of the answer; None leaves it to the provider."""
    tools: tuple[ToolSpec, ...] = ()
    may_call: bool = True
    """False: the tools are named, as calls of them are in the messages, but none may be called any more."""
    must_call: str = ""
    """Name of the tool that has to be called, or `ANY_TOOL`; empty: the model decides."""
    output: Output | None = None
    """None: text as the model likes it."""
    sampling: Sampling = PLAIN
    goes_on: bool = False
    """Whether more is likely to be asked after all of this: providers that want to be told keep it for that."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds a provider is given."""

    connect_s: float
    first_byte_s: float
    """Until the first event of the answer."""
    idle_s: float
    """Between two events; comments that keep the line open do not count."""
    total_s: float
    """For the whole answer; past it the answer ends as capped."""
    hedge_s: float | None = None
    """Until another model is asked beside it, where nothing of the answer has come; None: none is."""


@dataclass(frozen=True, slots=True)
class Began:
    """The provider accepted the request."""

    request_id: str
    """The provider's own id of it, for their support; empty when it gives none."""
    connect_ms: float | None = None
    """What connecting took, with TLS; 0 on a connection that was open already, None where there is none."""
    left: float | None = None
    """How much of the key's allowance is left, from 0 to 1, of what is scarcest; None where that is not told."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """A piece of the model's reasoning."""

    text: str


@dataclass(frozen=True, slots=True)
class CallDelta:
    """A tool is called. Its arguments came in pieces; nobody is told before they are whole."""

    call: ToolCall


@dataclass(frozen=True, slots=True)
class LogprobsDelta:
    """Probabilities of the last piece's tokens, as OpenAI's protocol has them."""

    tokens: tuple[dict[str, object], ...]


@dataclass(frozen=True, slots=True)
class UsageDelta:
    """Token counts as the provider reports them so far; None where it says nothing. Later ones replace earlier."""

    input_tokens: int | None = None
    cached_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None
    written_tokens: int | None = None
    """Part of `input_tokens` that the provider keeps from now on, for more than others cost."""

    def updated(self, later: "UsageDelta") -> "UsageDelta":
        """Return the counts after a later report; what that leaves out stays."""
        reported = {name: count for name, count in asdict(later).items() if count is not None}
        return replace(self, **reported)


@dataclass(frozen=True, slots=True)
class Finish:
    """The answer is whole: `stop`, `length`, `content_filter`, `tool` or, by our own limits, `cap`."""

    reason: str


Delta = Began | TextDelta | ReasoningDelta | CallDelta | LogprobsDelta | UsageDelta | Finish
"""What an answer is made of. `Finish` comes once and last; a stream that ends without it was cut off and raises."""


@dataclass(frozen=True, slots=True)
class ListedModel:
    """A model that a provider says it serves."""

    name: str
    display_name: str
    context_window: int | None = None
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class WireRequest:
    """An HTTP request of a protocol."""

    url: str
    headers: dict[str, str]
    body: dict[str, object] | None = None
    """JSON to POST; None makes it a GET."""
    content: bytes | None = None
    """The same, encoded already, where that takes long."""


@dataclass(frozen=True, slots=True)
class Texts:
    """What is to become vectors. `model` is the provider's own name of it."""

    model: str
    texts: tuple[str, ...]
    is_question: bool = False
    """Whether these are looked for, and not looked through: some models are told which."""
    dimensions: int | None = None
    """Of how many numbers a vector is to be, where the model can shorten them; None: as it makes them."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Texts as vectors, in their order, all of the same length."""

    vectors: tuple[tuple[float, ...], ...]
    input_tokens: int | None = None
    """As the provider counts them; None where it does not say."""


class Embedder(Protocol):
    """Makes vectors of texts in one provider's protocol. Raises `ProviderError` and nothing else."""

    async def embed(self, http: httpx2.AsyncClient, endpoint: Endpoint, texts: Texts, timeouts: Timeouts) -> Embedded:
        """Return the vectors."""
        ...


class Adapter(Protocol):
    """Speaks one provider's protocol. Raises `ProviderError` and nothing else."""

    def stream(
        self, http: httpx2.AsyncClient, endpoint: Endpoint, prompt: Prompt, timeouts: Timeouts
    ) -> AsyncIterator[Delta]:
        """Ask and yield the answer as it comes. Closing the iterator closes the connection."""
        ...

    def request(self, endpoint: Endpoint, prompt: Prompt) -> WireRequest | None:
        """Return the request with which `stream` asks; None when none is made."""
        ...

    async def list_models(
        self, http: httpx2.AsyncClient, endpoint: Endpoint, timeouts: Timeouts
    ) -> tuple[ListedModel, ...]:
        """Return what the provider serves; also the test of address and key."""
        ...
