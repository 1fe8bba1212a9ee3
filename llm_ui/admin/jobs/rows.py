"""Jobs by the clock and files that are brought in, as rows of tables."""

from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from llm_ui.admin.usage import words
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, number, told
from llm_ui.models import JobKind, JobState
from llm_ui.services.clock_jobs import ClockJobInfo
from llm_ui.services.job_list import ListedJob

Row = dict[str, Any]
MINUTES = timedelta(minutes=5)
"""What is done so often is not worth asking for."""
NAMES = {
    "sweep_runs": later("End answers whose process is gone"),
    "add_up": later("Add up what was used"),
    "check_alerts": later("Look at the alert rules"),
    "run_asked": later("Do what is wanted before its time"),
    "purge": later("Clean up the database"),
    "purge_files": later("Clean up the files"),
    "verify_erasures": later("Verify deleted accounts"),
    "optimize": later("Refresh the database's statistics"),
}
KINDS = {JobKind.IMPORT: later("Bringing in chats")}
STATES = {
    JobState.QUEUED: later("Waits"),
    JobState.RUNNING: later("Running"),
    JobState.COMPLETED: later("Completed"),
    JobState.FAILED: later("Failed"),
    JobState.CANCELLED: later("Cancelled"),
}


def key_of(name: str) -> UUID:
    """Return what a page calls a job by the clock."""
    return uuid5(NAMESPACE_OID, name)


def clock_columns() -> list[dict[str, str]]:
    """Return the columns of the jobs by the clock."""
    return [
        {"key": "name", "label": _("Job")},
        {"key": "every", "label": _("When")},
        {"key": "last", "label": _("Last run")},
        {"key": "took", "label": _("Took"), "align": "right"},
        {"key": "state", "label": _("State")},
    ]


def clock_jobs(listed: tuple[ClockJobInfo, ...], may_act: bool) -> list[Row]:
    """Return a row for each job by the clock."""
    return [
        {
            "id": str(key_of(job.name)),
            "name": _(NAMES[job.name]),
            "cells": {
                "name": _(NAMES[job.name]),
                "every": _("Each minute") if job.every <= MINUTES else _("Each night"),
                "last": "" if job.started_at is None else instant(job.started_at),
                "took": words.seconds(job.took_ms),
                "state": _state(job),
            },
            "actions": [{"action": "run", "label": _("Run now")}]
            if may_act and job.every > MINUTES and not job.is_asked
            else [],
        }
        for job in listed
    ]


def _state(job: ClockJobInfo) -> dict[str, str]:
    if job.is_overdue:
        return {"text": _("Overdue"), "tone": "error", "detail": _("Is a worker running?")}
    if job.is_asked:
        return {"text": _("Runs within a minute"), "tone": "quiet"}
    if job.is_running:
        return {"text": _("Running"), "tone": "quiet"}
    if job.error is not None:
        return {"text": _("Failed"), "tone": "error", "detail": told(job.error)}
    return {"text": _("Well"), "tone": "ok"} if job.started_at else {"text": _("Not run yet"), "tone": "quiet"}


def job_columns() -> list[dict[str, str]]:
    """Return the columns of what is brought in."""
    return [
        {"key": "at", "label": _("When")},
        {"key": "who", "label": _("Person")},
        {"key": "kind", "label": _("What")},
        {"key": "progress", "label": _("Progress"), "align": "right"},
        {"key": "state", "label": _("State")},
    ]


def jobs(listed: tuple[ListedJob, ...], may_act: bool) -> list[Row]:
    """Return a row for each file that is brought in."""
    cancel = {"action": "cancel", "label": _("Cancel"), "tone": "danger"}
    return [
        {
            "id": str(job.id),
            "name": job.user_name,
            "cells": {
                "at": instant(job.at),
                "who": job.user_name,
                "kind": _(KINDS[job.kind]),
                "progress": f"{number(job.done)} / {number(job.total)}",
                "state": {
                    "text": _(STATES[job.state]),
                    "tone": "error" if job.state is JobState.FAILED else "",
                    "detail": told(job.error_message),
                },
            },
            "actions": [cancel] if may_act and job.may_be_cancelled else [],
        }
        for job in listed
    ]
