"""Safety filters of the workspace or of a team: the part of their pages that is the same."""

from typing import Any, ClassVar
from uuid import UUID, uuid5

import param

from llm_ui.admin.state import AdminState, required
from llm_ui.errors import InvalidInput
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import later
from llm_ui.kit.ids import ProviderId, TeamId
from llm_ui.models import FilterAction, FilterKind
from llm_ui.services import filters
from llm_ui.services.access import Actor
from llm_ui.services.filter_words import ACTIONS, KINDS, WHATS
from llm_ui.services.filters import ON_INPUT, ON_OUTPUT, PII_TYPES, Options, Rule

FILTER = "filter"
ABOUT = {
    FilterKind.INJECTION: later(
        "What tries to talk a model out of its instructions, by phrases that are known for it."
    ),
    FilterKind.PII: later("Addresses and numbers of people; numbers with a check digit only when it is right."),
    FilterKind.SECRETS: later("Keys of well-known services, private keys, signed and random tokens, passwords."),
    FilterKind.TERMS: later("Words and phrases of a list, whatever their case."),
    FilterKind.MODERATION: later("What a provider's moderation endpoint flags; it is sent what is asked, masked."),
}
OPEN, CLOSED = "open", "closed"
_IDS = UUID("6f0c8ad2-52f7-4b7e-9f3c-0d1f2b7a9c46")
Row = dict[str, Any]
Field = dict[str, Any]


def id_of(kind: str) -> UUID:
    """Return what stands for a kind in a row."""
    return uuid5(_IDS, kind)


def columns() -> list[dict[str, str]]:
    """Return the columns of the filters."""
    return [
        {"key": "filter", "label": _("Filter")},
        {"key": "on_input", "label": _("What is sent")},
        {"key": "on_output", "label": _("Answers")},
    ]


def rows(rules: tuple[Rule, ...], *, may_change: bool = True) -> list[Row]:
    """Return a row for each kind."""
    return [
        {
            "id": str(id_of(rule.kind)),
            "name": _(KINDS[rule.kind]),
            "cells": {
                "filter": {"text": _(KINDS[rule.kind]), "detail": _(ABOUT[rule.kind])},
                "on_input": _cell(rule.on_input),
                "on_output": _cell(rule.on_output) if len(ON_OUTPUT[rule.kind]) > 1 else "",
            },
            "actions": [{"action": FILTER, "label": _("Change")}] if may_change else [],
        }
        for rule in rules
    ]


def _cell(action: FilterAction) -> dict[str, str]:
    tones = {FilterAction.OFF: "quiet", FilterAction.BLOCK: "error", FilterAction.WARN: "warning"}
    return {"text": _(ACTIONS[action]), "tone": tones.get(action, "ok")}


def title(selected: str) -> str:
    """Return what the form is about."""
    return _(KINDS[selected]) if selected in KINDS else ""


def text(selected: str) -> str:
    """Return the sentence above the fields."""
    return _(ABOUT[FilterKind(selected)]) if selected in KINDS else ""


def fields(selected: str, offered: tuple[tuple[str, str], ...]) -> list[Field]:
    """Return the fields of the form for one kind."""
    if selected not in set(FilterKind):
        return []
    kind = FilterKind(selected)
    found = [_action("on_input", _("What is sent to models"), ON_INPUT[kind])]
    if len(ON_OUTPUT[kind]) > 1:
        found.append(_action("on_output", _("What models answer"), ON_OUTPUT[kind]))
    match kind:
        case FilterKind.PII:
            options = [{"value": one, "label": _(WHATS[one])} for one in PII_TYPES]
            found.append({"name": "types", "label": _("What counts"), "type": "checklist", "options": options})
        case FilterKind.TERMS:
            found.append({"name": "terms", "label": _("Terms, one a line"), "type": "file"})
        case FilterKind.MODERATION:
            found += _moderation(offered)
    return found


