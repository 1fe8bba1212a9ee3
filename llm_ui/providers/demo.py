"""The built-in demo: answers by itself, without a network, and always says that it is not a language model.

It speaks the language of whoever asks, as far as the catalogue knows it.

It guides through the product, does arithmetic, and quotes from what it was given, so that everything else can be
tried before a provider is connected.
"""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncGenerator
from html import unescape

import httpx2

from llm_ui.kit.arithmetic import ArithmeticRefused, evaluate, find_expression, in_plain
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later, number, told
from llm_ui.providers.base import (
    Began,
    CallDelta,
    Delta,
    Endpoint,
    Finish,
    ListedModel,
    Prompt,
    PromptMessage,
    TextDelta,
    Timeouts,
    ToolCall,
    ToolResult,
    UsageDelta,
)
from llm_ui.providers.calls import new_id

LABEL = later("*Built-in demo, not a language model.*")
PIECE_S = 0.004
"""Pause after each piece but the first, so that streaming can be seen: some 250 words a second."""
MIN_EXTRACT_CHARS = 200
"""A message this long holds a text to quote from; a shorter one is a question."""
QUOTED_SENTENCES = 3

GUIDE = later(
    """I can do three things: **guide** you, **calculate**, and **quote** from a text you paste. For real answers \
connect a model provider.

| To do this | Do that |
|---|---|
| Connect OpenAI, Anthropic, Google, Ollama or a compatible server | As administrator: *Admin → Providers* |
| Choose another model | The menu at the top of the chat |
| Stop an answer | The round button while it is being written |
| Find an old chat | The list on the left, newest first |

The same from the command line:

```bash
llm-ui providers add "My Ollama" --type ollama --url http://127.0.0.1:11434 --model llama3.2
llm-ui providers list
```

Try: *What is 47 * 89?* — or paste an article and ask something about it."""
)

PASSAGE = re.compile(r'^<passage number="(\d+)"[^>]*>\n(.*?)\n</passage>$', re.MULTILINE | re.DOTALL)
FILE = re.compile(r'^<file name="(.+)">$', re.MULTILINE)
GREETINGS = re.compile(
    r"\s*(hi|hello|hey|good (morning|evening|afternoon)|hallo|moin|servus|guten (morgen|tag|abend))\b", re.IGNORECASE
)
ASKS_FOR_TIME = re.compile(
    r"\b(what time|time is it|current time|what day|what date|today's date|wie spät|wie viel uhr|uhrzeit|welcher tag"
    r"|welches datum|datum heute)\b",
    re.IGNORECASE,
)
WORD = re.compile(r"\w+", re.UNICODE)
SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")
COMMON = frozenset(
    WORD.findall(
        "a an and are as at be by for from has have how i in is it its of on or that the this to was what when where "
        "which who why will with you your about text following summarise summarize please tell me "
        "auf aus bei bitte das dass dem den der des die dir du ein eine einem einen einer es fasse für gibt hat ich im "
        "ist man mir mit nach nicht oder sich sie sind text über und vom von wann warum was welche welcher welches wer "
        "werden wie wieso wird wo zu zum zur zusammen"
    )
)


class DemoAdapter:
    """An adapter without a provider."""

    def request(self, endpoint: Endpoint, prompt: Prompt) -> None:
        """Return None: nobody is asked."""

    async def stream(
        self, http: httpx2.AsyncClient, endpoint: Endpoint, prompt: Prompt, timeouts: Timeouts
    ) -> AsyncGenerator[Delta]:
        """Answer word by word."""
        del http, endpoint, timeouts
        yield Began("")
        last = prompt.messages[-1]
        call = wanted(prompt)
        if call is not None:
            yield CallDelta(call)
            yield UsageDelta(input_tokens=words_of(prompt), output_tokens=1)
            yield Finish("tool")
            return
        passages = [(int(count), text) for count, text in PASSAGE.findall(prompt.system)]
        if last.results:
            text = used(
                next(m.text for m in reversed(prompt.messages) if m.role == "user" and m.text), last.results[-1]
            )
        elif passages:
            text = cited(last.text, passages)
        else:
            text = answer(last.text, earlier=[m.text for m in prompt.messages[:-1] if m.role == "user"])
        if last.images or FILE.search(last.text):
            text = f"{received(last)}\n\n{text}"
        pieces = re.findall(r"\s*\S+\s*?(?=\s|$)|\s+", text)
        limit = prompt.max_tokens or len(pieces)
        for index, piece in enumerate(pieces[:limit]):
            if index:
                await asyncio.sleep(PIECE_S)
            yield TextDelta(piece)
        yield UsageDelta(input_tokens=words_of(prompt), output_tokens=min(limit, len(pieces)))
        yield Finish("length" if limit < len(pieces) else "stop")

    async def list_models(
        self, http: httpx2.AsyncClient, endpoint: Endpoint, timeouts: Timeouts
    ) -> tuple[ListedModel, ...]:
        """Return the one demo."""
        del http, endpoint, timeouts
        return (ListedModel("demo", "Demo (no language model)", 1_000_000),)


