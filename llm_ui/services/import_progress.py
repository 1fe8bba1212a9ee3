"""How far an import is."""

from dataclasses import asdict, dataclass, field
from typing import Any

MAX_SKIPPED_TOLD = 200


@dataclass(slots=True)
class Progress:
    """What has come in so far, and where to go on."""

    entries: int = 0
    """Of the file, that are dealt with."""
    chats_added: int = 0
    chats_extended: int = 0
    chats_same: int = 0
    messages_added: int = 0
    projects_added: int = 0
    documents_added: int = 0
    agents_added: int = 0
    prompts_added: int = 0
    memories_added: int = 0
    skipped: int = 0
    skipped_told: list[dict[str, str]] = field(default_factory=list)
    """The first of them: `what` it was and `why`."""

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Progress":
        """Return the progress that was written down."""
        return cls(**stored)

    def stored(self) -> dict[str, Any]:
        """Return it as it is written down."""
        return asdict(self)

    def skip(self, what: str, why: str) -> None:
        """Note what is left out."""
        self.skipped += 1
        if len(self.skipped_told) < MAX_SKIPPED_TOLD:
            self.skipped_told.append({"what": what, "why": why})
