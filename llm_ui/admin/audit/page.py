"""The audit page."""

from typing import Any
from uuid import UUID

import panel as pn

from llm_ui.admin.audit.listing import VIAS, told
from llm_ui.admin.audit.state import AuditState
from llm_ui.admin.listing.part import list_part
from llm_ui.admin.notices import page_notices
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import instant, ngettext, number
from llm_ui.ui.form import button, page
from llm_ui.ui.parts import Heading, Message, Notice, Record


class AuditPage(pn.viewable.Viewer):
    """Who changed what, and whether the log of it is whole."""

    def __init__(self, state: AuditState) -> None:
        super().__init__()
        self._state = state
        self._layout = page(
            Heading(
                title=_("Audit"),
                sentence=_(
                    "Who changed what, when and from where. Entries are only ever added; each holds the fingerprint "
                    "of the one before, so that a change behind the back of this workspace is found."
                ),
            ),
            page_notices(state),
            Notice(tone="info", text=pn.bind(_standing, state.param.chain)),
            Notice(tone="error", text=pn.bind(_broken, state.param.chain)),
            button(_("Verify now"), state.verify, tone="primary", disabled=state.param.is_busy, margin=(8, 0, 16, 0)),
            list_part(state, self._act),
            Record(
                title=pn.bind(lambda entry: "" if entry is None else entry.what, state.param.entry),
                is_open=pn.bind(bool, state.param.sheet),
                facts=pn.bind(_facts, state.param.entry),
                changes=pn.bind(_changes, state.param.entry),
                on_message=self._on_record,
            ),
        )

    def __panel__(self) -> Any:
        """Return what is drawn."""
        return self._layout

    async def _act(self, _action: str, row: UUID | None) -> None:
        if row is not None:
            await self._state.open_entry(row)

    async def _on_record(self, _message: Message) -> None:
        self._state.close()


def _standing(chain: Any) -> str:
    """Return how the chain stands, while nothing is wrong with it."""
    if chain is None or chain.problem is not None:
        return ""
    if chain.verified_at is None or not chain.verified_count:
        said = ngettext("{count} entry, not verified yet.", "{count} entries, not verified yet.", chain.count)
        return said.format(count=number(chain.count))
    said = ngettext(
        "{count} entry, verified on {at}: it is as it was written.",
        "{count} entries. The first {verified} were verified on {at}: they are as they were written.",
        chain.count,
    )
    return said.format(count=number(chain.count), verified=number(chain.verified_count), at=instant(chain.verified_at))


def _broken(chain: Any) -> str:
    if chain is None or chain.problem is None:
        return ""
    return _("The log is not whole, as was found on {at}: {problem}").format(
        at=instant(chain.verified_at), problem=chain.problem
    )


def _facts(entry: Any) -> list[dict[str, str]]:
    """Return what is known of an entry beside its difference."""
    if entry is None:
        return []
    facts = {
        _("When"): instant(entry.at),
        _("Who"): entry.who,
        _("On what"): entry.target,
        _("Its id"): entry.target_id,
        **{name: told(value) for name, value in entry.detail.items()},
        _("From"): _(VIAS.get(entry.via, entry.via)),
        _("Address"): entry.address,
        _("Program"): entry.user_agent,
        _("Request"): entry.request_id,
        _("Number"): number(entry.number),
        _("Fingerprint"): entry.hash,
    }
    return [{"label": label, "text": text} for label, text in facts.items() if text]


def _changes(entry: Any) -> list[dict[str, str]]:
    """Return what an entry changed: field, before, after."""
    if entry is None:
        return []
    return [
        {"name": name, "before": told(before), "after": told(after)} for name, (before, after) in entry.changes.items()
    ]
