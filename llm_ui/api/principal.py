"""Who is asking: the ticket of a request becomes an actor, read afresh from the database."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

import httpx2
from fastapi import Depends, Request

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import NotSignedIn
from llm_ui.kit import i18n
from llm_ui.kit.ids import SessionId
from llm_ui.runs.embeddings import Embeddings
from llm_ui.runs.engine import Engine
from llm_ui.runs.gateway.gateway import Gateway
from llm_ui.services.access import Actor
from llm_ui.services.secrets import Secrets
from llm_ui.services.sign_in import TimeOuts, actor_of_session


@dataclass(frozen=True, slots=True)
class Api:
    """What the routes work with; made once in `main`."""

    config: Config
    database: Database
    secrets: Secrets
    engine: Engine
    http: httpx2.AsyncClient
    """For what is no run: tests of providers."""
    embeddings: Embeddings
    gateway: Gateway


def api(request: Request) -> Api:
    """Return what the routes work with."""
    found: Api = request.app.state.api
    return found


async def principal(request: Request, parts: Annotated[Api, Depends(api)]) -> Actor:
    """Return whoever asks, and speak their language. Raises `NotSignedIn` unless ticket and session are good."""
    i18n.speak(i18n.chosen(None, request.headers.get("accept-language", "")))
    scheme, _, ticket = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise NotSignedIn("This address needs a ticket: send it as Authorization: Bearer.")
    payload = parts.secrets.signer.verify(ticket.strip())
    try:
        user_id, session_id = UUID(payload["sub"]), SessionId(UUID(payload["sid"]))
    except (KeyError, ValueError):
        raise NotSignedIn from None
    async with parts.database.reading() as session:
        actor = await actor_of_session(session, session_id, TimeOuts.of(parts.config))
    if actor.user_id != user_id:
        raise NotSignedIn
    return actor


Parts = Annotated[Api, Depends(api)]
Principal = Annotated[Actor, Depends(principal)]
