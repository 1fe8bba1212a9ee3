"""Second factors with recovery codes, issuers through which people sign in, and pictures of people.

Revision: 0038, after 0036
"""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("last_counter", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_second_factors_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "issuers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=False),
        sa.Column("client_id", sa.String(length=255), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("scopes", sa.String(length=255), nullable=False),
        sa.Column("name_claim", sa.String(length=64), nullable=False),
        sa.Column("email_claim", sa.String(length=64), nullable=False),
        sa.Column("groups_claim", sa.String(length=64), nullable=False),
        sa.Column("domains", sa.JSON(), nullable=False),
        sa.Column("groups", sa.JSON(), nullable=False),
        sa.Column("admin_groups", sa.JSON(), nullable=False),
        sa.Column("operator_groups", sa.JSON(), nullable=False),
        sa.Column("makes_accounts", sa.Boolean(), nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("end_session_endpoint", sa.String(length=2000), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_issuers")),
    )
    op.create_table(
        "linked_sign_ins",
        sa.Column("issuer_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["issuer_id"], ["issuers.id"], name=op.f("fk_linked_sign_ins_issuer_id_issuers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_linked_sign_ins_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("issuer_id", "subject", name=op.f("pk_linked_sign_ins")),
        sa.UniqueConstraint("user_id", "issuer_id", name=op.f("uq_linked_sign_ins_user_id_issuer_id")),
    )
    op.create_table(
        "user_pictures",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_pictures_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_user_pictures")),
    )
    with op.batch_alter_table("user_sessions") as sessions:
        sessions.add_column(sa.Column("issuer_id", sa.Uuid(), nullable=True))
        sessions.create_foreign_key(
            op.f("fk_user_sessions_issuer_id_issuers"), "issuers", ["issuer_id"], ["id"], ondelete="SET NULL"
        )


def downgrade() -> None:
    """Go down. Whoever had a second factor signs in without one; who signed in through an issuer needs a password."""
    with op.batch_alter_table("user_sessions") as sessions:
        sessions.drop_constraint(op.f("fk_user_sessions_issuer_id_issuers"), type_="foreignkey")
        sessions.drop_column("issuer_id")
    op.drop_table("user_pictures")
    op.drop_table("linked_sign_ins")
    op.drop_table("issuers")
    op.drop_table("recovery_codes")
    op.drop_table("second_factors")
