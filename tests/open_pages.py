"""A page that a person has open, as its state sees it."""

from llm_ui.services.access import Actor
from llm_ui.services.sign_in import TimeOuts, actor_of_session
from llm_ui.ui.page import Backend, PageContext


def page_of(backend: Backend, person: Actor) -> PageContext:
    """Return what a page of this person knows; each act asks anew who they are, as on a real page."""
    session_id = person.session_id
    assert session_id is not None

    async def actor() -> Actor:
        async with backend.database.reading() as session:
            return await actor_of_session(session, session_id, TimeOuts.of(backend.config))

    return PageContext(backend, session_id, person.user_id, person.name, person.role, "csrf", actor)
