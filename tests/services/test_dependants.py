"""What would break where a model, or a provider, could not be asked any more."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update

from llm_ui.admin.dependants import sentences
from llm_ui.db import Database
from llm_ui.errors import Forbidden, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProviderId, RunId, UserId, uuid7
from llm_ui.models import Document, RunStatus, UsageLog, UsageSource
from llm_ui.services import agents, ai_models, dependants, keys, projects, providers, stand_ins, team_models, teams
from llm_ui.services.access import Actor
from llm_ui.services.agents import AgentSettings
from llm_ui.services.ai_models import NewModel
from llm_ui.services.dependants import Some
from llm_ui.services.keys import NewKey
from llm_ui.services.projects import ProjectSettings
from llm_ui.services.providers import NewProvider
from llm_ui.services.secrets import Secrets
from llm_ui.services.settings import DEFAULT_MODEL, EMBEDDING_MODEL, HELPER_MODEL, RERANKING_MODEL, store
from tests.documents.ready import received
from tests.services.test_chats import ask

NAMES = ("a", "b", "c", "text-embedding-3-small")


@pytest.fixture
async def lab(seeded: Database, an_admin: Actor, secrets: Secrets) -> tuple[ProviderId, dict[str, ModelId]]:
    """A provider with models on which nothing depends."""
    async with seeded.writing() as session:
        new = NewProvider("Lab", "openai", "https://lab.example/v1", key="sk-0123456789abcdef-wxyz")
        provider = await providers.add(session, an_admin, secrets.sealer, new)
        added = await ai_models.add_models(session, an_admin, provider.id, [NewModel(name) for name in NAMES])
    return provider.id, dict(zip(NAMES, added, strict=True))


def a_call(provider_id: ProviderId, model_id: ModelId, user_id: UserId, *, days_ago: int = 0) -> UsageLog:
    return UsageLog(
        run_id=RunId(uuid7()), user_id=user_id, provider_id=provider_id, model_id=model_id, model_name="a",
        provider_name="Lab", status=RunStatus.COMPLETED, usage_source=UsageSource.PROVIDER, cost_usd=Decimal(0),
        created_at=now() - timedelta(days=days_ago, minutes=1),
    )  # fmt: skip


async def test_where_nothing_depends_on_it_nothing_is_said(
    seeded: Database, an_admin: Actor, lab: tuple[ProviderId, dict[str, ModelId]]
) -> None:
    async with seeded.writing() as session:
        session.add(a_call(lab[0], lab[1]["a"], an_admin.user_id, days_ago=8))

    async with seeded.reading() as session:
        found = (
            await dependants.of_model(session, an_admin, lab[1]["a"]),
            await dependants.of_provider(session, an_admin, lab[0]),
        )

    assert [(bool(one), sentences(one)) for one in found] == [(False, []), (False, [])]


async def test_everything_that_depends_on_a_provider_is_counted_and_named_as_far_as_may_be(
    seeded: Database, an_admin: Actor, a_user: Actor, lab: tuple[ProviderId, dict[str, ModelId]]
) -> None:
    provider_id, models = lab
    a, b, embedder = models["a"], models["b"], models["text-embedding-3-small"]
    async with seeded.writing() as session:
        demo = (await ai_models.list_models(session, an_admin))[0].id
        for setting, one in ((DEFAULT_MODEL, a), (HELPER_MODEL, b), (EMBEDDING_MODEL, embedder)):
            await store(session, setting, str(one))
        await store(session, RERANKING_MODEL, str(embedder))
        for actor, name in ((an_admin, "Herons"), (a_user, "Hidden")):
            await projects.save(session, actor, None, name, ProjectSettings(model_id=a))
            await agents.save(session, actor, None, AgentSettings(f"{name}’ tutor", model_id=b))
        mine = (await projects.list_projects(session, an_admin))[0].id
        await stand_ins.set_stand_ins(session, an_admin, demo, [a])
        await stand_ins.set_stand_ins(session, an_admin, a, [b])
        await keys.create(session, a_user, NewKey("nightly", models=frozenset({a, demo})))
        await keys.create(session, a_user, NewKey("any"))
        await team_models.keep(session, an_admin, await teams.begin(session, an_admin, "Deck"), [b])
        session.add_all(a_call(provider_id, a, one.user_id) for one in (an_admin, a_user, a_user))
    document = await received(seeded, an_admin, mine)
    async with seeded.writing() as session:
        await session.execute(update(Document).where(Document.id == document.id).values(embedded_by=embedder))
    await ask(seeded, a_user)

    async with seeded.reading() as session:
        found = await dependants.of_provider(session, an_admin, provider_id)
        of_b = await dependants.of_model(session, an_admin, b)

    assert (found.projects, found.agents) == (Some(2, ("Herons",)), Some(2, ("Herons’ tutor",)))
    assert (found.helped, found.keys, found.teams) == (
        Some(1, ("Demo (no language model)",)), Some(1, ("nightly",)), Some(1, ("Deck",)),
    )  # fmt: skip
    assert sentences(found) == [
        "The default model goes with it: choose another default, or new chats cannot begin.",
        "The helper model goes with it: no titles, tags, suggestions and summaries until another one is chosen.",
        "The embedding model goes with it: passages are found by their words alone.",
        "The reranking model goes with it: passages stay in the order they were found in.",
        "It made the vectors of 1 document.",
        "New chats of 2 projects (Herons, …) begin with it.",
        "2 agents (Herons’ tutor, …) answer with it.",
        "1 other model (Demo (no language model)) has no stand-in in it any more.",
        "1 key of the API (nightly) is kept to it, or to it and others.",
        "It is kept for 1 team (Deck).",
        "1 answer is on its way, and is finished.",
        "In the last 7 days it was asked 3 times, by 2 people.",
    ]
    assert (of_b.is_helper, of_b.is_default, of_b.helped, of_b.agents.count, of_b.calls, of_b.running) == (
        True, False, Some(1, ("a",)), 2, 0, 0,
    )  # fmt: skip


async def test_only_administrators_are_told(
    seeded: Database, a_user: Actor, an_admin: Actor, lab: tuple[ProviderId, dict[str, ModelId]]
) -> None:
    async with seeded.reading() as session:
        for attempt in (
            dependants.of_model(session, a_user, lab[1]["a"]),
            dependants.of_provider(session, a_user, lab[0]),
        ):
            with pytest.raises(Forbidden):
                await attempt
        with pytest.raises(NotFound):
            await dependants.of_model(session, an_admin, ModelId(uuid7()))
