"""The form of one model."""

from typing import Any

from llm_ui.admin.models.rows import price
from llm_ui.admin.models.state import EDIT, OFF, REMOVE, STAND_INS
from llm_ui.admin.numbers import place_field
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, ngettext, number
from llm_ui.models import Balancing, CacheMode, PriceSource
from llm_ui.services.ai_models import ModelInfo
from llm_ui.services.cached_answers import GAINED_DAYS, Gained, Kept
from llm_ui.services.price_history import PastPrices
from llm_ui.services.prices import RATES
from llm_ui.ui.amounts import money
from llm_ui.ui.names import shown_name


def fields(
    sheet: str, model: ModelInfo | None, others: tuple[ModelInfo, ...], history: tuple[PastPrices, ...]
) -> list[dict[str, Any]]:
    """Return the fields of the open form; `others` may stand in for the model."""
    if sheet != EDIT:
        return []
    return [
        {"name": "display_name", "label": _("Name"), "type": "text"},
        place_field(),
        _tokens("context_window", _("Context window, in tokens"), _("Unknown")),
        _tokens("max_output_tokens", _("Longest answer, in tokens"), _("As the provider decides")),
        {
            "name": "can_see_images",
            "label": _("Images"),
            "type": "select",
            "options": [
                {"value": "yes", "label": _("It can see them")},
                {"value": "no", "label": _("It cannot see them")},
            ],
        },
        {
            "name": "can_use_tools",
            "label": _("Tools"),
            "type": "select",
            "options": [
                {"value": "yes", "label": _("It can use them")},
                {"value": "no", "label": _("It cannot use them")},
            ],
        },
        {
            "name": "makes_embeddings",
            "label": _("Used for"),
            "type": "select",
            "options": [
                {"value": "no", "label": _("Answers in chats")},
                {"value": "yes", "label": _("Embeddings: search in documents")},
            ],
        },
        _price("input_price", _("Input, dollars per million tokens"), _("Unknown")),
        _price("cached_price", _("Cached input, dollars per million tokens"), _("As other input")),
        _price("output_price", _("Output, dollars per million tokens"), _("Unknown")),
        _price("reasoning_price", _("Reasoning, dollars per million tokens"), _("As other output")),
        *_history(history),
        _seconds("first_byte_s", _("Seconds until an answer begins")),
        _seconds("total_s", _("Seconds for a whole answer")),
        *_cache(model),
        *_stand_ins(model, others),
        *_share(model, others),
    ]


def _history(history: tuple[PastPrices, ...]) -> list[dict[str, Any]]:
    """Return what the model costs and has cost, those of long prompts below."""
    if not history:
        return []
    columns = [_("From"), _("Input"), _("Cached"), _("Output"), _("Reasoning")]
    rows = [row for past in history for row in _past(past)]
    return [
        {"name": "history", "label": _("Prices so far; what was used is paid at the price of its moment"),
         "type": "table", "columns": columns, "rows": rows}
    ]  # fmt: skip


def _past(past: PastPrices) -> list[list[dict[str, str]]]:
    by = past.changed_by if past.source is PriceSource.ADMIN else _("Public list")
    first = {"text": instant(past.valid_from), "detail": by if past.source is not PriceSource.UNKNOWN else ""}
    tiers = (
        ({"text": "", "detail": _("More than {n} tokens sent").format(n=number(tier.above_tokens))}, tier)
        for tier in past.prices.tiers
    )
    return [
        [named, *({"text": price(getattr(rates, rate))} for rate in RATES)]
        for named, rates in ((first, past.prices), *tiers)
    ]


def _cache(model: ModelInfo | None) -> list[dict[str, Any]]:
    """Return whether answers are kept; nothing for a model that answers nobody."""
    if model is None or model.makes_embeddings:
        return []
    labels = {
        CacheMode.OFF: _("No"),
        CacheMode.OWN: _("Yes, for whoever asked, in the same project"),
        CacheMode.SHARED: _("Yes, for everybody who may ask it"),
    }
    return [
        {
            "name": "cache_mode",
            "label": _("Give an answer again to the same question"),
            "type": "select",
            "options": [{"value": mode.value, "label": label} for mode, label in labels.items()],
            "hint": _("It costs nothing then, and the chat says so. How long answers are kept is a setting."),
        },
        {
            "name": "cache_similar",
            "label": _("Give a kept answer to a question that means the same, too"),
            "type": "select",
            "options": [{"value": "no", "label": _("No")}, {"value": "yes", "label": _("Yes")}],
            "hint": _(
                "It takes an embedding model. Numbers, names, negations and the order of words have to be the same; "
                "how near questions have to be is a setting."
            ),
        },
    ]


def _stand_ins(model: ModelInfo | None, others: tuple[ModelInfo, ...]) -> list[dict[str, Any]]:
    """Return who is asked where the model does not answer; nothing for one that answers nobody."""
    if model is None or model.makes_embeddings:
        return []
    able = [one for one in others if one.id != model.id]
    nobody = {"value": "", "label": _("Nobody")}
    options = [nobody, *({"value": str(one.id), "label": _in_full(one)} for one in able)]
    hint = _("It is asked before the first word of an answer, and the chat says so. What is used is paid at its price.")
    labels = _("If it does not answer, ask"), _("If that one does not answer either, ask"), _("And last, ask")
    hedge = _seconds("hedge_s", _("Seconds of silence until the first of them is asked beside it"))
    hedge["hint"] = _(
        "Whoever says something first answers, also one that shares its name, and the other is given up. "
        "A provider may charge what it was given up on; figures here count who answered."
    )
    return [
        *(
            {"name": name, "label": label, "type": "select", "options": options, "hint": hint if not place else ""}
            for place, (name, label) in enumerate(zip(STAND_INS, labels, strict=True))
        ),
        hedge,
    ]


