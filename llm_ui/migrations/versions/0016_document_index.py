"""The index of the passages of documents, kept by triggers on `document_chunks`.

Each project has a number. On SQLite it is the high half of the row numbers of one FTS5 table, so that a search of a
project is a search of a range of rows; on PostgreSQL it begins each term, so that no project has a term of another.
What is here already is indexed.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

PASSAGE_BITS = 40
"""Of a row number on SQLite the lower bits are the passage's own number: 10^12 passages in 8 million projects."""

NUMBER = "SELECT number FROM search_projects WHERE project_id = {row}.project_id"
ROW = f"((({NUMBER}) << {PASSAGE_BITS}) | {{row}}.id)"
ADD = f"""
INSERT OR IGNORE INTO search_projects (project_id) VALUES (new.project_id);
INSERT INTO search_passages (rowid, title, text) VALUES ({ROW.format(row="new")}, new.title_path, new.text);
"""
# The index keeps no text of its own, so it has to be told what it forgets (https://www.sqlite.org/fts5.html §6.6).
FORGET = f"""
INSERT INTO search_passages (search_passages, rowid, title, text)
    VALUES ('delete', {ROW.format(row="old")}, old.title_path, old.text);
"""
TRIGGERS = {
    "search_passage_added": f"AFTER INSERT ON document_chunks BEGIN {ADD} END",
    "search_passage_changed": (
        f"AFTER UPDATE OF id, project_id, title_path, text ON document_chunks BEGIN {FORGET} {ADD} END"
    ),
    "search_passage_gone": f"AFTER DELETE ON document_chunks BEGIN {FORGET} END",
    # Fired after the passages of the project are gone: SQLite cascades before it fires.
    "search_project_gone": (
        "AFTER DELETE ON projects BEGIN DELETE FROM search_projects WHERE project_id = old.id; END"
    ),
}
SQLITE = (
    "CREATE VIRTUAL TABLE search_passages USING fts5("
    "title, text, content='', tokenize=\"porter unicode61 remove_diacritics 2\")",
    "INSERT INTO search_projects (project_id) SELECT DISTINCT project_id FROM document_chunks",
    "INSERT INTO search_passages (rowid, title, text)"
    f" SELECT (number << {PASSAGE_BITS}) | chunk.id, chunk.title_path, chunk.text FROM document_chunks chunk"
    " JOIN search_projects USING (project_id) ORDER BY 1",
    *(f"CREATE TRIGGER {name} {body}" for name, body in TRIGGERS.items()),
)

# Only letters and digits are left to PostgreSQL's parser, which else takes `a/b` for a file and `a.b` for a host;
# diacritics are taken off; a vector holds 1 MB at most. Headings count twice, as the weights do on SQLite.
FOLDED = r"""
regexp_replace(regexp_replace(
    normalize(left(concat_ws(' ', title, title, body), 200000), NFD), '[\u0300-\u036f]', '', 'g'),
    '[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f]+', ' ', 'g')
"""
POSTGRESQL = (
    # Without stop words: those of one language are words of another one.
    "CREATE TEXT SEARCH DICTIONARY search_stem (TEMPLATE = snowball, LANGUAGE = english)",
    "CREATE TEXT SEARCH CONFIGURATION search_words (COPY = simple)",
    "ALTER TEXT SEARCH CONFIGURATION search_words ALTER MAPPING FOR asciiword, word, numword WITH search_stem",
    f"""
    CREATE FUNCTION search_terms(project_number bigint, title text, body text) RETURNS tsvector
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
        SELECT coalesce(string_agg(
            quote_literal(project_number || ':' || lexeme) || ':' || array_to_string(positions, ','), ' '
        ), '')::tsvector
        FROM unnest(to_tsvector('search_words', {FOLDED}))
    $$
    """,
    # Vectors lie apart from the rows, which then fill 60 bytes each: a list of passages is checked against rows, and
    # 16,000 of 100,000 took 68 ms when each row held its vector, so 10.
    """
    CREATE TABLE search_passages (
        chunk_id bigint PRIMARY KEY REFERENCES document_chunks (id) ON DELETE CASCADE,
        terms tsvector NOT NULL,
        tokens integer NOT NULL
    ) WITH (toast_tuple_target = 128)
    """,
    "ALTER TABLE search_passages ALTER COLUMN terms SET STORAGE EXTERNAL",
    "INSERT INTO search_projects (project_id) SELECT DISTINCT project_id FROM document_chunks",
    """
    INSERT INTO search_passages (chunk_id, terms, tokens)
    SELECT chunk.id, search_terms(number, chunk.title_path, chunk.text), chunk.tokens
    FROM document_chunks chunk JOIN search_projects USING (project_id)
    """,
    # What waits in a pending list is read as a whole by each search.
    "CREATE INDEX ix_search_passages_terms ON search_passages USING gin (terms) WITH (fastupdate = off)",
    """
    CREATE FUNCTION search_passage_stored() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        found_number bigint;
    BEGIN
        SELECT number INTO found_number FROM search_projects WHERE project_id = new.project_id;
        IF found_number IS NULL THEN
            INSERT INTO search_projects (project_id) VALUES (new.project_id) ON CONFLICT DO NOTHING;
            SELECT number INTO found_number FROM search_projects WHERE project_id = new.project_id;
        END IF;
        INSERT INTO search_passages (chunk_id, terms, tokens)
        VALUES (new.id, search_terms(found_number, new.title_path, new.text), new.tokens)
        ON CONFLICT (chunk_id) DO UPDATE SET terms = excluded.terms, tokens = excluded.tokens;
        RETURN NULL;
    END
    $$
    """,
    """
    CREATE TRIGGER search_passage_stored AFTER INSERT OR UPDATE OF project_id, title_path, text, tokens
    ON document_chunks FOR EACH ROW EXECUTE FUNCTION search_passage_stored()
    """,
)


def upgrade() -> None:
    """Go up; what is there already is indexed."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    # On SQLite the number must be there until the last passage is gone, and no cascade comes after another one's.
    keys = [sa.ForeignKeyConstraint(["project_id"], ["projects.id"], ondelete="CASCADE")] if is_postgresql else []
    op.create_table(
        "search_projects",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("project_id", sa.Uuid(), nullable=False, unique=True),
        *keys,
        # A number is never given twice.
        sqlite_autoincrement=True,
    )
    for statement in POSTGRESQL if is_postgresql else SQLITE:
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """Go down; only the index is lost."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER search_passage_stored ON document_chunks")
        op.execute("DROP FUNCTION search_passage_stored()")
        op.drop_table("search_passages")
        op.execute("DROP FUNCTION search_terms(bigint, text, text)")
        op.execute("DROP TEXT SEARCH CONFIGURATION search_words")
        op.execute("DROP TEXT SEARCH DICTIONARY search_stem")
    else:
        for name in TRIGGERS:
            op.execute(f"DROP TRIGGER {name}")
        op.execute("DROP TABLE search_passages")
    op.drop_table("search_projects")
