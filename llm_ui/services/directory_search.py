"""What directories look for, as conditions of SQL: attributes, compared with values, joined."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, true

from llm_ui.errors import InvalidInput
from llm_ui.kit.text import name_key


class Comparison(StrEnum):
    """How an attribute is compared: RFC 7644 table 3."""

    EQUAL = "eq"
    NOT_EQUAL = "ne"
    CONTAINS = "co"
    STARTS_WITH = "sw"
    ENDS_WITH = "ew"
    PRESENT = "pr"
    GREATER = "gt"
    GREATER_OR_EQUAL = "ge"
    LESS = "lt"
    LESS_OR_EQUAL = "le"


ORDERED = {
    Comparison.GREATER: operator.gt,
    Comparison.GREATER_OR_EQUAL: operator.ge,
    Comparison.LESS: operator.lt,
    Comparison.LESS_OR_EQUAL: operator.le,
}


@dataclass(frozen=True, slots=True)
class Compared:
    """An attribute, compared with a value; None: with none."""

    attribute: str
    comparison: Comparison
    value: Any = None


@dataclass(frozen=True, slots=True)
class Opposite:
    """Whatever does not fit a condition."""

    of: "Condition"


@dataclass(frozen=True, slots=True)
class Joined:
    """Whatever fits all of some conditions, or any of them."""

    terms: "tuple[Condition, ...]"
    is_all: bool


Condition = Compared | Opposite | Joined


class NotAsked(InvalidInput):
    """What is asked for is not kept, or cannot be compared in this way."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """What an attribute is compared by."""

    column: Any
    """None: it can only be asked whether it is one value, by `same`."""
    as_stored: Callable[[Any], Any] = lambda value: value
    """Turns what is asked for into what the column holds. Raises `ValueError` for what none can be."""
    is_text: bool = False
    same: Callable[[Any], ColumnElement[bool]] | None = None


def folded(column: Any) -> Attribute:
    """Return how names and addresses are compared: by their keys."""
    return Attribute(column, name_key, is_text=True)


def by_id(column: Any) -> Attribute:
    """Return how ids are compared."""
    return Attribute(column, UUID)


def where(condition: Condition, attributes: Mapping[str, Attribute]) -> ColumnElement[bool]:
    """Return a condition as SQL. Raises `NotAsked`."""
    match condition:
        case Opposite(of):
            # What is not there does not fit what is asked inside, so it fits the opposite.
            return not_(func.coalesce(where(of, attributes), false()))
        case Joined(terms, is_all):
            found = [where(term, attributes) for term in terms]
            return and_(*found) if is_all else or_(*found)
    attribute = attributes.get(condition.attribute)
    if attribute is None or (attribute.same is not None and condition.comparison is not Comparison.EQUAL):
        raise _not_asked(condition)
    return _compared(condition, attribute)


def _compared(condition: Compared, attribute: Attribute) -> ColumnElement[bool]:
    comparison, column = condition.comparison, attribute.column
    if condition.value is None:
        return _absent(condition, attribute)
    try:
        value = attribute.as_stored(condition.value)
    except (ValueError, TypeError, AttributeError):
        # An id that cannot be one is nobody's.
        return false() if comparison is Comparison.EQUAL else true()
    match comparison:
        case Comparison.EQUAL:
            return _sql(column == value) if attribute.same is None else attribute.same(value)
        case Comparison.NOT_EQUAL:
            return _sql(column.is_distinct_from(value))
        case Comparison.CONTAINS if attribute.is_text:
            return _sql(column.contains(value, autoescape=True))
        case Comparison.STARTS_WITH if attribute.is_text:
            return _sql(column.startswith(value, autoescape=True))
        case Comparison.ENDS_WITH if attribute.is_text:
            return _sql(column.endswith(value, autoescape=True))
        case _ if comparison in ORDERED and not isinstance(value, UUID):
            return _sql(ORDERED[comparison](column, value))
    raise _not_asked(condition)


def _absent(condition: Compared, attribute: Attribute) -> ColumnElement[bool]:
    match condition.comparison:
        case Comparison.EQUAL if attribute.same is None:
            return _sql(attribute.column.is_(None))
        case Comparison.NOT_EQUAL:
            return _sql(attribute.column.is_not(None))
        case Comparison.PRESENT:
            there = _sql(attribute.column.is_not(None))
            return there & (attribute.column != "") if attribute.is_text else there
    raise _not_asked(condition)


def _sql(found: Any) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = found
    return condition


def _not_asked(condition: Compared) -> NotAsked:
    return NotAsked(
        "{attribute} cannot be asked for with {comparison} here. See /Schemas for what is kept.",
        attribute=condition.attribute,
        comparison=condition.comparison.value,
    )
