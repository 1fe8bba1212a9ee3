import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import ModelId
from llm_ui.models import AuditLog
from llm_ui.services import ai_models, providers, stand_ins, targets
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import NewModel
from llm_ui.services.providers import NewProvider
from llm_ui.services.secrets import Secrets

NAMES = ("a", "b", "c", "d", "e", "text-embedding-3-small")


@pytest.fixture
async def models(seeded: Database, an_admin: Actor, secrets: Secrets) -> dict[str, ModelId]:
    """Models of a provider, of which one makes embeddings."""
    async with seeded.writing() as session:
        new = NewProvider("Lab", "openai", "https://lab.example/v1", key="sk-0123456789abcdef-wxyz")
        provider = await providers.add(session, an_admin, secrets.sealer, new)
        added = await ai_models.add_models(session, an_admin, provider.id, [NewModel(name) for name in NAMES])
    return dict(zip(NAMES, added, strict=True))


async def set_to(database: Database, actor: Actor, models: dict[str, ModelId], *names: str) -> None:
    async with database.writing() as session:
        await stand_ins.set_stand_ins(session, actor, models["a"], [models[name] for name in names])


async def test_those_who_may_be_asked_are_found_in_their_order(
    seeded: Database, an_admin: Actor, a_user: Actor, models: dict[str, ModelId]
) -> None:
    await set_to(seeded, an_admin, models, "d", "b", "c")
    await set_to(seeded, an_admin, models, "c", "b", "d")
    async with seeded.writing() as session:
        await ai_models.set_model_enabled(session, an_admin, models["b"], is_enabled=False)
        await ai_models.delete_model(session, an_admin, models["d"])

    async with seeded.reading() as session:
        found = await stand_ins.stand_in_targets(session, a_user, models["a"])
        kept = await stand_ins.list_stand_ins(session, an_admin, models["a"])
        is_helped = [(await targets.target(session, a_user, models[name])).has_stand_ins for name in ("a", "c")]
        entries = await session.scalars(select(AuditLog).where(AuditLog.action == "model.stand_ins_set"))
        assert sorted(entry.detail["models"] for entry in entries) == ["c, b, d", "d, b, c"]
    assert [one.name for one in found] == ["c"]
    assert kept == (models["c"], models["b"])
    assert is_helped == [True, False]


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (("b", "b"), InvalidInput), (("a",), InvalidInput), (("b", "c", "d", "e"), InvalidInput),
        (("text-embedding-3-small",), NotFound),
    ],
)  # fmt: skip
async def test_nonsense_is_refused(
    seeded: Database, an_admin: Actor, models: dict[str, ModelId], names: tuple[str, ...], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await set_to(seeded, an_admin, models, *names)


async def test_only_an_administrator_sets_them(seeded: Database, a_user: Actor, models: dict[str, ModelId]) -> None:
    with pytest.raises(Forbidden):
        await set_to(seeded, a_user, models, "b")
