"""The audit log becomes a chain: numbered, each entry with the hash of the one before, and never changed again.

What is there already is put in the chain in the order in which it was written. Settings tell who changed them.

Revision: 0035, after 0034
"""

import hashlib
import json
from datetime import UTC

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

FIRST = "0" * 64
TEXTS = {"target_id": 64, "via": 16, "address": 64, "user_agent": 256, "request_id": 64, "previous_hash": 64, "hash": 64}
VIA = "unknown"
INDEXES = {
    "ix_audit_logs_actor_id_number": ["actor_id", "number"],
    "ix_audit_logs_action_number": ["action", "number"],
}
SQLITE = {
    "audit_logs_stay": "BEFORE UPDATE ON audit_logs",
    "audit_logs_are_kept": "BEFORE DELETE ON audit_logs",
    "audit_head_is_kept": "BEFORE DELETE ON audit_heads",
}
POSTGRESQL = {
    "audit_logs_stay": "BEFORE UPDATE OR DELETE ON audit_logs FOR EACH ROW",
    "audit_logs_are_kept": "BEFORE TRUNCATE ON audit_logs FOR EACH STATEMENT",
    "audit_head_is_kept": "BEFORE DELETE ON audit_heads FOR EACH ROW",
}
"""What refuses every change of an entry."""


def upgrade() -> None:
    """Go up; what is there is chained."""
    op.add_column("settings", sa.Column("changed_by", sa.String(64), nullable=True))
    op.add_column("audit_logs", sa.Column("number", sa.BigInteger(), nullable=True))
    op.add_column("audit_logs", sa.Column("changes", sa.JSON(), nullable=True))
    for name, length in TEXTS.items():
        op.add_column("audit_logs", sa.Column(name, sa.String(length), nullable=True))
    op.create_table(
        "audit_heads",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_number", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_heads")),
    )
    _chain()
    with op.batch_alter_table("audit_logs") as batch:
        batch.alter_column("number", existing_type=sa.BigInteger(), nullable=False)
        batch.alter_column("changes", existing_type=sa.JSON(), nullable=False)
        for name, length in TEXTS.items():
            batch.alter_column(name, existing_type=sa.String(length), nullable=False)
        batch.create_unique_constraint(op.f("uq_audit_logs_number"), ["number"])
    for name, columns in INDEXES.items():
        op.create_index(op.f(name), "audit_logs", columns)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_logs_refuse() RETURNS trigger LANGUAGE plpgsql AS $$"
            " BEGIN RAISE EXCEPTION 'entries of the audit log are never changed'; END $$"
        )
        for name, when in POSTGRESQL.items():
            op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION audit_logs_refuse()")
        return
    for name, when in SQLITE.items():
        op.execute(
            f"CREATE TRIGGER {name} {when}"
            " BEGIN SELECT RAISE(ABORT, 'entries of the audit log are never changed'); END"
        )


def _chain() -> None:
    connection = op.get_bind()
    log = sa.table(
        "audit_logs", sa.column("id", sa.Uuid()), sa.column("created_at", sa.DateTime(timezone=True)),
        sa.column("actor_id", sa.Uuid()), sa.column("detail", sa.JSON()), sa.column("changes", sa.JSON()),
        *(sa.column(name) for name in ("number", "actor_name", "action", "target", *TEXTS)),
    )
    number, previous = 0, FIRST
    rows = connection.execute(
        sa.select(log.c.id, log.c.created_at, log.c.actor_id, log.c.actor_name, log.c.action, log.c.target, log.c.detail)
        .order_by(log.c.created_at, log.c.id)
    ).all()
    for row in rows:
        number += 1
        at = row.created_at.replace(tzinfo=UTC) if row.created_at.tzinfo is None else row.created_at.astimezone(UTC)
        fields = {
            "number": number, "id": str(row.id), "created_at": at.isoformat(timespec="microseconds"),
            "actor_id": str(row.actor_id), "actor_name": row.actor_name, "action": row.action, "target": row.target,
            "target_id": "", "detail": row.detail, "changes": {}, "via": VIA, "address": "", "user_agent": "",
            "request_id": "", "previous_hash": previous,
        }
        canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        found = hashlib.sha256(canonical.encode()).hexdigest()
        connection.execute(
            log.update().where(log.c.id == row.id).values(
                number=number, changes={}, target_id="", via=VIA, address="", user_agent="", request_id="",
                previous_hash=previous, hash=found,
            )
        )
        previous = found
    heads = sa.table("audit_heads", sa.column("id"), sa.column("number"), sa.column("hash"))
    connection.execute(heads.insert().values(id=1, number=number, hash=previous))


def downgrade() -> None:
    """Go down; entries stay, their chain is lost."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for name, when in (POSTGRESQL if is_postgresql else SQLITE).items():
        table = when.split(" ON ")[1].split()[0]
        op.execute(f"DROP TRIGGER {name} ON {table}" if is_postgresql else f"DROP TRIGGER {name}")
    if is_postgresql:
        op.execute("DROP FUNCTION audit_logs_refuse()")
    for name in INDEXES:
        op.drop_index(op.f(name), "audit_logs")
    with op.batch_alter_table("audit_logs") as batch:
        batch.drop_constraint(op.f("uq_audit_logs_number"), type_="unique")
        for name in ("number", "changes", *TEXTS):
            batch.drop_column(name)
    op.drop_table("audit_heads")
    op.drop_column("settings", "changed_by")
