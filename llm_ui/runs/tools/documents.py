"""Documents of the chat's project: looked through and read. What is found can be cited by its number."""

from collections.abc import Mapping, Sequence

from llm_ui.documents.retrieve import Passage
from llm_ui.documents.whole import read_pages
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.providers.base import ToolSpec
from llm_ui.runs.passages import Search, numbered_more, seek
from llm_ui.runs.tools.base import Around, Field, Given, Limits, number_of, schema, text_of
from llm_ui.services.agents import Knowledge

FOUND = 6
"""Passages of one search."""
READ = 40
"""Passages of one reading, where they fit."""
NOTHING = "Nothing was found. Try other words, or say that no document holds it."


class SearchDocuments:
    """Looks for passages, as it is done for every question of the project and by `POST /v1/retrieve`."""

    needs_documents = True
    spec = ToolSpec(
        "search_documents",
        "Look through the documents of this project for passages on something. Use it when the passages that were "
        "given do not hold the answer, with words that the document would use.",
        schema(query=Field("string", "What is looked for, in a few words.", is_required=True)),
    )

    async def use(self, around: Around, limits: Limits, arguments: Mapping[str, object]) -> Given:
        """Return the passages, best first."""
        known = _known(around)
        search = Search(known.project_id, text_of(arguments, "query"), FOUND, known.documents, reader=known.reader)
        sought = await seek(around.database, around.embeddings, around.actor, search, around.reranker)
        return _told(sought.passages, around, limits) if sought.passages else Given(NOTHING)


class ReadDocument:
    """Reads on in one document."""

    needs_documents = True
    spec = ToolSpec(
        "read_document",
        "Read a document of this project from a page on, passage after passage. Use it to see what stands around a "
        "passage, or to read a short document as a whole.",
        schema(
            document=Field("string", "Its name, as the passages give it.", is_required=True),
            page=Field("integer", "The page to begin at; without it the first one.", more={"minimum": 1}),
        ),
    )

    async def use(self, around: Around, limits: Limits, arguments: Mapping[str, object]) -> Given:
        """Return the passages in reading order, as many as fit."""
        name, page = text_of(arguments, "document"), number_of(arguments, "page")
        known = _known(around)
        if known.reader != around.actor:
            # Whose documents these are shares what answers a question, and no more.
            raise InvalidInput("The documents of this agent can be searched only. Search for what you need.")
        async with around.database.reading() as session:
            found = await read_pages(
                session, known.reader, known.project_id, name, page=page or 1, most=READ, within=known.documents
            )
        if not found and page is not None:
            raise NotFound("{name} has no page {page}, or is no document of this project.", name=name, page=page)
        if not found:
            raise NotFound("There is no document {name} in this project. Search for it first.", name=name)
        return _told(found, around, limits)


def _known(around: Around) -> Knowledge:
    if around.known is None:
        raise InvalidInput("This chat is in no project, so there are no documents.")
    return around.known


def _told(found: Sequence[Passage], around: Around, limits: Limits) -> Given:
    told = numbered_more(found, limits.next_number, limits.most_tokens, around.room)
    if not told.sources:
        raise InvalidInput("What was found does not fit into what the model can still be sent. Answer without it.")
    left = len(found) - len(told.sources)
    rest = f"\n{left} more passages did not fit." if left else ""
    return Given(f"{told.text}{rest}", told.sources)
