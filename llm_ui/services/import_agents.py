"""Agents that come in with an archive: what they answer with and know is found here by its name."""

from dataclasses import replace

from llm_ui.db import Session
from llm_ui.errors import InvalidInput, filled
from llm_ui.kit.i18n import to_tell
from llm_ui.kit.ids import DocumentId, ProjectId
from llm_ui.services import agents
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import list_models
from llm_ui.services.formats.base import ImportedAgent
from llm_ui.services.import_places import Places

KNOWS_NOTHING = to_tell("It came in, but knows nothing: the documents it knew are not here. Give it others.")


async def store_agent(session: Session, actor: Actor, came: ImportedAgent, places: Places) -> None:
    """Store an agent for the actor alone; one that is here already is left as it is, and counted where it differs."""
    settings = replace(came.settings, is_shared=False)
    if settings.model_name:
        models = await list_models(session, actor)
        known = (one.id for one in models if one.display_name == settings.model_name)
        settings = replace(settings, model_id=next(known, None))
    project_id = None if came.project is None else await places.project(came.project)
    if project_id is not None:
        documents = await _documents(session, actor, project_id, came.documents)
        if documents is None:
            places.progress.skip(settings.name, filled(KNOWS_NOTHING, {}))
        else:
            settings = replace(settings, project_id=project_id, documents=documents)
    here = {one.name.casefold(): one.settings for one in await agents.list_agents(session, actor) if one.is_mine}
    found = here.get(settings.name.casefold())
    if found is not None and replace(found, is_shared=False) == settings:
        return
    try:
        await agents.save(session, actor, None, settings)
    except InvalidInput as refusal:
        places.progress.skip(settings.name, refusal.message)
    else:
        places.progress.agents_added += 1


async def _documents(
    session: Session, actor: Actor, project_id: ProjectId, names: tuple[str, ...]
) -> tuple[DocumentId, ...] | None:
    """Return the documents of these names; None when one was meant and none is here."""
    if not names:
        return ()
    found = await agents.name_documents(session, actor, project_id, names=names)
    return tuple(sorted(document_id for document_id, _ in found)) or None
