"""*Auto* models at work: what is known of a question and of the candidates, before one of them is picked."""

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from uuid import UUID

from llm_ui.contract import ChatRequest, PreviewRequest
from llm_ui.db import ReadSession
from llm_ui.kit.clock import now
from llm_ui.kit.ids import AttachmentId, ModelId, ProviderId, TeamId
from llm_ui.kit.token_count import estimate
from llm_ui.models import ChatHistory
from llm_ui.providers.base import Prompt
from llm_ui.runs.balance import Balance
from llm_ui.runs.gateway.asked import IMAGE_TOKENS, tokens_of
from llm_ui.runs.passages import Found
from llm_ui.runs.routing import Candidate, Facts, choose
from llm_ui.runs.splitting import Asking, is_wanted_again, split
from llm_ui.runs.tools.registry import offered
from llm_ui.services.access import Actor
from llm_ui.services.attachments import find_attachments
from llm_ui.services.auto_rules import When
from llm_ui.services.autos import Before, answered_before, ratings_of
from llm_ui.services.targets import ModelTarget, targets

RATINGS_S = 300
"""How long ratings are believed: a few minutes' worth moves no bound that is worth a statement."""


class Router:
    """Lets *Auto* models pick. One in each process of the LLM API."""

    def __init__(
        self,
        balance: Balance,
        left_alone: Callable[[], frozenset[ProviderId]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._balance = balance
        self._left_alone = left_alone
        self._clock = clock
        self._ratings: dict[ModelId, tuple[float, dict[ModelId, tuple[int, int]]]] = {}

    async def picked(
        self,
        session: ReadSession,
        actor: Actor,
        target: ModelTarget,
        facts: Facts,
        *,
        allowed: Collection[ModelId] | None = None,
        stays: ModelId | None = None,
    ) -> ModelTarget:
        """Return who is asked: the target itself, or whom it picks. `allowed` are a key's models; None: all.

        At most two statements: one for the candidates with their rights, one for ratings, where these are old.
        Raises `InvalidInput` and `ContextTooLong`.
        """
        if target.auto is None:
            return target
        ids = target.auto.candidates
        asked = [TeamId(UUID(rule.value)) for rule in target.auto.rules if rule.when is When.TEAM]
        found, teams = await targets(session, actor, ids, asked)
        ratings = await self._rated(session, target.model_id, ids)
        resting = self._left_alone()
        candidates = [
            Candidate(
                one,
                self._balance.first_s(one.model_id),
                *ratings.get(one.model_id, (0, 0)),
                is_resting=one.provider_id in resting,
            )
            for one in found
            if allowed is None or one.model_id in allowed
        ]
        return choose(target, facts, candidates, stays=stays, teams=teams)

    async def picked_in_chat(
        self,
        session: ReadSession,
        actor: Actor,
        target: ModelTarget,
        chat: ChatHistory | None,
        request: ChatRequest | PreviewRequest,
        found: Found | None = None,
    ) -> ModelTarget:
        """Return the same for a question of a chat, which stays with who has answered in it; None: a new one."""
        is_split = target.has_split and not (isinstance(request, ChatRequest) and request.is_beside)
        if target.auto is None and not is_split:
            return target
        again = (request.regenerate_of or request.continue_of) if isinstance(request, ChatRequest) else None
        before = Before() if chat is None else await answered_before(session, actor, chat.id, again)
        facts = await _facts_of(session, actor, chat, request, found, before)
        allowed = None if actor.key is None else actor.key.models
        if is_split:
            chat_id = None if chat is None else chat.id
            is_again = isinstance(request, ChatRequest) and is_wanted_again(request)
            return await split(session, actor, target, Asking(facts, allowed, chat_id, is_again=is_again))
        return await self.picked(session, actor, target, facts, allowed=allowed, stays=before.model_id)

    async def _rated(
        self, session: ReadSession, auto_id: ModelId, ids: Collection[ModelId]
    ) -> dict[ModelId, tuple[int, int]]:
        read_at, known = self._ratings.get(auto_id, (0.0, {}))
        if auto_id not in self._ratings or self._clock() - read_at > RATINGS_S or not set(ids) <= known.keys():
            known = dict.fromkeys(ids, (0, 0)) | await ratings_of(session, ids)
            self._ratings[auto_id] = self._clock(), known
        return known


def facts_of(prompt: Prompt) -> Facts:
    """Return what is known of a script's question."""
    return Facts(
        text=next((one.text for one in reversed(prompt.messages) if one.role == "user" and one.text), ""),
        tokens=tokens_of(prompt),
        hour=now().hour,
        has_images=any(message.images for message in prompt.messages),
        needs_tools=bool(prompt.tools) or any(message.calls for message in prompt.messages),
        needs_form=prompt.output is not None,
        answer_tokens=prompt.max_tokens or 0,
    )


def facts_of_text(text: str, *, tools_off: Collection[str] = ()) -> Facts:
    """Return what is known of a question that is nothing but a text."""
    return Facts(text, estimate(text), now().hour, wants_tools=bool(offered(tools_off, has_documents=False)))


async def _facts_of(
    session: ReadSession,
    actor: Actor,
    chat: ChatHistory | None,
    request: ChatRequest | PreviewRequest,
    found: Found | None,
    before: Before,
) -> Facts:
    """Return what is known of a question of a chat. Earlier messages fold: they are not counted."""
    text = request.text or before.text
    ids = [AttachmentId(each) for each in request.attachments or ()]
    files = await find_attachments(session, actor, ids) if ids else before.files
    off = (chat.tools_off if chat is not None else None) or ()
    without = request.without if isinstance(request, ChatRequest) else ()
    passages = () if found is None else found.passages
    images = sum(file.is_image for file in files)
    return replace(
        facts_of_text(text, tools_off=off),
        tokens=estimate(text) + sum(file.tokens for file in files) + IMAGE_TOKENS * images,
        has_images=images > 0,
        has_documents=bool(passages) or images < len(files),
        wants_tools="tools" not in without and bool(offered(off, has_documents=found is not None)),
        answer_tokens=request.max_tokens or 0,
    )
