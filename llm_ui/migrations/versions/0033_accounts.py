"""Accounts that wait for something, when people were last seen, and one-time links.

Revision: 0033, after 0032
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

INDEXED = ("role", "pending", "last_seen_at", "created_at")
"""What the list of accounts is narrowed to or sorted by."""


def upgrade() -> None:
    """Go up. People were last seen when the latest of their sessions was, else when they signed in."""
    op.add_column("users", sa.Column("pending", sa.String(length=32), nullable=True))
    op.add_column("users", sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "UPDATE users SET last_seen_at = COALESCE("
        "(SELECT MAX(last_seen_at) FROM user_sessions WHERE user_id = users.id), last_sign_in_at)"
    )
    for name in INDEXED:
        op.create_index(op.f(f"ix_users_{name}"), "users", [name])
    op.create_index(op.f("ix_users_name_key_email_key_id"), "users", ["name_key", "email_key", "id"])
    op.create_table(
        "account_links",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_account_links_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_account_links")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_account_links_token_hash")),
    )
    op.create_index(op.f("ix_account_links_expires_at"), "account_links", ["expires_at"])


def downgrade() -> None:
    """Go down. Accounts that waited are disabled ones; operators are ordinary people."""
    op.drop_table("account_links")
    op.execute("UPDATE users SET role = 'user' WHERE role = 'operator'")
    op.drop_index(op.f("ix_users_name_key_email_key_id"), "users")
    for name in INDEXED:
        op.drop_index(op.f(f"ix_users_{name}"), "users")
    op.drop_column("users", "last_seen_at")
    op.drop_column("users", "pending")
