"""What a model that is tried out has done, in figures and words."""

from decimal import Decimal
from typing import Any

from llm_ui.admin.usage import words
from llm_ui.contract import CompleteEvent, ErrorEvent, StartEvent, Usage
from llm_ui.contract.probes import EmbeddingTest
from llm_ui.contract.stand_ins import StandInEvent
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later, number, told
from llm_ui.services.ai_models import ModelInfo
from llm_ui.ui.amounts import money
from llm_ui.ui.names import shown_name

REMARKS = {
    "length": later("Ended at the length limit."),
    "content_filter": later("Ended by the provider's content filter."),
    "empty": later("The model gave an empty answer."),
    "cap": later("Ended by this server's limit."),
    "stopped": later("Stopped."),
}


def of_answer(event: CompleteEvent | ErrorEvent, by: StartEvent | StandInEvent | None) -> dict[str, Any]:
    """Return what the panel shows of an answer that has ended."""
    metrics, usage = event.metrics, event.usage
    speed = metrics.tokens_per_second
    figures = {
        _("Answered by"): "" if by is None else f"{shown_name(by.model_name)} · {by.provider_name}",
        _("In place of"): "" if by is None else shown_name(by.instead_of),
        _("First token"): "" if metrics.ttft_ms is None else words.seconds(metrics.ttft_ms),
        _("Tokens a second"): "" if speed is None else number(speed, ".1f"),
        _("In all"): "" if metrics.total_ms is None else words.seconds(metrics.total_ms),
        **_tokens(usage),
        _("Cost"): _cost(event.cost_usd),
    }
    if isinstance(event, ErrorEvent):
        return {"figures": _listed(figures), "problem": told(event.error.message)}
    remark = REMARKS.get("stopped" if event.status == "stopped" else event.finish_reason, "")
    limit = "" if by is None else told(by.limit_note)
    return {"figures": _listed(figures), "remark": " ".join(filter(None, [remark and _(remark), limit]))}


def of_vector(made: EmbeddingTest, model_name: str, provider_name: str) -> list[dict[str, str]]:
    """Return the figures of a vector."""
    first = "  ".join(number(one, ".4f") for one in made.first)
    dimensions = made.dimensions or 0
    figures = {
        _("Answered by"): f"{model_name} · {provider_name}",
        _("Numbers of the vector"): number(dimensions),
        _("The first of them"): f"{first} …" if dimensions > len(made.first) else first,
        _("In all"): words.seconds(made.took_ms),
        **({} if made.usage is None else _tokens(made.usage, is_answer=False)),
        _("Cost"): _cost(made.cost_usd),
    }
    return _listed(figures)


def texts(model: ModelInfo | None) -> dict[str, Any]:
    """Return what the panel of a model says and has fields for."""
    if model is None:
        return {"title": "", "makes_embeddings": False, "sentence": ""}
    sentence = _("Asked as every model is, with limits, budgets and safety filters; it is booked on you as temporary.")
    return {
        "title": _("Try {name}").format(name=shown_name(model.display_name)),
        "makes_embeddings": model.makes_embeddings,
        "sentence": sentence,
    }


def _tokens(usage: Usage, *, is_answer: bool = True) -> dict[str, str]:
    about = "{count}" if usage.source == "provider" else _("about {count}")
    counted = {_("Tokens in"): usage.input_tokens}
    if is_answer:
        counted |= {_("of these cached"): usage.cached_tokens, _("Tokens out"): usage.output_tokens}
        counted |= {_("of these reasoning"): usage.reasoning_tokens}
    return {label: about.format(count=number(count)) for label, count in counted.items() if count}


def _cost(usd: str | None) -> str:
    return _("no price") if usd is None else money(Decimal(usd))


def _listed(figures: dict[str, str]) -> list[dict[str, str]]:
    return [{"label": label, "text": text} for label, text in figures.items() if text]
