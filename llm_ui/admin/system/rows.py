"""The system as tiles, rows and strips."""

from typing import Any

from llm_ui.admin.overview.rows import GB, LOW_DISK
from llm_ui.admin.usage import words
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, later, ngettext, number
from llm_ui.services.system import Health, Process, System

Row = dict[str, Any]
MB = 1_000_000
LONG_DELAY_MS = 200.0
"""An event loop that keeps others waiting for so long is felt."""
NAMES = {"ui": later("Pages"), "api": later("LLM API"), "worker": later("Worker")}


def tiles(shown: System | None, free_bytes: int, free_share: float, versions: dict[str, str]) -> list[dict[str, str]]:
    """Return what is told first."""
    if shown is None:
        return []
    alive = [one for one in shown.processes if one.is_alive]
    room = "error" if free_share < LOW_DISK else ""
    others = ", ".join(f"{name} {version}" for name, version in versions.items() if name != "LLM UI")
    return [
        words.tile(_("Processes"), number(len(alive)), _megabytes(sum(one.memory_bytes for one in alive))),
        words.tile(_("Database"), _megabytes(shown.database_bytes), shown.database),
        words.tile(_("Free on the disk"), f"{number(free_bytes / GB, '.1f')} GB", words.share(free_share), room),
        words.tile(_("Version"), versions.get("LLM UI", ""), others),
    ]


def _at_work(one: Process) -> str:
    match one.name:
        case "ui":
            told = ngettext("{count} open page", "{count} open pages", one.at_work)
        case "api":
            told = ngettext("{count} answer", "{count} answers", one.at_work)
        case _:
            return ""
    return told.format(count=number(one.at_work))


def _megabytes(size: int) -> str:
    return f"{number(size / MB, ',.1f')} MB"


def process_columns() -> list[dict[str, str]]:
    """Return the columns of the processes."""
    return [
        {"key": "name", "label": _("Process")},
        {"key": "state", "label": _("State")},
        {"key": "since", "label": _("Since")},
        {"key": "work", "label": _("At work"), "align": "right"},
        {"key": "memory", "label": _("Memory"), "align": "right"},
        {"key": "cpu", "label": _("Processor"), "align": "right"},
        {"key": "delay", "label": _("Longest delay"), "align": "right"},
    ]


def processes(shown: System | None) -> list[Row]:
    """Return a row for each process."""
    return [_process(one) for one in (() if shown is None else shown.processes)]


def _process(one: Process) -> Row:
    slow = "error" if one.delay_ms >= LONG_DELAY_MS else ""
    state = {"text": _("Alive"), "tone": "ok"} if one.is_alive else {"text": _("Gone"), "tone": "quiet"}
    cells = {
        "name": {"text": _(NAMES.get(one.name, one.name)), "detail": one.where},
        "state": {**state, "detail": instant(one.reported_at)},
        "since": {"text": instant(one.started_at), "detail": one.version},
        "work": _at_work(one),
        "memory": _megabytes(one.memory_bytes),
        "cpu": words.share(one.cpu_share),
        "delay": {"text": words.seconds(one.delay_ms), "tone": slow},
    }
    name = f"{one.name} {one.where}"
    return {"id": name, "name": name, "cells": cells, "actions": []}


def strips(shown: System | None) -> list[dict[str, Any]]:
    """Return a strip for each provider: when its circuit was open in the last day."""
    return [
        {
            "name": one.name,
            "text": _told(one),
            "stretches": [{"share": part.share, "is_bad": part.is_open} for part in one.stretches],
        }
        for one in (() if shown is None else shown.providers)
    ]


def _told(one: Health) -> str:
    """Return how it did, and what its probes met."""
    if not one.probes:
        return _circuit(one)
    probes = ngettext("{n} probe", "{n} probes", one.probes).format(n=number(one.probes))
    met = _("{probes}, {failed} failed, {ms} ms on average").format(
        probes=probes, failed=number(one.failed_probes), ms=number(one.probe_ms, ",.0f")
    )
    return f"{_circuit(one)} · {met}"


def _circuit(one: Health) -> str:
    if not one.openings:
        return _("Is left alone now") if one.is_open else _("Well all the time")
    told = ngettext("Left alone {n} time", "Left alone {n} times", one.openings).format(n=number(one.openings))
    return _("{times}, now too").format(times=told) if one.is_open else told


def statement_columns() -> list[dict[str, str]]:
    """Return the columns of the slow statements."""
    return [
        {"key": "text", "label": _("Statement")},
        {"key": "count", "label": _("How often"), "align": "right"},
        {"key": "mean", "label": _("On average"), "align": "right"},
        {"key": "longest", "label": _("Longest"), "align": "right"},
        {"key": "last", "label": _("Last")},
    ]


def statements(shown: System | None) -> list[Row]:
    """Return a row for each slow statement."""
    return [
        {
            "id": one.id,
            "name": one.text[:40],
            "cells": {
                "text": one.text,
                "count": number(one.count),
                "mean": words.seconds(one.mean_ms),
                "longest": words.seconds(one.longest_ms),
                "last": instant(one.last_at),
            },
            "actions": [],
        }
        for one in (() if shown is None else shown.statements)
    ]


def size_columns() -> list[dict[str, str]]:
    """Return the columns of the tables' sizes."""
    return [
        {"key": "name", "label": _("Table or index")},
        {"key": "size", "label": _("Size"), "align": "right"},
    ]


def sizes(found: tuple[tuple[str, int], ...]) -> list[Row]:
    """Return a row for each table."""
    return [
        {"id": name, "name": name, "cells": {"name": name, "size": _megabytes(size)}, "actions": []}
        for name, size in found
    ]
