"""How runs end."""

from dataclasses import dataclass

from llm_ui.models import MessageStatus, RunStatus


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended."""

    status: RunStatus
    finish_reason: str = ""
    error_code: str | None = None
    error_message: str | None = None
    is_retryable: bool = True
    retry_after: float | None = None


STOPPED = Ending(RunStatus.STOPPED, "stopped")
MESSAGE_STATUS = {
    RunStatus.COMPLETED: MessageStatus.COMPLETE,
    RunStatus.STOPPED: MessageStatus.STOPPED,
    RunStatus.FAILED: MessageStatus.FAILED,
    RunStatus.INTERRUPTED: MessageStatus.INTERRUPTED,
}
