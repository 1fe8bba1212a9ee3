"""Experiments as values: their variants, who gets which, and what an answer keeps of that."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any
from uuid import UUID

from llm_ui.kit.ids import ExperimentId, ModelId, PromptId
from llm_ui.models import Experiment, ExperimentState, Sticky

KEYS = "abcd"
"""Of the variants. The first is what is split, as it is."""
MOST_VARIANTS = len(KEYS)


@dataclass(frozen=True, slots=True)
class Variant:
    """One of the ways."""

    key: str
    name: str
    """Of its model when it was set, or how its text begins."""
    weight: int
    model_id: ModelId | None = None
    text: str = ""
    """The instructions; empty for the first variant, which are told as they stand."""

    def stored(self) -> dict[str, Any]:
        """Return it as a row keeps it."""
        model_id = None if self.model_id is None else str(self.model_id)
        return {"key": self.key, "name": self.name, "weight": self.weight, "model_id": model_id, "text": self.text}


@dataclass(frozen=True, slots=True)
class Plan:
    """An experiment as answers go by it."""

    id: ExperimentId
    name: str
    model_id: ModelId | None
    prompt_id: PromptId | None
    variants: tuple[Variant, ...]
    sticky: Sticky
    starts_at: datetime | None
    ends_at: datetime | None
    state: ExperimentState
    promoted: str

    def is_on(self, instant: datetime) -> bool:
        """Return whether answers go by it at an instant."""
        if self.state is ExperimentState.PROMOTED:
            return True
        has_begun = self.starts_at is None or self.starts_at <= instant
        return self.state is ExperimentState.RUNNING and has_begun and not self.is_over(instant)

    def is_over(self, instant: datetime) -> bool:
        """Return whether its time is over."""
        return self.ends_at is not None and self.ends_at <= instant

    def variant(self, key: str) -> Variant | None:
        """Return one of the variants."""
        return next((one for one in self.variants if one.key == key), None)

    def of(self, unit: UUID) -> Variant:
        """Return what a person, or a chat, gets: all the same where one was promoted."""
        return self.variant(self.promoted) or drawn(self.id, self.variants, unit)

    def possible(self) -> tuple[Variant, ...]:
        """Return what anybody may get now."""
        promoted = self.variant(self.promoted)
        return self.variants if promoted is None else (promoted,)


@dataclass(frozen=True, slots=True)
class Assigned:
    """What an answer got in an experiment."""

    experiment_id: ExperimentId
    experiment: str
    variant: str = ""
    """Empty: it took no part."""
    name: str = ""
    """Of the variant."""
    aside: str = ""
    """Why it took no part, in English (`kit/i18n.py: told`)."""
    is_promoted: bool = False
    """Whether all get this variant, for it was promoted: nothing is compared any more."""
    is_again: bool = False
    """Whether somebody wanted another answer to the same question."""
    model_id: ModelId | None = None
    """Of the variant's model; None: instructions are split, or it took no part."""
    text: str = ""
    """Of the variant's instructions; empty: those that stand."""

    def listed(self) -> dict[str, Any]:
        """Return it as a run keeps it."""
        return {
            "experiment_id": str(self.experiment_id),
            "experiment": self.experiment,
            "variant": self.variant,
            "name": self.name,
            "aside": self.aside,
            "is_promoted": self.is_promoted,
            "is_again": self.is_again,
            "model_id": None if self.model_id is None else str(self.model_id),
        }


def assigned_of(kept: Sequence[dict[str, Any]] | None) -> tuple[Assigned, ...]:
    """Return what a run keeps."""
    return tuple(
        Assigned(
            **{
                **one,
                "experiment_id": ExperimentId(UUID(one["experiment_id"])),
                "model_id": ModelId(UUID(one["model_id"])) if one["model_id"] else None,
            }
        )
        for one in kept or ()
    )


def plan_of(row: Experiment) -> Plan:
    """Return an experiment as answers go by it."""
    variants = tuple(
        Variant(
            one["key"], one["name"], one["weight"], ModelId(UUID(one["model_id"])) if one["model_id"] else None,
            one["text"],
        )
        for one in row.variants
    )  # fmt: skip
    return Plan(
        row.id, row.name, row.model_id, row.prompt_id, variants, row.sticky, row.starts_at, row.ends_at, row.state,
        row.promoted,
    )  # fmt: skip


def drawn(experiment_id: ExperimentId, variants: Sequence[Variant], unit: UUID) -> Variant:
    """Return the variant of a person, or of a chat: by their weights, and always the same one at the same weights.

    From a hash of both ids, so that of two experiments neither says anything of the other, and nothing is stored. Where
    a weight grows, only as many get another variant as have to.
    """
    digest = hashlib.sha256(f"{experiment_id}:{unit}".encode()).digest()
    total = sum(one.weight for one in variants)
    place = int.from_bytes(digest[:8], "big") * total >> 64
    bounds = accumulate(one.weight for one in variants)
    return next(one for one, bound in zip(variants, bounds, strict=True) if place < bound)
