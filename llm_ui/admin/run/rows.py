"""One run as rows, bars and facts."""

from typing import Any

from llm_ui.admin.runs.listing import status
from llm_ui.admin.usage import words
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, number, told
from llm_ui.services.run_details import Content, RunDetails
from llm_ui.ui import auto_words, experiment_words
from llm_ui.ui.amounts import money
from llm_ui.ui.names import STRETCHES, shown_name


def facts(run: RunDetails | None) -> list[dict[str, Any]]:
    """Return what is known of the run, a fact a row."""
    if run is None:
        return []
    about = "{count}" if run.is_exact else _("about {count}")
    found: dict[str, Any] = {
        _("Person"): run.user_name or _("Gone by now"),
        _("When"): instant(run.at),
        _("Model"): {"text": run.model_name, "detail": run.provider_name},
        **dict(auto_words.facts(run.choice)),
        **dict(experiment_words.facts(run.experiments)),
        _("Kind of use"): _(words.KINDS[run.kind]),
        _("Ended"): status(run.status, run.error_code),
        _("Error"): told(run.error_message),
        _("Reason for the end"): "" if run.finish_reason == run.status.value else run.finish_reason,
        _("Attempts"): number(run.attempts) if run.attempts else "",
        _("Requests"): number(run.rounds) if run.rounds > 1 else "",
        _("Tokens in"): _counted(about, run.input_tokens),
        _("of these cached"): _counted("{count}", run.cached_tokens or None),
        _("Tokens out"): _counted(about, run.output_tokens),
        _("of these reasoning"): _counted("{count}", run.reasoning_tokens or None),
        _("Cost"): _("no price") if run.cost_usd is None else money(run.cost_usd),
        _("First token"): words.seconds(run.ttft_ms),
        _("In all"): words.seconds(run.total_ms),
        _("Tokens a second"): "" if run.tokens_per_second is None else number(run.tokens_per_second, ".1f"),
        _("Safety filters"): "; ".join(run.filtered),
        _("Request"): run.request_id,
        _("Provider's request"): run.provider_request_id,
    }
    return [
        {"id": name, "name": name, "cells": {"what": name, "value": value}, "actions": []}
        for name, value in found.items()
        if value
    ]


def _counted(about: str, tokens: int | None) -> str:
    return "" if tokens is None else about.format(count=number(tokens))


def stretches(run: RunDetails | None) -> list[dict[str, Any]]:
    """Return where the time went, one stretch after the other."""
    timings = () if run is None else run.timings
    return [
        {
            "name": _(STRETCHES[one.stretch]).format(name=shown_name(one.name)),
            "ms": one.ms,
            "text": words.seconds(one.ms),
        }
        for one in timings
    ]


def said(content: Content | None) -> list[dict[str, str]]:
    """Return what was said, and what the model saw."""
    if content is None:
        return []
    seen = [
        {"label": _("What the model saw: {name}").format(name=part.name or part.origin), "text": text}
        for part in content.parts
        for _speaker, text in part.texts
    ]
    ends = (_("Question"), content.question), (_("Answer"), content.answer)
    return [{"label": label, "text": text} for label, text in ends] + seen
