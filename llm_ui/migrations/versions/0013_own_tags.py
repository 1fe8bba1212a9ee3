"""Whether a person has tagged a chat, which the helper model then leaves alone.

Revision: 0013, after 0012
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up. All tags so far were set by people."""
    op.add_column("chat_histories", sa.Column("has_own_tags", sa.Boolean(), nullable=False, server_default=sa.false()))
    chats = sa.table("chat_histories", sa.column("id", sa.Uuid()), sa.column("has_own_tags", sa.Boolean()))
    tags = sa.table("chat_tags", sa.column("chat_id", sa.Uuid()))
    tagged = chats.c.id.in_(sa.select(tags.c.chat_id))
    op.execute(chats.update().where(tagged).values(has_own_tags=sa.true()))


def downgrade() -> None:
    """Go down. Tags stay, whoever set them."""
    # Not as a batch: that makes the table anew, and dropping the old one would take what belongs to it along.
    op.drop_column("chat_histories", "has_own_tags")
