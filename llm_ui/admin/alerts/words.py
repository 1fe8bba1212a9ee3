"""Alert rules and what they told, in words."""

from llm_ui.kit.i18n import later, number
from llm_ui.models import AlertChange, AlertChannel, AlertKind

KINDS = {
    AlertKind.ERROR_RATE: later("Failed calls in 15 minutes"),
    AlertKind.TTFT_P95: later("First token, 95 % within"),
    AlertKind.SPEND_DAY: later("Cost of the day"),
    AlertKind.SPEND_MONTH: later("Cost of the month"),
    AlertKind.PROVIDER_DOWN: later("Providers that are down"),
    AlertKind.DISK_FREE: later("Free on the disk"),
    AlertKind.QUEUE_DEPTH: later("Waiting work"),
    AlertKind.WORKER_SILENT: later("Silence of the worker"),
    AlertKind.BACKUP_AGE: later("Age of the last good backup"),
}
UNITS = {
    AlertKind.ERROR_RATE: "{value} %",
    AlertKind.TTFT_P95: "{value} s",
    AlertKind.SPEND_DAY: "${value}",
    AlertKind.SPEND_MONTH: "${value}",
    AlertKind.DISK_FREE: "{value} %",
    AlertKind.WORKER_SILENT: "{value} min",
    AlertKind.BACKUP_AGE: "{value} h",
}
CHANNELS = {AlertChannel.WEBHOOK: later("Webhook"), AlertChannel.EMAIL: later("E-mail")}
CHANGES = {
    AlertChange.FIRING: later("Fires"),
    AlertChange.RESOLVED: later("Is over"),
    AlertChange.TEST: later("Test"),
}


def measured(kind: AlertKind, value: float | None) -> str:
    """Return a value with its unit; all units are the same in every language."""
    return "–" if value is None else UNITS.get(kind, "{value}").format(value=number(value, ",.6g"))
