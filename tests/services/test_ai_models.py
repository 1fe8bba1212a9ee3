from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ModelId, ProviderId, uuid7
from llm_ui.models import AuditLog, PriceSource
from llm_ui.services import ai_models, price_history, providers, targets
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelChange, ModelInfo, NewModel
from llm_ui.services.prices import Prices
from llm_ui.services.providers import NewProvider
from llm_ui.services.secrets import Secrets


@pytest.fixture
async def openai(seeded: Database, an_admin: Actor, secrets: Secrets) -> ProviderId:
    """A provider with OpenAI's address, without models."""
    new = NewProvider("OpenAI", "openai", "https://api.openai.com/v1", key="sk-0123456789abcdef-wxyz")
    async with seeded.writing() as session:
        return (await providers.add(session, an_admin, secrets.sealer, new)).id


async def add(database: Database, actor: Actor, provider_id: ProviderId, *names: str) -> tuple[ModelId, ...]:
    async with database.writing() as session:
        return await ai_models.add_models(session, actor, provider_id, [NewModel(name) for name in names])


async def read(database: Database, actor: Actor, model_id: ModelId) -> ModelInfo:
    async with database.reading() as session:
        return await ai_models.get_model(session, actor, model_id)


def change_of(model: ModelInfo, **fields: Any) -> ModelChange:
    same = {
        "display_name": model.display_name,
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
        "prices": model.prices,
    }
    return ModelChange(**{**same, **fields})


async def test_an_added_model_starts_with_its_list_price_and_window(
    seeded: Database, an_admin: Actor, openai: ProviderId
) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "gpt-4o")

    model = await read(seeded, an_admin, model_id)
    assert model.prices == Prices(Decimal("2.5"), Decimal("1.25"), Decimal(10))
    assert (model.price_source, model.context_window, model.is_enabled) == (PriceSource.LIST, 128_000, True)


async def test_a_model_nobody_knows_has_no_price(seeded: Database, an_admin: Actor, openai: ProviderId) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "my-own-finetune")

    model = await read(seeded, an_admin, model_id)
    assert (model.prices, model.price_source) == (Prices(), PriceSource.UNKNOWN)


async def test_discovering_again_keeps_what_an_administrator_set(
    seeded: Database, an_admin: Actor, openai: ProviderId
) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "gpt-4o")
    prices = Prices(Decimal(1), None, Decimal(2))
    async with seeded.writing() as session:
        model = await ai_models.get_model(session, an_admin, model_id)
        await ai_models.change_model(
            session, an_admin, model_id, change_of(model, display_name="Our GPT", prices=prices)
        )
        await ai_models.set_model_enabled(session, an_admin, model_id, is_enabled=False)

    again = await add(seeded, an_admin, openai, "gpt-4o", "gpt-4o-mini")

    assert len(again) == 1
    model = await read(seeded, an_admin, model_id)
    assert (model.display_name, model.prices, model.price_source) == ("Our GPT", prices, PriceSource.ADMIN)
    assert not model.is_enabled


async def test_a_deleted_model_comes_back_when_it_is_added_again(
    seeded: Database, an_admin: Actor, openai: ProviderId
) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "gpt-4o")
    async with seeded.writing() as session:
        await ai_models.delete_model(session, an_admin, model_id)
    with pytest.raises(NotFound):
        await read(seeded, an_admin, model_id)

    assert await add(seeded, an_admin, openai, "gpt-4o") == (model_id,)
    assert (await read(seeded, an_admin, model_id)).is_enabled


async def test_people_see_enabled_models_with_the_default_first(
    seeded: Database, an_admin: Actor, a_user: Actor, openai: ProviderId
) -> None:
    _, second, off = await add(seeded, an_admin, openai, "gpt-4o", "gpt-4o-mini", "gpt-4")
    async with seeded.writing() as session:
        await ai_models.set_default(session, an_admin, second)
        await ai_models.set_model_enabled(session, an_admin, off, is_enabled=False)

    async with seeded.reading() as session:
        names = [model.name for model in await ai_models.list_models(session, a_user)]
    assert names == ["gpt-4o-mini", "demo", "gpt-4o"]


