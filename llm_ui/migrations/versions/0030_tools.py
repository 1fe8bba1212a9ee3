"""Tools that models use for their answers: which models can, which a chat allows, and what was called.

Revision: 0030, after 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

USE_TOOLS = (
    "demo", "gpt-4o%", "gpt-4.%", "gpt-4-turbo%", "gpt-5%", "%gpt-oss%", "o1", "o3%", "o4%", "claude-%", "gemini-2%",
    "gemini-3%", "%llama3.1%", "%llama3.2%", "%llama3.3%", "%llama-3.1%", "%llama-3.3%", "%llama4%", "%llama-4%",
    "%qwen2.5%", "%qwen3%", "%mistral%", "%devstral%", "%command-r%", "deepseek-chat", "%granite3%", "%kimi%", "%grok%",
)  # fmt: skip
"""Names of models that could, on the day of this revision; administrators correct the rest."""


def upgrade() -> None:
    """Go up."""
    op.add_column("chat_messages", sa.Column("steps", sa.JSON(), nullable=True))
    op.add_column("chat_histories", sa.Column("tools_off", sa.JSON(), nullable=True))
    op.add_column("ai_models", sa.Column("can_use_tools", sa.Boolean(), nullable=False, server_default=sa.false()))
    models = sa.table("ai_models", *(sa.column(name) for name in ("name", "can_use_tools", "makes_embeddings")))
    for pattern in USE_TOOLS:
        named = models.update().where(sa.func.lower(models.c.name).like(pattern))
        op.execute(named.where(sa.not_(models.c.makes_embeddings)).values(can_use_tools=True))


def downgrade() -> None:
    """Go down. What tools said is gone; the answers stay."""
    op.drop_column("ai_models", "can_use_tools")
    op.drop_column("chat_histories", "tools_off")
    op.drop_column("chat_messages", "steps")
