"""The HTTP request that made an answer, rebuilt from what its run remembers."""

from llm_ui.contract import SentRequest
from llm_ui.db import ReadSession
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import RunId
from llm_ui.providers.base import Endpoint, Prompt, PromptMessage
from llm_ui.providers.registry import adapter
from llm_ui.runs.context import GO_ON
from llm_ui.services.access import Actor, Permission
from llm_ui.services.ai_models import target as find_target
from llm_ui.services.explanations import Explanation, explain_answer
from llm_ui.services.runs import read_run

KEY = "$API_KEY"
ADDRESS = "$PROVIDER_URL"
"""Stand for what is not told: the key to nobody, the address to administrators only."""
ASKED = ("question", "merged", "wish")
"""Origins that are sent as one message."""


async def sent_request(session: ReadSession, actor: Actor, run_id: RunId) -> SentRequest:
    """Return the request, as it would be made today.

    Raises `NotFound` when run, model or messages are gone, `InvalidInput` when no provider was asked.
    """
    run, _ = await read_run(session, actor, run_id)
    if run.model_id is None:
        raise NotFound("The model that answered does not exist any more, so its request cannot be rebuilt.")
    target = await find_target(session, actor, run.model_id)
    explained = await explain_answer(session, actor, run.answer_id)
    prompt = Prompt(target.name, _system(explained), _messages(explained), run.temperature, run.max_tokens)
    endpoint = Endpoint(target.base_url, KEY if target.sealed_key else None)
    request = adapter(target.kind).request(endpoint, prompt)
    if request is None or request.body is None:
        raise InvalidInput("The demo makes its answers itself: no request was sent.")
    may_know = actor.may(Permission.MANAGE_PROVIDERS)
    url = request.url if may_know else request.url.replace(target.base_url, ADDRESS)
    return SentRequest(url=url, headers=request.headers, body=request.body)


def _system(explained: Explanation) -> str:
    return "".join(text for part in explained.parts if part.origin == "instructions" for _, text in part.texts)


def _messages(explained: Explanation) -> tuple[PromptMessage, ...]:
    history = [each for part in explained.parts if part.origin == "history" for each in part.texts]
    messages = [PromptMessage("user" if role == "user" else "assistant", text) for role, text in history]
    asked = [text for part in explained.parts if part.origin in ASKED for _, text in part.texts]
    if not asked:
        raise NotFound("The question was deleted, so its request cannot be rebuilt.")
    messages.append(PromptMessage("user", "\n\n".join(asked)))
    for _, opening in (each for part in explained.parts if part.origin == "opening" for each in part.texts):
        messages += [PromptMessage("assistant", opening), PromptMessage("user", GO_ON)]
    return tuple(messages)