async def test_the_first_model_becomes_the_default_when_there_is_none(
    seeded: Database, an_admin: Actor, a_user: Actor, openai: ProviderId
) -> None:
    async with seeded.writing() as session:
        demo = await providers.find_by_name(session, an_admin, "Demo")
        await providers.delete(session, an_admin, demo.id)

    model_id, _ = await add(seeded, an_admin, openai, "gpt-4o", "gpt-4")

    async with seeded.reading() as session:
        assert (await targets.target(session, a_user, None)).model_id == model_id


async def test_the_default_model_cannot_be_disabled_or_deleted(
    seeded: Database, an_admin: Actor, a_user: Actor, openai: ProviderId
) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "gpt-4o")
    async with seeded.writing() as session:
        await ai_models.set_default(session, an_admin, model_id)

    for attempt in (ai_models.set_model_enabled, ai_models.delete_model):
        flags = {"is_enabled": False} if attempt is ai_models.set_model_enabled else {}
        with pytest.raises(InvalidInput, match="Make another one the default first"):
            async with seeded.writing() as session:
                await attempt(session, an_admin, model_id, **flags)  # type: ignore[operator]

    async with seeded.reading() as session:
        assert (await targets.target(session, a_user, None)).model_id == model_id


async def test_a_disabled_model_cannot_become_the_default(
    seeded: Database, an_admin: Actor, openai: ProviderId
) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "gpt-4o")
    async with seeded.writing() as session:
        await ai_models.set_model_enabled(session, an_admin, model_id, is_enabled=False)

    with pytest.raises(InvalidInput, match="switched off"):
        async with seeded.writing() as session:
            await ai_models.set_default(session, an_admin, model_id)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"context_window": 0}, "context window"),
        ({"max_output_tokens": -1}, "longest answer"),
        ({"prices": Prices(Decimal(-1), None, Decimal(1))}, "between 0 and 100,000"),
        ({"prices": Prices(Decimal("NaN"), None, Decimal(1))}, "between 0 and 100,000"),
        ({"prices": Prices(Decimal("Infinity"), None, Decimal(1))}, "between 0 and 100,000"),
        ({"prices": Prices(Decimal(1), None, None)}, "both prices"),
        ({"prices": Prices(None, Decimal(1), None)}, "cached input needs"),
    ],
)
async def test_values_that_cannot_be_are_refused(
    seeded: Database, an_admin: Actor, openai: ProviderId, fields: dict[str, Any], says: str
) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "gpt-4o")
    before = await read(seeded, an_admin, model_id)

    with pytest.raises(InvalidInput, match=f"(?i){says}"):
        async with seeded.writing() as session:
            await ai_models.change_model(session, an_admin, model_id, change_of(before, **fields))

    assert await read(seeded, an_admin, model_id) == before


async def test_a_change_of_what_somebody_changed_meanwhile_is_refused(
    seeded: Database, an_admin: Actor, openai: ProviderId
) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "gpt-4o")
    seen = await read(seeded, an_admin, model_id)
    async with seeded.writing() as session:
        await ai_models.change_model(session, an_admin, model_id, change_of(seen, display_name="First"))

    change = change_of(seen, display_name="Second")
    with pytest.raises(Conflict):
        async with seeded.writing() as session:
            await ai_models.change_model(session, an_admin, model_id, change, seen=seen.updated_at)

    assert (await read(seeded, an_admin, model_id)).display_name == "First"


async def test_list_prices_can_be_taken_back(seeded: Database, an_admin: Actor, openai: ProviderId) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "gpt-4o")
    seen = await read(seeded, an_admin, model_id)
    async with seeded.writing() as session:
        await ai_models.change_model(session, an_admin, model_id, change_of(seen, prices=Prices()))
    assert (await read(seeded, an_admin, model_id)).price_source is PriceSource.UNKNOWN

    async with seeded.writing() as session:
        await ai_models.use_list_prices(session, an_admin, model_id)

    model = await read(seeded, an_admin, model_id)
    assert (model.prices, model.price_source) == (seen.prices, PriceSource.LIST)


