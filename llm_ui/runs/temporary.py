"""Temporary chats, and models that are tried out: their runs are in memory alone, known by the key of whoever asked."""

from dataclasses import dataclass, replace

from llm_ui.contract import TemporaryRequest
from llm_ui.contract.trials import TrialRequest
from llm_ui.db import Database
from llm_ui.errors import BudgetSpent
from llm_ui.kit.ids import ChatId, MessageId, ModelId, RunId, UserId, uuid7
from llm_ui.models import LimitAction
from llm_ui.runs import context
from llm_ui.runs.asking import Asker
from llm_ui.runs.booking import set_aside
from llm_ui.runs.event_logs import EventLogs
from llm_ui.runs.live_run import LiveRun
from llm_ui.runs.passages import Found, Means, look_up
from llm_ui.runs.router import facts_of_text
from llm_ui.runs.splitting import Asking, split, split_instructions, told_of
from llm_ui.services import agents
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentInfo
from llm_ui.services.settings import TEMPORARY_CHATS, require_on
from llm_ui.services.targets import target as find_target
from llm_ui.services.turns import Turn, question_text


class TemporaryRuns:
    """Whose the temporary runs of this process are, for as long as their events are in memory."""

    def __init__(self, logs: EventLogs) -> None:
        self._logs = logs
        self._runs: dict[tuple[UserId, str], RunId] = {}

    def add(self, actor: Actor, key: str, run_id: RunId) -> None:
        """Take in a run that begins."""
        # Few are in memory at a time: what is gone is left out here.
        self._runs = {asked: run for asked, run in self._runs.items() if self._logs.find(run) is not None}
        self._runs[actor.user_id, key] = run_id

    def find(self, actor: Actor, key: str) -> RunId | None:
        """Return the run that was asked for with this key, while it is in memory."""
        run_id = self._runs.get((actor.user_id, key))
        return run_id if run_id is not None and self._logs.find(run_id) is not None else None

    def is_of(self, actor: Actor, run_id: RunId) -> bool:
        """Return whether this is a temporary run of the person, and in memory."""
        is_known = any(user_id == actor.user_id and run == run_id for (user_id, _), run in self._runs.items())
        return is_known and self._logs.find(run_id) is not None


@dataclass(frozen=True, slots=True)
class Came:
    """From whom a request came, as which, and when."""

    actor: Actor
    request_id: str
    at: float
    """Of the monotonic clock."""


async def prepare(database: Database, asker: Asker, means: Means, came: Came, request: TemporaryRequest) -> LiveRun:
    """Return a run that is stored nowhere. Raises our errors when it cannot be asked for."""
    actor = came.actor
    async with database.reading() as session:
        if not isinstance(request, TrialRequest):
            await require_on(session, TEMPORARY_CHATS)
        agent = await agents.answering(session, actor, None, request.agent_id)
        known = await agents.knowledge(session, actor, None, agent)
        if agent is not None:
            request = await agents.asked_of(session, actor, None, agent, request)
    turn = _turn(request, agent)
    # Outside: nobody's connection waits for a search.
    found = None if known is None else await look_up(database, means, actor, known, request)
    async with database.reading() as session:
        model_id = None if request.model_id is None else ModelId(request.model_id)
        target = await find_target(session, actor, model_id, may_choose=True)
        facts = facts_of_text(request.text, tools_off=request.tools_off)
        # Whoever tries a model out wants that one.
        if target.has_split and not isinstance(request, TrialRequest):
            target = await split(session, actor, target, Asking(facts))
        target = await asker.router.picked(session, actor, target, facts, stays=None)
        target = await asker.deployed(session, actor, target)
        if not isinstance(request, TrialRequest):
            turn = await split_instructions(session, actor, turn, target)
        sent = await context.build(session, actor, turn, target, _wanted(request, found))
    held_up: BudgetSpent | None = None
    warnings: tuple[str, ...] = ()
    try:
        # Of the team and the person: a temporary chat is in no project.
        most_usd = sent.most_usd(target)
        _, warnings = await set_aside(database, turn.run_id, most_usd, actor.user_id, None, model_id=target.model_id)
    except BudgetSpent as error:
        if error.leads_to != LimitAction.SWITCH and not target.others:
            raise
        held_up = error
    return LiveRun(
        turn=turn,
        target=target,
        context=replace(sent, manifest={**sent.manifest, **told_of(turn, target)}),
        actor=actor,
        temperature=request.temperature,
        max_tokens=request.max_tokens,
        request_id=came.request_id,
        received_at=came.at,
        known=known,
        time_zone=request.time_zone,
        is_stored=False,
        held_up=held_up,
        limit_note=" ".join(warnings),
    )


def _wanted(request: TemporaryRequest, found: Found | None) -> context.Wanted:
    """Return what it is to be sent with."""
    trial = request if isinstance(request, TrialRequest) else None
    return context.Wanted(
        request.max_tokens,
        without=context.NOT_SENT_IN_TEMPORARY if trial is None else context.NOT_SENT_IN_TRIAL,
        found=found,
        tools_off=request.tools_off,
        system="" if trial is None else trial.system,
    )


def _turn(request: TemporaryRequest, agent: AgentInfo | None) -> Turn:
    """Return a turn whose ids stand for nothing that is stored. Raises `InvalidInput` and `TooLarge`."""
    return Turn(
        run_id=RunId(uuid7()),
        chat_id=ChatId(uuid7()),
        question_id=MessageId(uuid7()),
        answer_id=MessageId(uuid7()),
        question=question_text(request.text),
        opening="",
        merged=(),
        before_id=None,
        title=None,
        system_prompt_id=None,
        agent=agent,
        was_with_agent=any(one.agent for one in request.earlier),
        said=tuple(one for one in request.earlier if one.text.strip()),
    )
