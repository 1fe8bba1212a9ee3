"""The HTTP request that made an answer, rebuilt from what its run remembers."""

import asyncio
from dataclasses import replace
from uuid import UUID

from llm_ui.contract import SentRequest
from llm_ui.contract.steps import Step
from llm_ui.db import ReadSession
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.file_store import FileStore
from llm_ui.kit.ids import MessageId, RunId
from llm_ui.providers.base import Endpoint, Prompt, PromptMessage
from llm_ui.providers.registry import adapter
from llm_ui.runs.context import GO_ON, SYSTEM_PARTS
from llm_ui.runs.files import SentFile, SentMessage, with_contents
from llm_ui.runs.said import shortened
from llm_ui.runs.tools.registry import named
from llm_ui.services.access import Actor, Permission
from llm_ui.services.attachments import attachments_of
from llm_ui.services.explanations import Explanation, as_seen, explain_answer, masked_in
from llm_ui.services.messages import steps_of
from llm_ui.services.runs import read_run
from llm_ui.services.targets import target as find_target

KEY = "$API_KEY"
ADDRESS = "$PROVIDER_URL"
"""Stand for what is not told: the key to nobody, the address to administrators only."""
ASKED = ("question", "merged", "wish")
"""Origins that are sent as one message."""


async def sent_request(session: ReadSession, actor: Actor, store: FileStore, run_id: RunId) -> SentRequest:
    """Return the first request of the run, as it would be made today; of each file a beginning, with a mark.

    Raises `NotFound` when run, model or messages are gone, `InvalidInput` when no provider was asked.
    """
    run, _ = await read_run(session, actor, run_id)
    if run.model_id is None:
        raise NotFound("The model that answered does not exist any more, so its request cannot be rebuilt.")
    target = await find_target(session, actor, run.model_id)
    explained = await explain_answer(session, actor, run.answer_id)
    tools = named((run.manifest or {}).get("tools", ()))
    messages = _messages(explained, await _files(session, explained), await _steps(session, actor, explained))
    told: tuple[PromptMessage, ...] = await asyncio.to_thread(
        with_contents, store, messages, as_calls=bool(tools), is_told=True
    )
    goes_on = bool(tools) or not any(part.origin == "passages" for part in explained.parts)
    masked = masked_in(run.manifest)
    told = tuple(replace(message, text=as_seen(message.text, masked)) for message in told)
    prompt = Prompt(target.name, _system(explained), told, run.temperature, run.max_tokens, tools, goes_on=goes_on)
    endpoint = Endpoint(target.base_url, KEY if target.sealed_key else None)
    request = adapter(target.kind).request(endpoint, prompt)
    if request is None or request.body is None:
        raise InvalidInput("The demo makes its answers itself: no request was sent.")
    may_know = actor.may(Permission.MANAGE_PROVIDERS)
    url = request.url if may_know else request.url.replace(target.base_url, ADDRESS)
    return SentRequest(url=url, headers=request.headers, body=request.body)


def _system(explained: Explanation) -> str:
    return "\n\n".join(text for part in explained.parts if part.origin in SYSTEM_PARTS for _, text in part.texts)


async def _files(session: ReadSession, explained: Explanation) -> dict[str, tuple[SentFile, ...]]:
    """Return the files that went along, by message."""
    sent = {file.id: file for part in explained.parts for file in part.files}
    messages = [MessageId(UUID(name)) for part in explained.parts for name in part.messages] if sent else []
    return {
        str(message_id): tuple(
            SentFile(file, sent[str(file.id)].tokens, is_shown=sent[str(file.id)].is_shown)
            for file in files
            if str(file.id) in sent
        )
        for message_id, files in (await attachments_of(session, messages)).items()
    }


async def _steps(session: ReadSession, actor: Actor, explained: Explanation) -> dict[str, tuple[Step, ...]]:
    """Return the tools that were used for earlier answers, by message."""
    names = [MessageId(UUID(name)) for part in explained.parts if part.origin == "history" for name in part.messages]
    used = await steps_of(session, actor, names)
    return {str(name): shortened([Step.model_validate(step) for step in steps]) for name, steps in used.items()}


def _messages(
    explained: Explanation, files: dict[str, tuple[SentFile, ...]], steps: dict[str, tuple[Step, ...]]
) -> tuple[SentMessage, ...]:
    history = [
        (name, *each)
        for part in explained.parts
        if part.origin == "history"
        for name, each in zip(part.messages, part.texts, strict=True)
    ]
    messages = [
        SentMessage("user" if role == "user" else "assistant", text, files.get(name, ()), steps.get(name, ()))
        for name, role, text in history
    ]
    asked = [text for part in explained.parts if part.origin in ASKED for _, text in part.texts]
    question = next((name for part in explained.parts if part.origin == "question" for name in part.messages), "")
    if not asked:
        raise NotFound("The question was deleted, so its request cannot be rebuilt.")
    messages.append(SentMessage("user", "\n\n".join(text for text in asked if text), files.get(question, ())))
    for _, opening in (each for part in explained.parts if part.origin == "opening" for each in part.texts):
        messages += [SentMessage("assistant", opening), SentMessage("user", GO_ON)]
    return tuple(messages)
