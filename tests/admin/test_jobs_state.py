"""The page of jobs: what failed is tried again, what waits is ended, and nothing is told of what documents hold."""

from sqlalchemy import update

from llm_ui.admin.jobs import rows
from llm_ui.admin.jobs.listing import DOCUMENTS
from llm_ui.admin.jobs.state import JobsState
from llm_ui.errors import Forbidden
from llm_ui.kit.clock import now
from llm_ui.kit.ids import JobId, uuid7
from llm_ui.models import ClockJob, Document, DocumentStage, JobKind, Role
from llm_ui.services import clock_jobs, ingestion, jobs
from llm_ui.services.access import Actor
from tests.admin.conftest import ContextOf
from tests.conftest import make_actor
from tests.documents.ready import a_project, received


async def test_an_administrator_retries_and_cancels_what_an_operator_only_sees(
    context_of: ContextOf, an_admin: Actor, a_user: Actor
) -> None:
    database = context_of(an_admin).backend.database
    operator = await make_actor(database, "olga", Role.OPERATOR)
    document = await received(database, a_user, await a_project(database, a_user), "Secret plans.txt")
    job_id = JobId(uuid7())
    async with database.writing() as session:
        await jobs.begin(session, a_user, job_id, JobKind.IMPORT, "chats.zip")
        await session.execute(update(Document).values(stage=DocumentStage.FAILED, error_message="It is empty."))
    state, watching = JobsState(context_of(an_admin)), JobsState(context_of(operator))
    await watching.look("?stage=failed")
    await state.look("?stage=failed")

    (line,) = DOCUMENTS.drawn_rows(watching.found.items)
    assert (line["cells"]["who"], line["cells"]["stage"]["detail"]) == (a_user.name, "It is empty.")
    assert "Secret" not in str(line)
    assert rows.jobs(watching.jobs, watching.may_act)[0]["actions"] == []
    await watching.retry_document(document.id)
    await watching.cancel_job(job_id)
    assert watching.error == Forbidden().message
    await state.retry_document(document.id)
    assert (state.error, state.found.total) == ("", 0)
    async with database.writing() as session:
        held = await ingestion.claim(session)
    await state.look("")
    assert DOCUMENTS.drawn_rows(state.found.items)[0]["cells"]["stage"]["text"] == "Is being read"

    await state.cancel_document(document.id)
    await state.cancel_job(job_id)
    await state.follow()

    assert state.found.items[0].stage is DocumentStage.FAILED
    assert rows.jobs(state.jobs, state.may_act)[0]["cells"]["state"]["text"] == "Cancelled"
    async with database.writing() as session:
        assert held is not None
        assert not await ingestion.beat(session, held), "who reads it is told to stop"


async def test_what_the_clock_should_have_done_is_overdue(context_of: ContextOf, an_admin: Actor) -> None:
    state = JobsState(context_of(an_admin))
    late = now() - clock_jobs.GRACE - clock_jobs.EVERY["add_up"]
    async with context_of(an_admin).backend.database.writing() as session:
        session.add(ClockJob(name="add_up", started_at=late, finished_at=late))
        session.add(ClockJob(name="purge", started_at=late, finished_at=late, error="It broke."))
    await state.look("")
    await state.run(rows.key_of("optimize"))
    await state.run(rows.key_of("nothing"))

    shown = {row["name"]: row["cells"]["state"]["text"] for row in rows.clock_jobs(state.clock, may_act=True)}

    assert state.error == "There is no such job. Reload the page."
    assert shown == {
        "End answers whose process is gone": "Not run yet", "Add up what was used": "Overdue",
        "Look at the alert rules": "Not run yet", "Do what is wanted before its time": "Not run yet",
        "Clean up the database": "Failed",
        "Clean up the files": "Not run yet", "Refresh the database's statistics": "Runs within a minute",
        "Verify deleted accounts": "Not run yet",
    }  # fmt: skip
