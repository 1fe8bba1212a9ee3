"""Groups of issuers whose people are in teams; what models cost, and have cost; and their order.

Revision: 0041, after 0040
"""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "issuer_teams",
        sa.Column("issuer_id", sa.Uuid(), nullable=False),
        sa.Column("group_name", sa.String(length=255), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["issuer_id"], ["issuers.id"], name=op.f("fk_issuer_teams_issuer_id_issuers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_issuer_teams_team_id_teams"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issuer_id", "group_name", "team_id", name=op.f("pk_issuer_teams")),
    )
    with op.batch_alter_table("team_members") as members:
        members.add_column(sa.Column("issuer_id", sa.Uuid(), nullable=True))
        members.create_foreign_key(
            op.f("fk_team_members_issuer_id_issuers"), "issuers", ["issuer_id"], ["id"], ondelete="SET NULL"
        )
    op.add_column("ai_providers", sa.Column("place", sa.Integer(), nullable=True))
    op.add_column("ai_models", sa.Column("place", sa.Integer(), nullable=True))
    op.add_column("ai_models", sa.Column("reasoning_usd_per_mtok", sa.BigInteger(), nullable=True))
    op.add_column("ai_models", sa.Column("price_tiers", sa.JSON(), nullable=True))
    op.create_table(
        "model_prices",
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.Column("price_source", sa.String(length=32), nullable=False),
        sa.Column("input_usd_per_mtok", sa.BigInteger(), nullable=True),
        sa.Column("cached_input_usd_per_mtok", sa.BigInteger(), nullable=True),
        sa.Column("output_usd_per_mtok", sa.BigInteger(), nullable=True),
        sa.Column("reasoning_usd_per_mtok", sa.BigInteger(), nullable=True),
        sa.Column("price_tiers", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["model_id"], ["ai_models.id"], name=op.f("fk_model_prices_model_id_ai_models"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("model_id", "valid_from", name=op.f("pk_model_prices")),
    )
    # Prices of before are known from the last change of a model on; who set them is not.
    rates = "input_usd_per_mtok, cached_input_usd_per_mtok, output_usd_per_mtok"
    op.execute(
        f"INSERT INTO model_prices (model_id, valid_from, changed_by, price_source, {rates})"  # noqa: S608 - constants
        f" SELECT id, updated_at, '', price_source, {rates} FROM ai_models WHERE input_usd_per_mtok IS NOT NULL"
    )


def downgrade() -> None:
    """Go down. Who was brought into a team by a group stays in it; long prompts cost what others do."""
    op.drop_table("model_prices")
    op.drop_column("ai_models", "price_tiers")
    op.drop_column("ai_models", "reasoning_usd_per_mtok")
    op.drop_column("ai_models", "place")
    op.drop_column("ai_providers", "place")
    with op.batch_alter_table("team_members") as members:
        members.drop_constraint(op.f("fk_team_members_issuer_id_issuers"), type_="foreignkey")
        members.drop_column("issuer_id")
    op.drop_table("issuer_teams")