async def test_each_change_of_a_price_is_kept_with_who_and_when(
    seeded: Database, an_admin: Actor, a_user: Actor, secrets: Secrets
) -> None:
    began = now()
    async with seeded.writing() as session:
        new = NewProvider("Anthropic", "anthropic", "https://api.anthropic.com", key="sk-0123456789abcdef-wxyz")
        anthropic = (await providers.add(session, an_admin, secrets.sealer, new)).id
    (model_id,) = await add(seeded, an_admin, anthropic, "claude-sonnet-4-5")
    first = await read(seeded, an_admin, model_id)
    own = Prices(Decimal(1), None, Decimal(2), Decimal(3))
    async with seeded.writing() as session:
        await ai_models.change_model(session, an_admin, model_id, change_of(first, display_name="Claude"))
        await ai_models.change_model(session, an_admin, model_id, change_of(first, prices=own))
    async with seeded.writing() as session:
        await ai_models.use_list_prices(session, an_admin, model_id)

    async with seeded.reading() as session:
        found = await price_history.history(session, an_admin, model_id)
        with pytest.raises(Forbidden):
            await price_history.history(session, a_user, model_id)
        told = (await session.scalars(select(AuditLog).where(AuditLog.action == "model.changed"))).all()

    assert [(one.prices, one.source) for one in found] == [
        (first.prices, PriceSource.LIST), (own, PriceSource.ADMIN), (first.prices, PriceSource.LIST),
    ]  # fmt: skip
    assert first.prices.tiers[0].above_tokens == 200_000
    assert {one.changed_by for one in found} == {an_admin.name}
    assert now() >= found[0].valid_from > found[1].valid_from > found[2].valid_from >= began
    assert ["> 200000: 6 / 0.6 / 22.5 / -", ""] in [one.changes.get("price_tiers") for one in told]


async def test_a_price_the_list_does_not_know_is_not_invented(
    seeded: Database, an_admin: Actor, openai: ProviderId
) -> None:
    (model_id,) = await add(seeded, an_admin, openai, "my-own-finetune")

    with pytest.raises(InvalidInput, match="Type its prices in"):
        async with seeded.writing() as session:
            await ai_models.use_list_prices(session, an_admin, model_id)


async def test_models_are_found_by_any_of_their_names_page_by_page(
    seeded: Database, an_admin: Actor, openai: ProviderId
) -> None:
    await add(seeded, an_admin, openai, *(f"model-{number:02}" for number in range(12)), "100%_mine")

    async with seeded.reading() as session:
        page = await ai_models.find_models(session, an_admin, search="MODEL-", offset=10, limit=5)
        by_provider = await ai_models.find_models(session, an_admin, search="demo")
        literal = await ai_models.find_models(session, an_admin, search="%_")
        one_provider = await ai_models.find_models(session, an_admin, provider_id=openai, limit=1)

    assert ([model.name for model in page.items], page.total) == (["model-10", "model-11"], 12)
    assert [model.name for model in by_provider.items] == ["demo"]
    assert [model.name for model in literal.items] == ["100%_mine"]
    assert one_provider.total == 13


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "new\nline", "nul\x00", "\ud800"])
async def test_a_name_no_model_has_is_refused(seeded: Database, an_admin: Actor, openai: ProviderId, name: str) -> None:
    with pytest.raises(InvalidInput, match="printable characters"):
        await add(seeded, an_admin, openai, name)


async def test_asking_an_unknown_model_says_what_to_do(seeded: Database, a_user: Actor) -> None:
    async with seeded.reading() as session:
        with pytest.raises(NotFound, match="Pick another one"):
            await targets.target(session, a_user, ModelId(uuid7()))


async def test_only_administrators_may_touch_models(seeded: Database, a_user: Actor) -> None:
    nobody = ModelId(uuid7())
    async with seeded.writing() as session:
        attempts: list[Any] = [
            ai_models.find_models(session, a_user),
            ai_models.get_model(session, a_user, nobody),
            ai_models.add_models(session, a_user, ProviderId(nobody), []),
            ai_models.change_model(session, a_user, nobody, ModelChange("X", None, None, Prices())),
            ai_models.use_list_prices(session, a_user, nobody),
            ai_models.set_model_enabled(session, a_user, nobody, is_enabled=True),
            ai_models.set_default(session, a_user, nobody),
            ai_models.delete_model(session, a_user, nobody),
        ]
        for attempt in attempts:
            with pytest.raises(Forbidden):
                await attempt