def words_of(prompt: Prompt) -> int:
    """Return how many words the demo was sent."""
    return sum(len(WORD.findall(message.text)) for message in prompt.messages)


def wanted(prompt: Prompt) -> ToolCall | None:
    """Return the tool that helps with a question, where there is one and nothing better to answer from."""
    last, tools = prompt.messages[-1], {tool.name for tool in prompt.tools}
    if last.results or not prompt.may_call or PASSAGE.search(prompt.system):
        return None
    expression = find_expression(last.text)
    if expression is not None and "calculate" in tools:
        return ToolCall(new_id(), "calculate", {"expression": in_plain(expression)})
    if ASKS_FOR_TIME.search(last.text[:MIN_EXTRACT_CHARS]) and "current_time" in tools:
        return ToolCall(new_id(), "current_time", {})
    return None


def used(question: str, result: ToolResult) -> str:
    """Return the answer that a tool has helped with."""
    expression = find_expression(question)
    if result.is_error:
        return _labelled(_("The tool could not help: {why}").format(why=told(result.text)))
    if expression is None or result.name != "calculate":
        return _labelled(f"**{result.text}**")
    return _labelled(f"`{expression}` = **{evaluate(expression)}**")


def answer(question: str, earlier: list[str]) -> str:
    """Return the demo's answer to a question, given the person's earlier messages."""
    expression = find_expression(question)
    if expression is not None:
        try:
            return _labelled(f"`{expression}` = **{evaluate(expression)}**")
        except ArithmeticRefused as refused:
            return _labelled(_("I cannot calculate `{expression}`: {why}").format(expression=expression, why=refused))
    source = next((text for text in (question, *reversed(earlier)) if len(text) >= MIN_EXTRACT_CHARS), None)
    if source is not None:
        asked = question if source is not question else _question_in(question)
        quotes = extracts(source, asked)
        lines = "\n".join(f"> {quote}\n" for quote in quotes)
        return _labelled(_("The sentences of your text that fit best:"), lines)
    greeting = _("Hello!") + " " if GREETINGS.match(question) else ""
    return _labelled(greeting + _(GUIDE))


def _labelled(*paragraphs: str) -> str:
    """Return an answer with what it is ahead of it."""
    return "\n\n".join([_(LABEL), *paragraphs])


def cited(question: str, passages: list[tuple[int, str]]) -> str:
    """Return the sentences of the passages that share most words with the question, each with its passage's number."""
    asked = set(_words(question))
    found = [
        (len(asked & set(_words(sentence))), at, sentence.strip())
        for at, passage in passages
        for sentence in SENTENCE.findall(passage)
    ]
    best = sorted((one for one in found if one[0]), key=lambda one: (-one[0], one[1]))[:QUOTED_SENTENCES]
    if not best:
        return _labelled(_("No source supports this."))
    lines = "\n".join(f"> {sentence} [{at}]\n" for _score, at, sentence in best)
    return _labelled(_("The sentences of the documents that fit best:"), lines)


def received(message: PromptMessage) -> str:
    """Return what came with a message."""
    size, kind = _("{count} bytes"), _("text")
    images = [
        f"`{image.name}` ({image.media_type}, {size.format(count=number(len(image.data) * 3 // 4))})"
        for image in message.images
    ]
    texts = [f"`{unescape(name)}` ({kind})" for name in FILE.findall(message.text)]
    return _("With your message came {files}.").format(files=", ".join([*images, *texts]))


def extracts(source: str, question: str) -> list[str]:
    """Return the sentences that share most words with the question, else the most central ones, in their order."""
    sentences = [found.strip() for found in SENTENCE.findall(source) if len(WORD.findall(found)) > 3]
    frequent = Counter(word for sentence in sentences for word in set(_words(sentence)))
    asked = set(_words(question))

    def score(sentence: str) -> tuple[float, float]:
        words = set(_words(sentence))
        return len(words & asked), sum(frequent[word] for word in words) / (len(words) or 1)

    best = sorted(range(len(sentences)), key=lambda n: score(sentences[n]), reverse=True)[:QUOTED_SENTENCES]
    return [sentences[n] for n in sorted(best)]


def _question_in(text: str) -> str:
    """Return the sentences of a message that ask something, else its first one."""
    sentences = SENTENCE.findall(text)
    asking = [sentence for sentence in sentences if sentence.rstrip().endswith("?")]
    return " ".join(asking or sentences[:1])


def _words(text: str) -> list[str]:
    return [word for word in map(str.casefold, WORD.findall(text)) if word not in COMMON and len(word) > 1]
