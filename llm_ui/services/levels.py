"""What models are told ahead of every conversation, level by level; later ones are nearer to it and win."""

from collections.abc import Collection
from dataclasses import dataclass

from llm_ui.db import ReadSession
from llm_ui.kit.ids import ProjectId, PromptId
from llm_ui.services import teams
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentInfo
from llm_ui.services.experiment_rules import Assigned
from llm_ui.services.projects import instructions_of
from llm_ui.services.prompts import standing


@dataclass(frozen=True, slots=True)
class Level:
    """The instructions of one level."""

    origin: str
    """`instructions` for the platform's or those the chat has chosen, `team`, `personal`, `project` or `agent`."""
    name: str
    text: str


async def levels(
    session: ReadSession,
    actor: Actor,
    prompt_id: PromptId | None,
    project_id: ProjectId | None,
    *,
    agent: AgentInfo | None = None,
    without: Collection[str] = (),
    split: Assigned | None = None,
) -> tuple[Level, ...]:
    """Return the levels that hold something, the outermost first; those of `without` are left out.

    `split` is what an experiment gives in the place of the platform's instructions.
    """
    found: list[Level] = []
    prompt, own = await standing(session, actor, prompt_id)
    if "instructions" not in without and prompt is not None:
        text = prompt.text if split is None or not split.text else split.text
        found.append(Level("instructions", prompt.name, text))
    if "team" not in without:
        found.extend(Level("team", *told) for told in await teams.instructions_of(session, actor))
    if "personal" not in without and own is not None:
        found.append(Level("personal", own.name, own.text))
    if "project" not in without and project_id is not None:
        found.append(Level("project", *await instructions_of(session, actor, project_id)))
    if "agent" not in without and agent is not None:
        found.append(Level("agent", agent.name, agent.settings.instructions))
    return tuple(level for level in found if level.text)
