"""Models of several providers that serve under one name."""

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput
from llm_ui.kit.ids import ModelId
from llm_ui.models import AuditLog, Balancing
from llm_ui.services import ai_models, deployments, offered, providers, targets
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import NewModel
from llm_ui.services.deployments import Deployment
from llm_ui.services.providers import NewProvider
from llm_ui.services.secrets import Secrets

NAMES = ("big", "text-embedding-3-small")


@pytest.fixture
async def models(seeded: Database, an_admin: Actor, secrets: Secrets) -> dict[str, ModelId]:
    """`big` of three providers, and one that makes embeddings, by provider and name."""
    found = {}
    for place in ("a", "b", "c"):
        async with seeded.writing() as session:
            new = NewProvider(place, "openai", "https://lab.example/v1", key="sk-0123456789abcdef-wxyz")
            provider = await providers.add(session, an_admin, secrets.sealer, new)
            added = await ai_models.add_models(session, an_admin, provider.id, [NewModel(name) for name in NAMES])
        found |= {f"{place}/{name}": one for name, one in zip(NAMES, added, strict=True)}
    return found


async def deploy(database: Database, actor: Actor, model_id: ModelId, deployment: Deployment) -> None:
    async with database.writing() as session:
        await deployments.set_deployment(session, actor, model_id, deployment)


async def test_those_of_one_name_are_found_and_picked_under_it(
    seeded: Database, an_admin: Actor, a_user: Actor, models: dict[str, ModelId]
) -> None:
    await deploy(seeded, an_admin, models["b/big"], Deployment(models["a/big"], 3))
    await deploy(seeded, an_admin, models["c/big"], Deployment(models["a/big"]))
    await deploy(seeded, an_admin, models["a/big"], Deployment(None, 2, Balancing.LATENCY))
    async with seeded.writing() as session:
        await ai_models.set_model_enabled(session, an_admin, models["c/big"], is_enabled=False)

    async with seeded.reading() as session:
        named = await offered.named(session, a_user, "big", None)
        found = await deployments.deployment_targets(session, a_user, named)
        listed = [one.id for one in await ai_models.list_models(session, a_user) if one.name == "big"]
        entries = await session.scalars(select(AuditLog.target).where(AuditLog.action == "model.deployed"))
        assert list(entries) == ["big"] * 3
    assert named.model_id == models["a/big"]
    assert listed == [models["a/big"]]
    assert [(one.provider_name, one.share.weight, one.has_stand_ins) for one in found] == [
        ("a", 2, True),
        ("b", 3, True),
    ]
    assert found[1].share.serves_id == models["a/big"]
    assert named.share.balancing is Balancing.LATENCY


async def test_a_model_serves_under_its_own_name_again(
    seeded: Database, an_admin: Actor, a_user: Actor, models: dict[str, ModelId]
) -> None:
    await deploy(seeded, an_admin, models["b/big"], Deployment(models["a/big"]))
    await deploy(seeded, an_admin, models["b/big"], Deployment())

    async with seeded.reading() as session:
        named = await targets.target(session, a_user, models["a/big"])
        found = await deployments.deployment_targets(session, a_user, named)
        listed = [one.id for one in await ai_models.list_models(session, a_user) if one.name == "big"]
    assert found == (named,)
    assert models["b/big"] in listed


async def test_what_serves_under_a_name_that_is_switched_off_is_picked_itself(
    seeded: Database, an_admin: Actor, a_user: Actor, models: dict[str, ModelId]
) -> None:
    await deploy(seeded, an_admin, models["b/big"], Deployment(models["a/big"]))
    async with seeded.writing() as session:
        await ai_models.set_model_enabled(session, an_admin, models["a/big"], is_enabled=False)

    async with seeded.reading() as session:
        listed = [one.id for one in await ai_models.list_models(session, a_user) if one.name == "big"]

    assert listed == [models["b/big"], models["c/big"]]


@pytest.mark.parametrize(
    ("name", "serves", "weight"),
    [
        ("a/big", "a/big", 1), ("b/big", "c/big", 1), ("a/big", "b/big", 1), ("b/big", None, 0),
        ("b/text-embedding-3-small", "a/big", 1), ("b/big", "a/text-embedding-3-small", 1),
    ],
)  # fmt: skip
async def test_nonsense_is_refused(
    seeded: Database, an_admin: Actor, models: dict[str, ModelId], name: str, serves: str | None, weight: int
) -> None:
    await deploy(seeded, an_admin, models["c/big"], Deployment(models["a/big"]))

    with pytest.raises(InvalidInput):
        await deploy(seeded, an_admin, models[name], Deployment(models[serves] if serves else None, weight))


async def test_only_administrators_say_who_serves(seeded: Database, a_user: Actor, models: dict[str, ModelId]) -> None:
    with pytest.raises(Forbidden):
        await deploy(seeded, a_user, models["b/big"], Deployment(models["a/big"]))
    async with seeded.reading() as session:
        with pytest.raises(Forbidden):
            await deployments.get_deployment(session, a_user, models["b/big"])
