"""Full-text search over titles and messages.

On SQLite an FTS5 table, kept by triggers; its rows are found again through `search_entries`, because the row numbers
of other tables may change (https://www.sqlite.org/lang_vacuum.html). A message is indexed once its answer has ended,
not at every checkpoint. On PostgreSQL two expression indexes.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

MESSAGE = """
INSERT OR IGNORE INTO search_entries (message_id) VALUES (new.id);
INSERT INTO search_text (rowid, owner, text)
    SELECT entry.id, 'u' || chat.user_id, new.text
    FROM search_entries entry JOIN chat_histories chat ON chat.id = new.chat_id WHERE entry.message_id = new.id;
"""
CHAT = """
INSERT OR IGNORE INTO search_entries (chat_id) VALUES (new.id);
INSERT INTO search_text (rowid, owner, text)
    SELECT entry.id, 'u' || new.user_id, new.title FROM search_entries entry WHERE entry.chat_id = new.id;
"""
FORGET_MESSAGE = """
DELETE FROM search_text WHERE rowid = (SELECT id FROM search_entries WHERE message_id = old.id);
"""
FORGET_CHAT = """
DELETE FROM search_text WHERE rowid = (SELECT id FROM search_entries WHERE chat_id = old.id);
"""
IS_SAID = "new.role <> 'note' AND new.status <> 'streaming'"
TRIGGERS = {
    "search_message_added": f"AFTER INSERT ON chat_messages WHEN {IS_SAID} BEGIN {MESSAGE} END",
    "search_message_changed": (
        f"AFTER UPDATE OF text, status ON chat_messages WHEN {IS_SAID} BEGIN {FORGET_MESSAGE} {MESSAGE} END"
    ),
    "search_message_gone": (
        f"AFTER DELETE ON chat_messages BEGIN {FORGET_MESSAGE} DELETE FROM search_entries WHERE message_id = old.id; END"
    ),
    "search_chat_added": f"AFTER INSERT ON chat_histories BEGIN {CHAT} END",
    "search_chat_changed": f"AFTER UPDATE OF title ON chat_histories BEGIN {FORGET_CHAT} {CHAT} END",
    "search_chat_gone": (
        f"AFTER DELETE ON chat_histories BEGIN {FORGET_CHAT} DELETE FROM search_entries WHERE chat_id = old.id; END"
    ),
}
FILL = (
    "INSERT INTO search_entries (message_id) SELECT id FROM chat_messages"
    " WHERE role <> 'note' AND status <> 'streaming'",
    "INSERT INTO search_entries (chat_id) SELECT id FROM chat_histories",
    "INSERT INTO search_text (rowid, owner, text) SELECT entry.id, 'u' || chat.user_id, message.text"
    " FROM search_entries entry JOIN chat_messages message ON message.id = entry.message_id"
    " JOIN chat_histories chat ON chat.id = message.chat_id",
    "INSERT INTO search_text (rowid, owner, text) SELECT entry.id, 'u' || chat.user_id, chat.title"
    " FROM search_entries entry JOIN chat_histories chat ON chat.id = entry.chat_id",
)
INDEXES = {"ix_chat_messages_search": "chat_messages (text)", "ix_chat_histories_search": "chat_histories (title)"}


def upgrade() -> None:
    """Go up; what is there already is indexed."""
    if op.get_bind().dialect.name == "postgresql":
        for name, what in INDEXES.items():
            table, column = what.rstrip(")").split(" (")
            # A vector holds 1 MB at most: of longer texts the beginning is found.
            op.execute(f"CREATE INDEX {name} ON {table} USING gin (to_tsvector('simple', left({column}, 200000)))")
        return
    op.create_table(
        "search_entries",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("message_id", sa.Uuid(), unique=True),
        sa.Column("chat_id", sa.Uuid(), unique=True),
    )
    op.execute(
        "CREATE VIRTUAL TABLE search_text USING fts5(owner, text, tokenize=\"unicode61 remove_diacritics 2\")"
    )
    for statement in FILL:
        op.execute(statement)
    for name, body in TRIGGERS.items():
        op.execute(f"CREATE TRIGGER {name} {body}")


def downgrade() -> None:
    """Go down; only the index is lost."""
    if op.get_bind().dialect.name == "postgresql":
        for name in INDEXES:
            op.execute(f"DROP INDEX {name}")
        return
    for name in TRIGGERS:
        op.execute(f"DROP TRIGGER {name}")
    op.execute("DROP TABLE search_text")
    op.drop_table("search_entries")
