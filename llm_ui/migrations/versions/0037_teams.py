"""Teams, what is shared with them or kept for them, and quotas.

Revision: 0037, after 0036
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "teams",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_key", sa.String(length=64), nullable=False),
        sa.Column("instructions", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name_key", name=op.f("uq_teams_name_key")),
    )
    role = sa.Column("role", sa.String(length=32), nullable=False)
    at = sa.Column("created_at", sa.DateTime(timezone=True), nullable=False)
    _of_teams("team_members", "user_id", "users", role, at, indexed="user_id")
    _of_teams("team_models", "model_id", "ai_models", indexed="team_id")
    _of_teams("project_teams", "project_id", "projects", role._copy(), at._copy(), indexed="team_id")
    op.create_table(
        "quotas",
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("scope_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "scope_id", "kind", name=op.f("pk_quotas")),
    )


def downgrade() -> None:
    """Go down. Teams are gone, and with them what their members had through them."""
    op.execute("DELETE FROM budgets WHERE scope IN ('team', 'person')")
    for table in ("quotas", "project_teams", "team_models", "team_members", "teams"):
        op.drop_table(table)


def _of_teams(name: str, other: str, table: str, *columns: sa.Column[Any], indexed: str) -> None:
    """Make a table that joins teams with the rows of another one."""
    keys = ("team_id", other) if other == "user_id" else (other, "team_id")
    op.create_table(
        name,
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column(other, sa.Uuid(), nullable=False),
        *columns,
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f(f"fk_{name}_team_id_teams"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint([other], [f"{table}.id"], name=op.f(f"fk_{name}_{other}_{table}"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_{indexed}"), name, [indexed])
