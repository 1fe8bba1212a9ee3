"""Identifiers: UUID version 7 keys, version 8 for what is known elsewhere, and one type for each kind of row."""

import hashlib
import secrets
import time
from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
ProviderId = NewType("ProviderId", UUID)
ModelId = NewType("ModelId", UUID)
PromptId = NewType("PromptId", UUID)
ChatId = NewType("ChatId", UUID)
MessageId = NewType("MessageId", UUID)
RunId = NewType("RunId", UUID)
FeedbackId = NewType("FeedbackId", UUID)
ShareId = NewType("ShareId", UUID)
SavedPromptId = NewType("SavedPromptId", UUID)
ProjectId = NewType("ProjectId", UUID)
JobId = NewType("JobId", UUID)
AttachmentId = NewType("AttachmentId", UUID)
MemoryId = NewType("MemoryId", UUID)
SummaryId = NewType("SummaryId", UUID)
DocumentId = NewType("DocumentId", UUID)
ChunkId = NewType("ChunkId", int)
FetchId = NewType("FetchId", UUID)
CaseId = NewType("CaseId", UUID)
EvaluationId = NewType("EvaluationId", UUID)
BudgetId = NewType("BudgetId", UUID)
AgentId = NewType("AgentId", UUID)
PromptVersionId = NewType("PromptVersionId", UUID)
KeyId = NewType("KeyId", UUID)
TeamId = NewType("TeamId", UUID)
IssuerId = NewType("IssuerId", UUID)
LimitId = NewType("LimitId", UUID)
ExperimentId = NewType("ExperimentId", UUID)
DirectoryGroupId = NewType("DirectoryGroupId", UUID)


def uuid7() -> UUID:
    """Return a new UUID version 7 (RFC 9562 §5.7), ordered by time to a quarter of a microsecond.

    The 12 bits after the millisecond hold its fraction (RFC 9562 §6.2, method 3); the last 62 are random.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = nanoseconds * 4096 // 1_000_000
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62)
    return UUID(int=value)


def uuid8(*parts: str) -> UUID:
    """Return the UUID version 8 (RFC 9562 §5.8) that always belongs to these parts: of their SHA-256."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    value = int.from_bytes(digest[:16])
    return UUID(int=value & ~(0xF << 76) & ~(0b11 << 62) | 0x8 << 76 | 0b10 << 62)
