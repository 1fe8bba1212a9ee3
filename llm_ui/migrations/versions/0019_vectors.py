"""Vectors of passages, and which models make them.

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. What is there goes on to be found by its words."""
    op.add_column(
        "ai_models", sa.Column("makes_embeddings", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("documents", sa.Column("embedded_by", sa.Uuid(), nullable=True))
    op.add_column("documents", sa.Column("embedded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("documents", sa.Column("embed_error", sa.Text(), nullable=True))
    op.add_column("documents", sa.Column("embed_attempts", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "passage_vectors",
        sa.Column("chunk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("model_id", sa.Uuid(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chunk_id"], ["document_chunks.id"], name=op.f("fk_passage_vectors_chunk_id_document_chunks"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_passage_vectors_project_id_projects"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["model_id"], ["ai_models.id"], name=op.f("fk_passage_vectors_model_id_ai_models"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("chunk_id", name=op.f("pk_passage_vectors")),
    )
    op.create_index(op.f("ix_passage_vectors_project_id"), "passage_vectors", ["project_id"])


def downgrade() -> None:
    """Go down. Vectors are made of what stays, and can be made again."""
    op.drop_table("passage_vectors")
    op.drop_column("documents", "embed_attempts")
    op.drop_column("documents", "embed_error")
    op.drop_column("documents", "embedded_at")
    op.drop_column("documents", "embedded_by")
    op.drop_column("ai_models", "makes_embeddings")
