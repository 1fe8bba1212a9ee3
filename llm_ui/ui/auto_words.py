"""Why an *Auto* model has picked a model, in words."""

from decimal import Decimal

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import number, told
from llm_ui.services.auto_rules import Choice, Judged
from llm_ui.ui.amounts import price
from llm_ui.ui.names import shown_name


def facts(choice: Choice | None) -> list[tuple[str, str]]:
    """Return the choice with its reason, then what was known of each candidate; nothing where nothing was chosen."""
    if choice is None:
        return []
    why = (_("Picked by {name}").format(name=choice.auto), told(choice.why))
    return [why, *((f"{choice.auto}: {shown_name(one.model)}", line(one)) for one in choice.judged)]


def line(one: Judged) -> str:
    """Return what was known of a candidate, in a line."""
    if one.barred:
        return _("not possible: {reason}").format(reason=told(one.barred))
    known = [_("picked")] if one.is_picked else []
    known += [] if one.score is None else [_("score {score}").format(score=number(one.score, ".2f"))]
    known += [cost(one), quality(one), first(one)]
    return ", ".join(known)


def cost(one: Judged) -> str:
    """Return what a usual answer is likely to cost."""
    if one.cost_usd is None:
        return _("price unknown")
    amount = Decimal(one.cost_usd)
    return _("about {price}").format(price=price(amount)) if amount else _("free")


def quality(one: Judged) -> str:
    """Return the share of good ratings that is certain."""
    if one.quality is None:
        return _("not rated yet")
    return _("rated good by at least {share}").format(share=number(one.quality, ".0%"))


def first(one: Judged) -> str:
    """Return how soon it begins to answer."""
    return (
        _("speed not measured") if one.first_ms is None else _("begins after {ms} ms").format(ms=number(one.first_ms))
    )
