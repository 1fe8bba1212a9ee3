"""What the page of jobs shows, and what an administrator can do on it."""

from uuid import UUID

import param

from llm_ui.admin.jobs.listing import DOCUMENTS
from llm_ui.admin.jobs.rows import key_of
from llm_ui.admin.listing.state import ListState
from llm_ui.admin.state import action
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import DocumentId, JobId
from llm_ui.services import clock_jobs, job_list
from llm_ui.services.access import Actor, Permission


class JobsState(ListState):
    """Jobs by the clock, files that are brought in, and the list of documents that are not ready."""

    clock = param.ClassSelector(class_=tuple, default=(), doc="The jobs by the clock.")
    jobs = param.ClassSelector(class_=tuple, default=(), doc="What is brought in.")
    may_act = param.Boolean(default=False, doc="Whether the person may run, retry and cancel.")

    listing = DOCUMENTS

    async def follow(self) -> None:
        """Look again, without a sign of work."""
        if self.is_read:
            await self.quietly(self.reload)

    async def reload(self, actor: Actor) -> None:
        """Read everything again."""
        async with self.context.backend.database.reading() as session:
            clock = await clock_jobs.list_jobs(session, actor)
            jobs = await job_list.list_jobs(session, actor)
        self.param.update(clock=clock, jobs=jobs, may_act=actor.may(Permission.MANAGE_SETTINGS))
        await super().reload(actor)

    @action
    async def run(self, actor: Actor, key: UUID) -> None:
        """Have a job done before its time."""
        name = next((job.name for job in self.clock if key_of(job.name) == key), "")
        async with self.context.backend.database.writing() as session:
            await clock_jobs.ask(session, actor, name)
        self.said = _("It runs within a minute.")
        await self.reload(actor)

    @action
    async def cancel_job(self, actor: Actor, job_id: UUID) -> None:
        """Let what is brought in end."""
        async with self.context.backend.database.writing() as session:
            await job_list.cancel_job(session, actor, JobId(job_id))
        self.said = _("It is cancelled; what it has done stays.")
        await self.reload(actor)

    @action
    async def retry_document(self, actor: Actor, document_id: UUID) -> None:
        """Have a document read once more."""
        async with self.context.backend.database.writing() as session:
            await job_list.retry_document(session, actor, DocumentId(document_id))
        self.said = _("It is read once more.")
        await self.reload(actor)

    @action
    async def cancel_document(self, actor: Actor, document_id: UUID) -> None:
        """Let a document not be read."""
        async with self.context.backend.database.writing() as session:
            await job_list.cancel_document(session, actor, DocumentId(document_id))
        self.said = _("It is not read any more.")
        await self.reload(actor)
