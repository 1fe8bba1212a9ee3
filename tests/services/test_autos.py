"""*Auto* models as administrators make them: among real models, with rights, and in the lists that people pick from."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import ModelId
from llm_ui.models import AuditLog, TeamRole
from llm_ui.services import ai_models, autos, offered, providers, team_models
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelChange
from llm_ui.services.auto_rules import AutoSettings, Rule, When
from llm_ui.services.autos import AutoChange
from llm_ui.services.targets import target, targets
from tests.services.test_deployments import models
from tests.services.test_teams import a_team

__all__ = ["models"]


def wanted(*ids: ModelId, name: str = "Best", rules: tuple[Rule, ...] = ()) -> AutoChange:
    return AutoChange(name, "Picks for you.", AutoSettings(ids, rules, 50, 0))


@pytest.fixture
async def auto_id(seeded: Database, an_admin: Actor, models: dict[str, ModelId]) -> ModelId:
    """One that picks among `a/big` and `b/big`."""
    async with seeded.writing() as session:
        return await autos.add_auto(session, an_admin, wanted(models["a/big"], models["b/big"]))


async def test_it_is_picked_like_a_model_and_is_no_provider(
    seeded: Database, an_admin: Actor, a_user: Actor, auto_id: ModelId
) -> None:
    async with seeded.reading() as session:
        (listed,) = await autos.list_autos(session, an_admin)
        picked = {one.display_name: one.provider_name for one in await ai_models.list_models(session, a_user)}
        named = await offered.named(session, a_user, "best", None)
        names = [one.name for one in await offered.list_offered(session, a_user, frozenset({auto_id}))]
        managed = await ai_models.find_models(session, an_admin, search="best")
        shown = {one.name for one in await providers.list_providers(session, an_admin)}
        with pytest.raises(InvalidInput, match="picks a model for each question"):
            await target(session, a_user, auto_id)
    assert (listed.candidates, listed.name) == (("big", "big"), "best")
    assert picked["Best"] == "Auto"
    assert (named.model_id, names, managed.total) == (auto_id, ["best"], 0)
    assert named.auto == listed.settings
    assert "Auto" not in shown


async def test_it_can_what_one_of_its_models_can_also_once_that_changes(
    seeded: Database,
    an_admin: Actor,
    models: dict[str, ModelId],
    auto_id: ModelId,
) -> None:
    async def known() -> tuple[int | None, bool]:
        async with seeded.reading() as session:
            found = await target(session, an_admin, auto_id, may_choose=True)
            return found.context_window, found.can_see_images

    before = await known()
    async with seeded.writing() as session:
        model = await ai_models.get_model(session, an_admin, models["a/big"])
        change = ModelChange("big", 123_456, None, model.prices, can_see_images=True)
        await ai_models.change_model(session, an_admin, model.id, change)
    assert (before, await known()) == ((None, False), (123_456, True))
    async with seeded.writing() as session:
        await ai_models.set_model_enabled(session, an_admin, models["a/big"], is_enabled=False)
    assert await known() == before


async def test_changes_are_written_down_and_it_goes(
    seeded: Database,
    an_admin: Actor,
    models: dict[str, ModelId],
    auto_id: ModelId,
) -> None:
    rule = Rule(When.LONGER, " 4,000 ", models["c/big"])
    change = wanted(models["b/big"], models["c/big"], name="Better", rules=(rule, replace(rule, when=When.CODE)))
    async with seeded.writing() as session:
        await autos.change_auto(session, an_admin, auto_id, change)
        (listed,) = await autos.list_autos(session, an_admin)
        await ai_models.set_default(session, an_admin, auto_id)
        with pytest.raises(InvalidInput, match="default model"):
            await autos.delete_auto(session, an_admin, auto_id)
        await ai_models.set_default(session, an_admin, models["a/big"])
        await autos.delete_auto(session, an_admin, auto_id)
        again = await autos.add_auto(session, an_admin, wanted(models["a/big"], models["b/big"]))

    async with seeded.reading() as session:
        done = list(await session.scalars(select(AuditLog.action).where(AuditLog.action.startswith("auto."))))
        with pytest.raises(NotFound):
            await target(session, an_admin, auto_id, may_choose=True)
        assert (await target(session, an_admin, again, may_choose=True)).name == "best-2"
    assert [one.value for one in listed.settings.rules] == ["4000", ""]
    assert sorted(done) == ["auto.added", "auto.added", "auto.changed", "auto.deleted"]


async def test_what_makes_no_sense_is_refused_and_nobody_else_makes_them(
    seeded: Database,
    an_admin: Actor,
    a_user: Actor,
    models: dict[str, ModelId],
    auto_id: ModelId,
) -> None:
    a, b = models["a/big"], models["b/big"]
    refused = {
        "from 2 to": wanted(a, a, name="x"),
        "Give it a name": wanted(a, b, name="  "),
        "makes no answers itself": wanted(a, auto_id, name="x"),
        "no answers itself": wanted(a, models["a/text-embedding-3-small"], name="x"),
        "none of the candidates": wanted(a, b, name="x", rules=(Rule(When.CODE, "", models["c/big"]),)),
    }
    async with seeded.writing() as session:
        for words, change in refused.items():
            with pytest.raises(InvalidInput, match=words):
                await autos.add_auto(session, an_admin, change)
        with pytest.raises(Conflict, match="of that name already"):
            await autos.add_auto(session, an_admin, wanted(a, b, name="bEST"))
        for asked in (autos.list_autos(session, a_user), autos.delete_auto(session, a_user, auto_id)):
            with pytest.raises(Forbidden):
                await asked


async def test_candidates_are_only_those_that_somebody_may_ask(
    seeded: Database,
    an_admin: Actor,
    a_user: Actor,
    models: dict[str, ModelId],
) -> None:
    team_id = await a_team(seeded, ada=TeamRole.MEMBER)
    async with seeded.writing() as session:
        await team_models.keep(session, an_admin, team_id, [models["a/big"]])
    ids = [models["b/big"], models["a/big"], models["a/text-embedding-3-small"]]

    async with seeded.reading() as session:
        (mine, teams), (theirs, none) = [await targets(session, one, ids, [team_id]) for one in (an_admin, a_user)]

    assert ([one.model_id for one in mine], teams) == (ids[:2], {team_id})
    assert ([one.model_id for one in theirs], none) == (ids[:1], frozenset())