def _share(model: ModelInfo | None, others: tuple[ModelInfo, ...]) -> list[dict[str, Any]]:
    """Return under whose name the model serves, and how questions are shared out; nothing for one that answers none."""
    if model is None or model.makes_embeddings:
        return []
    own = {"value": "", "label": _("Its own name")}
    return [
        {
            "name": "serves",
            "label": _("It is asked under"),
            "type": "select",
            "options": [own, *({"value": str(one.id), "label": _in_full(one)} for one in others if one.id != model.id)],
            "hint": _(
                "For one model that several providers have: people pick one name, and the questions are shared out. "
                "What is used is paid at the price of who answers."
            ),
        },
        {"name": "weight", "label": _("How often, beside others of its name"), "inputmode": "numeric"},
        {
            "name": "balancing",
            "label": _("Those of its name share questions by"),
            "type": "select",
            "hint": _("It is set on the model whose name it is."),
            "options": [
                {"value": Balancing.WEIGHT.value, "label": _("How often each is to be asked")},
                {"value": Balancing.LATENCY.value, "label": _("How soon each begins to answer")},
                {"value": Balancing.QUOTA.value, "label": _("What is left of each one's allowance")},
            ],
        },
    ]


def _in_full(model: ModelInfo) -> str:
    off = "" if model.is_enabled and model.is_provider_enabled else f" ({_('Off')})"
    return f"{shown_name(model.display_name)} · {model.provider_name}{off}"


def buttons(sheet: str) -> list[dict[str, str]]:
    """Return the buttons of the open form; Enter presses the first."""
    keep = {"action": "close", "label": _("Leave it as it is")}
    shown = {
        EDIT: [
            {"action": "save", "label": _("Save")},
            {"action": "use_list_prices", "label": _("Use list prices")},
            {"action": "limits", "label": _("Limits …")},
            {"action": "clear_cache", "label": _("Forget kept answers")},
            {"action": "ask_remove", "label": _("Remove"), "tone": "quiet danger"},
        ],
        OFF: [keep, {"action": "switch_off", "label": _("Switch off"), "tone": "quiet danger"}],
        REMOVE: [keep, {"action": "remove", "label": _("Remove"), "tone": "quiet danger"}],
    }
    return shown.get(sheet, [])


def values(**held: str) -> dict[str, str]:
    """Return what the fields hold."""
    return held


def title(sheet: str, model: ModelInfo | None) -> str:
    """Return what the open form is about."""
    titles = {EDIT: _("Edit {name}"), OFF: _("Switch {name} off?"), REMOVE: _("Remove {name}?")}
    return "" if model is None else titles.get(sheet, "").format(name=model.name)


def text(sheet: str, model: ModelInfo | None, consequences: str, kept: Kept, gained: Gained) -> str:
    """Return the sentences above the fields."""
    return consequences if sheet in (OFF, REMOVE) else _source(model, kept, gained)


def tone(sheet: str) -> str:
    """Return how these look."""
    return "warning" if sheet in (OFF, REMOVE) else "plain"


def _source(model: ModelInfo | None, kept: Kept, gained: Gained) -> str:
    """Return where the prices of a model come from, how many of its answers are kept, and what they were good for."""
    if model is None:
        return ""
    told = [_price_source(model)]
    if kept.answers:
        words = ngettext("{count} answer is kept.", "{count} answers are kept.", kept.answers)
        told.append(words.format(count=number(kept.answers)))
    return " ".join([*told, *_gained(gained)])


def _gained(gained: Gained) -> list[str]:
    """Return what kept answers were good for; nothing where none was given."""
    if not gained.hits:
        return []
    words = ngettext(
        "In {days} days {hits} of {count} question ({share} %) was given a kept answer, which saved {saved}.",
        "In {days} days {hits} of {count} questions ({share} %) were given a kept answer, which saved {saved}.",
        gained.requests,
    )
    share = number(100 * gained.hits / gained.requests, ".0f") if gained.requests else "0"
    figures = {"hits": number(gained.hits), "count": number(gained.requests), "share": share}
    told = [words.format(days=GAINED_DAYS, saved=money(gained.saved_usd), **figures)]
    if gained.similar:
        words = _("Of these, {count} to a question that means the same ({saved}); {bad} of them were rated as bad.")
        saved = money(gained.similar_saved_usd)
        told.append(words.format(count=number(gained.similar), saved=saved, bad=number(gained.false)))
    return told


def _price_source(model: ModelInfo) -> str:
    source = {
        PriceSource.LIST: _("These prices come from the bundled public list."),
        PriceSource.ADMIN: _("These prices were set by hand."),
        PriceSource.UNKNOWN: _("No price is known, so answers are shown without their cost."),
    }[model.price_source]
    flat = _("Long prompts cost more, as listed below; a price that is changed here holds for prompts of any length.")
    return f"{source} {flat}" if model.prices.tiers else source


def _tokens(name: str, label: str, placeholder: str) -> dict[str, Any]:
    return {"name": name, "label": label, "placeholder": placeholder, "inputmode": "numeric"}


def _seconds(name: str, label: str) -> dict[str, Any]:
    return {"name": name, "label": label, "placeholder": _("As for its provider"), "inputmode": "decimal"}


def _price(name: str, label: str, placeholder: str) -> dict[str, Any]:
    return {"name": name, "label": label, "placeholder": placeholder, "inputmode": "decimal"}