def _action(name: str, label: str, actions: tuple[FilterAction, ...]) -> Field:
    meanings = {
        FilterAction.OFF: _("Off"),
        FilterAction.LOG: _("Count: only the number is kept"),
        FilterAction.WARN: _("Warn: the person is told in the chat"),
        FilterAction.MASK: _("Mask: the other side sees a placeholder"),
        FilterAction.BLOCK: _("Block: it goes no further"),
    }
    options = [{"value": action.value, "label": meanings[action]} for action in actions]
    return {"name": name, "label": label, "type": "select", "options": options}


def _moderation(offered: tuple[tuple[str, str], ...]) -> list[Field]:
    providers = [{"value": "", "label": _("None")}, *({"value": one, "label": name} for one, name in offered)]
    fails = [
        {"value": OPEN, "label": _("Everything goes through")}, {"value": CLOSED, "label": _("Nothing goes through")},
    ]  # fmt: skip
    return [
        {"name": "provider", "label": _("Provider"), "type": "select", "options": providers},
        {"name": "moderator", "label": _("Its model"), "type": "text", "hint": _("Empty: as the provider likes.")},
        {"name": "fails", "label": _("While it does not answer"), "type": "select", "options": fails},
    ]


class FilteringState(AdminState):
    """Base of the states of pages on which filters are set."""

    rules = param.ClassSelector(class_=tuple, default=(), doc="What is set for each kind of filter.")
    selected_kind = param.String(default="", doc="The kind whose form is open.")
    moderators = param.ClassSelector(class_=tuple, default=(), doc="Id and name of providers that may moderate.")
    on_input = param.String(default="off", doc="What is done with what goes to models.")
    on_output = param.String(default="off", doc="What is done with what comes from them.")
    types = param.List(default=[], item_type=str, doc="Sorts of personal data that count.")
    terms = param.String(default="", doc="Banned terms, one a line.")
    provider = param.String(default="", doc="Id of the provider that moderates; empty for none.")
    moderator = param.String(default="", doc="Its model; empty: as it likes.")
    fails = param.String(default=OPEN, doc="Whether anything goes through while it does not answer.")

    filtering: ClassVar[tuple[str, ...]] = (
        "on_input", "on_output", "types", "terms", "provider", "moderator", "fails",
    )  # fmt: skip

    async def read_rules(self, actor: Actor, team_id: TeamId | None = None) -> None:
        """Read what is set."""
        async with self.context.backend.database.reading() as session:
            rules = await filters.list_rules(session, actor, team_id)
            offered = await filters.moderators(session, actor)
        self.param.update(rules=rules, moderators=tuple((str(one), name) for one, name in offered))

    def show_rule(self, row: UUID | None) -> None:
        """Open the form of a filter, with what is set."""
        rule: Rule = required(next((one for one in self.rules if id_of(one.kind) == row), None))
        options = rule.options
        self.param.update(
            sheet=FILTER, selected_kind=rule.kind.value, on_input=rule.on_input.value, on_output=rule.on_output.value,
            types=[one for one in PII_TYPES if one in options.types], terms="\n".join(options.terms),
            provider=str(options.provider_id or ""), moderator=options.model,
            fails=CLOSED if options.fails_closed else OPEN,
        )  # fmt: skip

    async def write_rule(self, actor: Actor, team_id: TeamId | None = None) -> None:
        """Set what the form says. Raises `InvalidInput`."""
        known = {self.on_input, self.on_output} <= set(FilterAction) and self.selected_kind in set(FilterKind)
        if not known or self.provider not in {"", *(one for one, _name in self.moderators)}:
            raise InvalidInput("Choose what the filter is to do.")
        options = Options(
            types=frozenset(self.types),
            terms=tuple(self.terms.splitlines()),
            provider_id=ProviderId(UUID(self.provider)) if self.provider else None,
            model=self.moderator,
            fails_closed=self.fails == CLOSED,
        )
        rule = Rule(FilterKind(self.selected_kind), FilterAction(self.on_input), FilterAction(self.on_output), options)
        async with self.context.backend.database.writing() as session:
            await filters.change(session, actor, rule, team_id)
        await self.read_rules(actor, team_id)
