"""The overview as tiles and sentences."""

from llm_ui.admin.alerts.words import KINDS
from llm_ui.admin.usage import words
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import ngettext, number
from llm_ui.services.alerts import RuleInfo
from llm_ui.services.usage.overview import Overview, Today
from llm_ui.ui.amounts import money

LOW_DISK = 0.1
"""Of the disk: less is too little."""
GB = 1_000_000_000


def today(shown: Overview | None) -> list[dict[str, str]]:
    """Return what happened today, beside the same time last week."""
    if shown is None:
        return []
    day, before = shown.today, shown.last_week
    used, was = day.used, before.used
    speed, times = used.tokens_per_second, day.times
    failed = _("{share} last week").format(share=words.share(was.error_rate))
    return [
        words.tile(_("Active people"), number(day.people), words.compared(day.people, before.people)),
        words.counted(_("New chats"), day.chats, words.compared(day.chats, before.chats)),
        words.counted(_("Messages"), day.messages, words.compared(day.messages, before.messages)),
        words.counted(_("Tokens"), used.tokens, words.compared(used.tokens, was.tokens)),
        words.tile(_("Cost"), money(used.cost_usd), words.compared(float(used.cost_usd), float(was.cost_usd))),
        words.tile(_("Failed"), words.share(used.error_rate), failed),
        words.tile(_("First token, half within"), words.seconds(times.ttft_p50_ms), _was(before, "ttft_p50_ms")),
        words.tile(_("First token, 95 % within"), words.seconds(times.ttft_p95_ms), _was(before, "ttft_p95_ms")),
        words.tile(_("Tokens a second"), "–" if speed is None else number(speed, ".1f"), _("while they are written")),
    ]  # fmt: skip


def at_this_moment(shown: Overview | None, free_bytes: int, free_share: float) -> list[dict[str, str]]:
    """Return what goes on."""
    if shown is None:
        return []
    room = "error" if free_share < LOW_DISK else ""
    return [
        words.tile(
            _("Answers being written"), number(shown.running), _("{count} wait").format(count=number(shown.waiting))
        ),
        words.tile(_("Documents being read"), number(shown.documents_waiting), ""),
        words.tile(_("Free on the disk"), f"{number(free_bytes / GB, '.1f')} GB", words.share(free_share), room),
    ]


def providers(shown: Overview | None) -> list[dict[str, str]]:
    """Return how each provider does."""
    found = () if shown is None else shown.providers
    said = _("{failed} of {count} failed lately")
    return [
        words.tile(
            one.name,
            _("Down") if one.is_down else _("Needs a look") if one.is_failing else _("Well"),
            said.format(failed=number(one.failed), count=number(one.requests)),
            "error" if one.is_failing else "",
        )
        for one in found
    ]


def attention(shown: Overview | None, free_share: float, firing: tuple[RuleInfo, ...] = ()) -> list[dict[str, str]]:
    """Return what somebody should look after, each with what leads there."""
    if shown is None:
        return []
    found = [
        (_("{name} fails, or refuses its key.").format(name=one.name), "/admin/providers", _("Providers"))
        for one in shown.providers
        if one.is_failing
    ]
    found += [
        (_("The alert “{name}” fires.").format(name=_(KINDS[rule.kind])), "/admin/alerts", _("Alerts"))
        for rule in firing
    ]
    found += [
        (_("The budget of {name} is nearly spent.").format(name=name), "/admin/usage?by=project", _("Usage"))
        for name in shown.low_budgets
    ]
    if free_share < LOW_DISK:
        found.append((_("The disk is nearly full. Make room on it."), "/admin/settings", _("Settings")))
    if shown.documents_failed:
        failed = ngettext("{n} document could not be read.", "{n} documents could not be read.", shown.documents_failed)
        found.append((failed.format(n=number(shown.documents_failed)), "/", _("Projects")))
    return [{"id": address, "text": text, "button": label, "action": "open"} for text, address, label in found]


def _was(before: Today, name: str) -> str:
    return _("{time} last week").format(time=words.seconds(getattr(before.times, name)))
