"""The order of models and providers."""

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import ModelId, ProviderId, uuid7
from llm_ui.models import AuditLog
from llm_ui.services import ai_models, places, providers
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import NewModel
from llm_ui.services.providers import NewProvider
from llm_ui.services.secrets import Secrets


async def test_people_see_models_by_their_place_then_by_that_of_the_provider_then_by_name(
    seeded: Database, an_admin: Actor, a_user: Actor, secrets: Secrets
) -> None:
    ids: dict[str, ModelId] = {}
    async with seeded.writing() as session:
        for name, models in (("Alps", ("a", "b")), ("Coast", ("c", "d"))):
            new = NewProvider(name, "openai", "https://lab.example/v1", key="sk-0123456789abcdef-wxyz")
            provider = await providers.add(session, an_admin, secrets.sealer, new)
            added = await ai_models.add_models(session, an_admin, provider.id, [NewModel(one) for one in models])
            ids |= dict(zip(models, added, strict=True))
        await places.set_provider_place(session, an_admin, provider.id, 3)
        await places.set_model_place(session, an_admin, ids["b"], 7)
        await places.set_model_place(session, an_admin, ids["b"], 7)

    async with seeded.reading() as session:
        seen = [one.name for one in await ai_models.list_models(session, a_user)]
        listed = [one.name for one in await providers.list_providers(session, an_admin)]
        told = (await session.scalars(select(AuditLog).where(AuditLog.action.endswith(".place_set")))).all()
    assert seen == ["demo", "b", "c", "d", "a"]
    assert listed == ["Coast", "Demo", "Alps"]
    assert {(one.target, *one.changes["place"]) for one in told} == {("Coast", None, 3), ("b", None, 7)}


async def test_only_administrators_set_places_and_only_those_that_there_are(
    seeded: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with seeded.writing() as session:
        demo = (await ai_models.list_models(session, a_user))[0].id
        for place in (0, 10_000):
            with pytest.raises(InvalidInput, match="from 1 to 9,999"):
                await places.set_model_place(session, an_admin, demo, place)
        for actor, error in ((a_user, Forbidden), (an_admin, NotFound)):
            with pytest.raises(error):
                await places.set_model_place(session, actor, ModelId(uuid7()), 1)
            with pytest.raises(error):
                await places.set_provider_place(session, actor, ProviderId(uuid7()), 1)
