"""Prices of models as they are stored: those of now, and all that there were, with who set them and since when."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from llm_ui.db import ReadSession, Session
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId
from llm_ui.kit.money import plain
from llm_ui.models import AiModel, ModelPrice, PriceSource
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.prices import RATES, Prices, Tier

MOST = 20
"""That are shown of one model: the newest."""


@dataclass(frozen=True, slots=True)
class PastPrices:
    """What a model cost from an instant on."""

    valid_from: datetime
    changed_by: str
    """Empty where nobody knows."""
    source: PriceSource
    prices: Prices


def prices_of(row: AiModel | ModelPrice) -> Prices:
    """Return a model's prices."""
    rates = {rate: getattr(row, rate) for rate in RATES}
    return Prices(**rates, tiers=tuple(map(_tier, row.price_tiers or ())))


def columns(prices: Prices, source: PriceSource) -> dict[str, Any]:
    """Return prices as columns hold them; where there are none nobody knows their source."""
    return {
        **{rate: getattr(prices, rate) for rate in RATES},
        "price_tiers": [_stored(tier) for tier in prices.tiers] or None,
        "price_source": PriceSource.UNKNOWN if prices == Prices() else source,
    }


def change(session: Session, actor: Actor, row: AiModel, prices: Prices, source: PriceSource) -> None:
    """Set a model's prices from now on. The caller has asked for rights, and audits it."""
    for name, value in columns(prices, source).items():
        setattr(row, name, value)
    note(session, actor, row)


def note(session: Session, actor: Actor, row: AiModel) -> None:
    """Note what a model costs from now on."""
    known = columns(prices_of(row), row.price_source)
    session.add(ModelPrice(model_id=row.id, valid_from=now(), changed_by=actor.name, **known))


async def history(session: ReadSession, actor: Actor, model_id: ModelId) -> tuple[PastPrices, ...]:
    """Return what a model costs and has cost, the newest first, `MOST` at most."""
    require(actor, Permission.MANAGE_PROVIDERS)
    query = select(ModelPrice).where(ModelPrice.model_id == model_id).order_by(ModelPrice.valid_from.desc())
    rows = await session.scalars(query.limit(MOST))
    return tuple(PastPrices(row.valid_from, row.changed_by, row.price_source, prices_of(row)) for row in rows)


def told(prices: Prices) -> dict[str, object]:
    """Return prices as the audit log compares them."""
    tiers = "; ".join(f"> {tier.above_tokens}: {' / '.join(_told(tier))}" for tier in prices.tiers)
    return {**{rate: getattr(prices, rate) for rate in RATES}, "price_tiers": tiers}


def _told(tier: Tier) -> Iterable[str]:
    return ("-" if value is None else plain(value) for value in (getattr(tier, rate) for rate in RATES))


def _stored(tier: Tier) -> dict[str, Any]:
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in asdict(tier).items()}


def _tier(stored: dict[str, Any]) -> Tier:
    rates = {rate: None if stored[rate] is None else Decimal(stored[rate]) for rate in RATES}
    return Tier(**rates, above_tokens=stored["above_tokens"])
