"""Where chats that come in are put: into projects of their person, on top of the list, into the archive."""

from dataclasses import replace
from typing import Any

from sqlalchemy import func

from llm_ui.db import Session
from llm_ui.errors import InvalidInput, filled
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.ids import ProjectId, uuid8
from llm_ui.models import ChatHistory
from llm_ui.services import memories, projects
from llm_ui.services.access import Actor, readable
from llm_ui.services.ai_models import list_models
from llm_ui.services.chats import MAX_PINNED
from llm_ui.services.cutting import set_cutting
from llm_ui.services.formats.base import ImportedChat, ImportedProject, Source, uuid_of
from llm_ui.services.import_progress import Progress
from llm_ui.services.retrieval import set_strategy

NOT_PINNED = to_tell("It came in, but is not pinned: {most} chats are, which is the most.")


class Places:
    """Projects and pins of a person, while some chats come in."""

    def __init__(self, session: Session, actor: Actor, progress: Progress) -> None:
        self._session = session
        self._actor = actor
        self.progress = progress
        self._found: dict[ImportedProject, ProjectId | None] = {}
        self._pinned: int | None = None

    async def columns(self, chat: ImportedChat) -> dict[str, Any]:
        """Return what the row of a new chat says about where it lies."""
        place = chat.place
        # As here, what is archived is not pinned.
        is_pinned = place.is_pinned and not place.is_archived and await self._may_pin(chat.title)
        return {
            "archived_at": now() if place.is_archived else None,
            "pinned_at": now() if is_pinned else None,
            "project_id": None if place.project is None else await self.project(place.project),
        }

    async def project(self, asked: ImportedProject) -> ProjectId | None:
        """Return the person's project that this one is, begun if need be; None when they have too many."""
        if asked not in self._found:
            ids = [ProjectId(uuid8(str(self._actor.user_id), asked.source.value, "project", asked.id))]
            if asked.source is Source.LLM_UI and (original := uuid_of(asked.id)) is not None:
                ids.append(ProjectId(original))
            try:
                found, is_new = await projects.find_or_begin(self._session, self._actor, ids, asked.name)
            except InvalidInput as refusal:
                self.progress.skip(asked.name, refusal.message)
                self._found[asked] = None
            else:
                self._found[asked] = found
                self.progress.projects_added += is_new
                if is_new:
                    await self._furnish(found, asked)
        return self._found[asked]

    async def _furnish(self, project_id: ProjectId, asked: ImportedProject) -> None:
        """Give a project that was begun what it had; its model is the one of that name here, if there is one."""
        models = await list_models(self._session, self._actor) if asked.settings.model_name else ()
        known = next((one.id for one in models if one.display_name == asked.settings.model_name), None)
        settings = replace(asked.settings, model_id=known)
        await projects.save(self._session, self._actor, project_id, asked.name, settings)
        await projects.let_memory_in(self._session, self._actor, project_id, is_in=asked.lets_memory_in)
        await set_cutting(self._session, self._actor, project_id, asked.cutting)
        await set_strategy(self._session, self._actor, project_id, asked.strategy)
        if asked.instructions:
            await projects.change(self._session, self._actor, project_id, instructions=asked.instructions)
        for fact in asked.facts:
            try:
                await memories.save(
                    self._session, self._actor, None, fact.text, is_on=fact.is_on, project_id=project_id
                )
            except InvalidInput as refusal:
                self.progress.skip(asked.name, refusal.message)
        await projects.archive(self._session, self._actor, project_id, is_archived=asked.is_archived)

    async def _may_pin(self, title: str) -> bool:
        if self._pinned is None:
            pinned = readable(ChatHistory, self._actor).where(ChatHistory.pinned_at.is_not(None))
            self._pinned = await self._session.scalar(pinned.with_only_columns(func.count())) or 0
        if self._pinned >= MAX_PINNED:
            self.progress.skip(title, filled(NOT_PINNED, {"most": MAX_PINNED}))
            return False
        self._pinned += 1
        return True
