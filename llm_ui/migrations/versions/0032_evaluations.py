"""What was measured, and how many citations of an answer were invented.

Revision: 0032, after 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0030"
branch_labels = None
depends_on = None

TOLD_INVENTED = {
    "sqlite": "json_extract(manifest, '$.invented')",
    "postgresql": "CAST(manifest ->> 'invented' AS INTEGER)",
}


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("dataset", sa.String(length=200), nullable=False),
        sa.Column("questions", sa.Integer(), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=True),
        sa.Column("strategy", sa.String(length=32), nullable=False),
        sa.Column("cut", sa.String(length=60), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("model", sa.String(length=400), nullable=False),
        sa.Column("measured_by", sa.String(length=200), nullable=False),
        sa.Column("version", sa.String(length=32), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=True),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column("is_used", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_evaluations_project_id_projects"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
    )
    op.create_index(op.f("ix_evaluations_created_at"), "evaluations", ["created_at"])
    op.create_index(op.f("ix_evaluations_project_id"), "evaluations", ["project_id"])
    op.add_column("runs", sa.Column("invented", sa.Integer(), nullable=False, server_default="0"))
    told = TOLD_INVENTED[op.get_bind().dialect.name]
    op.execute(sa.text(f"UPDATE runs SET invented = {told} WHERE {told} IS NOT NULL"))  # noqa: S608 - ours alone


def downgrade() -> None:
    """Go down. What was measured is gone; what was invented is in the manifests still."""
    op.drop_column("runs", "invented")
    op.drop_table("evaluations")
