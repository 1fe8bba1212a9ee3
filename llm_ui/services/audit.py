"""The audit log: who changed what, written in the change's own transaction and never changed again.

What is written down: accounts and their sessions, rights, whatever holds for others than whoever does it (settings,
providers, models, shared prompts and agents, projects and their documents), and what leaves the workspace. What people
do with chats of their own is not: an audit log is no surveillance.

Entries are a chain. `record` keeps an entry until the commit; then the one row of `audit_heads` is locked, the entries
get their numbers and hashes, and the row moves on. So it is the last lock that a transaction takes: writers wait for
one another for no longer than an INSERT and a commit, in all processes and replicas, and cannot wait in a circle.
Entries are kept for as long as the database is; there is no way in the product to delete one.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from enum import Enum
from typing import Any
from uuid import UUID

from sqlalchemy import event, select
from sqlalchemy.orm import Session as SyncSession

from llm_ui.db import Session
from llm_ui.kit.clock import now
from llm_ui.kit.ids import uuid7
from llm_ui.kit.text import one_line, storable
from llm_ui.models import AuditHead, AuditLog
from llm_ui.observability.origin import origin
from llm_ui.services.access import Actor

FIRST_HASH = "0" * 64
"""What the first entry has in place of the hash of the one before."""
HEAD = 1
"""Id of the one row of `audit_heads`."""
MAX_VALUE_CHARS = 2_000
"""Of a text in a difference; more of it is cut off."""
MASKED = "••••"
SECRETS = ("key", "secret", "password", "token_hash")
"""Endings of the names of fields whose values are never written down."""
TEXT_FIELDS = (
    "actor_name", "action", "target", "target_id", "via", "address", "user_agent", "request_id", "previous_hash",
)  # fmt: skip
_PENDING = "audit"

Value = str | int | bool | None
Changes = Mapping[str, Sequence[Any]]


async def record(
    session: Session,
    actor: Actor,
    action: str,
    target: str,
    *,
    target_id: UUID | str = "",
    changes: Changes | None = None,
    **detail: Value,
) -> None:
    """Write one entry in the caller's transaction, so that the change and its entry happen together or not at all.

    `action` is `noun.verb` in the past tense, `target` what it was done to; `changes` is what `difference` found.
    Nothing in `detail` is a secret.
    """
    come = origin()
    entry = AuditLog(
        actor_id=actor.user_id,
        actor_name=actor.name,
        action=action,
        target=one_line(target, 128),
        target_id=str(target_id),
        detail={name: _told(name, value) for name, value in detail.items()},
        changes={name: list(pair) for name, pair in (changes or {}).items()},
        via=come.via,
        address=one_line(come.address, 64),
        user_agent=one_line(come.user_agent, 256),
        request_id=one_line(come.request_id, 64),
    )
    if _PENDING not in session.info:
        session.info[_PENDING] = []
        event.listen(session.sync_session, "before_commit", _seal)
    session.info[_PENDING].append(entry)


def fields(row: object, *names: str) -> dict[str, object]:
    """Return these fields of a row as they are now, to be compared later."""
    return {name: getattr(row, name) for name in names}


def difference(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, list[Value]]:
    """Return what is not the same any more, by field: the value before and the value after, secrets masked."""
    names = dict.fromkeys([*before, *after])
    return {
        name: [_told(name, before.get(name)), _told(name, after.get(name))]
        for name in names
        if before.get(name) != after.get(name)
    }


def _told(name: str, value: object) -> Value:
    """Return a value as it is written down."""
    if name.endswith(SECRETS):
        return MASKED if value else None
    if isinstance(value, Enum):
        return str(value.value)
    if value is None or isinstance(value, bool | int):
        return value
    text = storable(str(value) if not isinstance(value, list | tuple) else ", ".join(map(str, value)))
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}…"


def hash_of(entry: AuditLog) -> str:
    """Return the SHA-256 of the entry's canonical JSON: keys in order, no spaces, ASCII, the instant in UTC."""
    fields: dict[str, Any] = {name: getattr(entry, name) for name in TEXT_FIELDS}
    fields |= {
        "number": entry.number,
        "id": str(entry.id),
        "actor_id": str(entry.actor_id),
        "created_at": entry.created_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "detail": entry.detail,
        "changes": entry.changes,
    }
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _seal(session: SyncSession) -> None:
    """Put the transaction's entries at the end of the chain, at the very end of the transaction."""
    if session.in_nested_transaction():
        return
    pending: list[AuditLog] = session.info[_PENDING]
    # The wait for it is over when whoever held it has committed, so what it says then is the newest.
    newest = select(AuditHead).where(AuditHead.id == HEAD).with_for_update().execution_options(populate_existing=True)
    head = session.scalars(newest).one()
    for entry in pending:
        entry.id, entry.created_at = uuid7(), now()
        entry.number, entry.previous_hash = head.number + 1, head.hash
        entry.hash = hash_of(entry)
        session.add(entry)
        head.number, head.hash = entry.number, entry.hash
    pending.clear()
