"""The configuration as a file: out, in again, elsewhere, and what it cannot hold."""

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from llm_ui.admin.configuration import rows
from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput, TooLarge
from llm_ui.models import AuditLog, Role
from llm_ui.services import (
    agents,
    ai_models,
    configuration,
    configuration_import,
    issuers,
    library,
    prompts,
    providers,
    settings,
)
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.agents import AgentSettings
from llm_ui.services.configuration import MAX_BYTES, Configuration
from llm_ui.services.configuration_import import Becomes, Step
from llm_ui.services.providers import NewProvider
from llm_ui.services.secrets import Secrets
from llm_ui.services.seed import seed
from llm_ui.services.settings import BANNER, MEMORY
from tests.conftest import make_actor

KEY = "sk-nobody-may-take-this-away"
FILE: dict[str, Any] = {
    "llm_ui_configuration": 1,
    "providers": [
        {
            "name": "Lab", "kind": "openai", "base_url": "https://lab.example.org/v1",
            "models": [
                {"name": "big", "display_name": "The big one", "context_window": 1_000, "input_usd_per_mtok": "0.5",
                 "output_usd_per_mtok": "2"},
                {"name": "old", "display_name": "Old", "is_enabled": False},
            ],
        }
    ],
    "prompts": [{"name": "Concise", "text": "Be short.", "is_default": True}],
    "settings": {"memory": False, "banner": "Hello"},
}  # fmt: skip


Empty = tuple[Database, Actor]


@pytest.fixture
async def another_admin(seeded: Database) -> Actor:
    return await make_actor(seeded, "eve", Role.ADMIN)


@pytest.fixture
async def empty(tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Path) -> AsyncIterator[Empty]:
    """Another installation, in which there is nothing but an administrator."""
    config = Config(data_dir=tmp_path_factory.mktemp("empty"))
    shutil.copy(migrated_sqlite, config.folder / "llm-ui.db")
    database = Database.open(config)
    async with database.writing() as session:
        await seed(session)
    yield database, await make_actor(database, "zoe", Role.ADMIN)
    await database.close()


def wanted(**changes: Any) -> Configuration:
    return configuration.parsed(json.dumps({**FILE, **changes}).encode())


async def take_in(database: Database, actor: Actor, secrets: Secrets, file: Configuration) -> list[str]:
    async with database.writing() as session:
        return named(await configuration_import.take_in(session, actor, secrets.sealer, file))


async def rehearsed(database: Database, actor: Actor, secrets: Secrets, file: Configuration) -> tuple[Step, ...]:
    return await configuration_import.rehearse(database, actor, secrets.sealer, file)


def named(steps: tuple[Step, ...]) -> list[str]:
    """Return what is not so already."""
    return [f"{one.what} {one.name}" for one in steps if one.becomes is not Becomes.SAME]


async def test_a_file_is_taken_in_once_and_changes_nothing_the_second_time(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    planned = named(await rehearsed(seeded, an_admin, secrets, wanted()))
    async with seeded.reading() as session:
        assert (await session.scalars(select(AuditLog))).all() == [], "a rehearsal leaves nothing behind"
    done = await take_in(seeded, an_admin, secrets, wanted())

    assert done == planned
    assert done == [
        "provider Lab", "model Lab: big", "model Lab: old", "prompt Concise", "setting memory", "setting banner",
    ]  # fmt: skip
    assert await take_in(seeded, an_admin, secrets, wanted()) == []
    async with seeded.reading() as session:
        lab = await providers.find_by_name(session, an_admin, "Lab")
        old, big = (await ai_models.find_models(session, an_admin, provider_id=lab.id)).items
        assert (big.display_name, str(big.prices.input_usd_per_mtok), old.is_enabled) == ("The big one", "0.5", False)
        chosen = await prompts.instructions(session, an_admin, None)
        assert chosen is not None
        assert (chosen.name, chosen.text) == ("Concise", "Be short.")
        assert (await settings.get(session, MEMORY), await settings.get(session, BANNER)) == (False, "Hello")
        actions = set(await session.scalars(select(AuditLog.action)))
    assert {"provider.added", "model.changed", "prompt.changed", "setting.changed", "configuration.imported"} <= actions


async def test_what_is_written_is_taken_in_as_the_same_and_holds_no_key(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    async with seeded.writing() as session:
        new = NewProvider("Keyed", "openai", "https://keyed.example.org/v1", KEY)
        await providers.add(session, an_admin, secrets.sealer, new)
    await take_in(seeded, an_admin, secrets, wanted())

    async with seeded.reading() as session:
        text = (await configuration.read(session, an_admin)).model_dump_json()

    assert KEY not in text
    assert KEY[-4:] not in text
    assert await take_in(seeded, an_admin, secrets, configuration.parsed(text.encode())) == []
    async with seeded.reading() as session:
        assert (await providers.find_by_name(session, an_admin, "Keyed")).has_key


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"settings": {"setup_token_hash": "x"}}, "setup_token_hash is refused: There is no such setting"),
        ({"settings": {"memory": 1}}, "memory is refused: There is no such setting with such a value"),
        ({"settings": {"registration_domains": "nowhere"}}, "is no domain"),
        ({"settings": {"banner_level": "loud"}}, "one of: info, warning"),
        ({"prompts": [{"name": "Nobody's", "text": "x"}]}, "Nobody's is refused: There are no instructions"),
        ({"agents": [{"name": "Ann", "provider": "Lab", "model": "gone"}]}, "Its model gone is not here"),
        ({"saved_prompts": [{"name": "a", "text": "x"}, {"name": "a", "text": "y"}]}, "names it twice"),
        ({"providers": [{"name": "Demo", "kind": "openai", "base_url": "https://x.example"}]}, "of another kind"),
        ({"providers": [{"name": "New", "kind": "openai", "base_url": "ftp://x"}]}, "address"),
    ],
)
async def test_what_cannot_be_taken_in_changes_nothing(
    seeded: Database, an_admin: Actor, secrets: Secrets, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        await take_in(seeded, an_admin, secrets, wanted(**changes))
    refused = [one for one in await rehearsed(seeded, an_admin, secrets, wanted(**changes)) if one.reason]

    assert refused[0].becomes is Becomes.REFUSED
    async with seeded.reading() as session:
        assert (await session.scalars(select(AuditLog))).all() == []


@pytest.mark.parametrize("text", [b"", b"[]", b'{"llm_ui_configuration": 2}', b'{"more": 1}', b"\xff"])
def test_what_is_no_file_of_ours_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput, match="no configuration of LLM UI"):
        configuration.parsed(text)
    with pytest.raises(TooLarge, match="larger than 2 MB"):
        configuration.parsed(text * MAX_BYTES + b" " * (MAX_BYTES + 1))


async def test_a_key_is_not_sent_to_another_address_by_a_file(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    async with seeded.writing() as session:
        new = NewProvider("Lab", "openai", "https://old.example.org/v1", KEY)
        await providers.add(session, an_admin, secrets.sealer, new)

    with pytest.raises(InvalidInput, match="enter the key again"):
        await take_in(seeded, an_admin, secrets, wanted())


async def test_a_round_trip_through_an_empty_installation_changes_nothing(
    seeded: Database, an_admin: Actor, secrets: Secrets, empty: Empty
) -> None:
    await take_in(seeded, an_admin, secrets, wanted(settings={"registration_domains": "example.org", "banner": "Hi"}))
    async with seeded.writing() as session:
        big = next(one for one in await ai_models.list_models(session, an_admin) if one.name == "big")
        ann = AgentSettings("Ann", "Reads", "Be kind.", model_id=big.id, temperature=0.5, starters=("Hello?",))
        await agents.save(session, an_admin, None, replace(ann, is_shared=True))
        await agents.save(session, an_admin, None, AgentSettings("Private"))
        await library.save(session, an_admin, None, "sum-up", "Sum up {{text}}.", is_shared=True, tags=("short",))
        before = await configuration.read(session, an_admin)
    file = configuration.parsed(before.model_dump_json().encode())
    other, admin = empty

    steps = await rehearsed(other, SYSTEM, secrets, file)
    assert {one.becomes for one in steps} <= {Becomes.NEW, Becomes.CHANGED, Becomes.SAME}
    async with other.writing() as session:
        await configuration_import.take_in(session, admin, secrets.sealer, file, shown=None)
        after = await configuration.read(session, admin)

    assert [one.name for one in after.agents] == ["Ann"]
    assert after == before
    again = await rehearsed(other, admin, secrets, file)
    assert {one.becomes for one in again} == {Becomes.SAME}


RULES: dict[str, Any] = {
    "deployments": [
        {"model": {"provider": "Lab", "model": "old"}, "serves": {"provider": "Lab", "model": "big"}, "weight": 3},
        {"model": {"provider": "Lab", "model": "big"}, "balancing": "latency"},
    ],
    "teams": [
        {
            "name": "Birds", "instructions": "Name them in Latin.", "month_usd": "12.50", "owners": ["ada"],
            "members": ["bob", "gone"], "models": [{"provider": "Lab", "model": "old"}], "quotas": {"api_keys": 3},
            "filters": [{"kind": "terms", "on_input": "block", "on_output": "off", "terms": ["secret bird"]}],
        },
        {"name": "Stars"},
    ],
    "role_quotas": {"user": {"month_usd": 20, "day_tokens": 0}},
    "filters": [{"kind": "pii", "on_input": "mask", "on_output": "log", "types": ["email"]}],
    "limits": [
        {"scope": "platform", "kind": "streams", "amount": 9, "action": "throttle"},
        {"scope": "team", "team": "Birds", "kind": "day_usd", "amount": 500, "action": "stop"},
        {"scope": "model", "model": {"provider": "Lab", "model": "big"}, "kind": "streams", "amount": 2,
         "action": "warn"},
    ],
    "issuers": [
        {"name": "Company", "address": "https://login.example.org", "client_id": "llm-ui", "has_secret": True,
         "is_active": False, "admin_groups": "it", "team_groups": "crew = Birds"},
    ],
    "autos": [
        {"name": "Thrifty", "description": "What costs least.", "goodness": 10, "speed": 20, "is_enabled": False,
         "models": [{"provider": "Lab", "model": "old"}, {"provider": "Lab", "model": "big"}],
         "rules": [
             {"when": "team", "team": "Birds", "model": {"provider": "Lab", "model": "big"}},
             {"when": "longer", "value": "4000", "model": {"provider": "Lab", "model": "old"}},
         ]},
    ],
    "agents": [{"name": "Sparing", "instructions": "Be brief.", "auto": "Thrifty"}],
}  # fmt: skip


async def test_rules_go_through_an_empty_installation_and_what_is_left_to_do_is_said(
    seeded: Database, an_admin: Actor, a_user: Actor, secrets: Secrets, empty: Empty
) -> None:
    planned = await rehearsed(seeded, an_admin, secrets, wanted(**RULES))
    hints = {one.name: one.hint for one in planned if one.hint}
    assert hints["Birds"] == "Without gone: nobody here is called like this."
    assert "type it in under Sign-in" in hints["Company"]
    assert await take_in(seeded, an_admin, secrets, wanted(**RULES)) == named(planned)
    assert await take_in(seeded, an_admin, secrets, wanted(**RULES)) == []
    async with seeded.writing() as session:
        (issuer,) = await issuers.list_issuers(session, an_admin)
        new = replace(issuer.filled, secret=KEY)
        await issuers.change(session, an_admin, secrets.sealer, issuer.id, new, seen=issuer.updated_at)
        text = (await configuration.read(session, an_admin)).model_dump_json()
    assert KEY not in text
    other, admin = empty
    for name in ("ada", "bob"):
        await make_actor(other, name, Role.USER)

    await take_in(other, admin, secrets, configuration.parsed(text.encode()))

    async with other.reading() as session:
        again = (await configuration.read(session, admin)).model_dump_json()
        assert again == text.replace('"has_secret":true', '"has_secret":false')
    assert {row["cells"]["how"] for row in rows.changes(planned)}, "each field has its word"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"teams": [{"name": "", "owners": []}]}, "A team needs a name"),
        ({"teams": [{"name": "B", "models": [{"provider": "Lab", "model": "x"}]}]}, "Its model Lab: x is not here"),
        ({"role_quotas": {"user": {"api_keys": -1}}}, "A limit is a whole number"),
        ({"filters": [{"kind": "terms", "on_input": "block", "on_output": "off"}]}, "List the terms first"),
        ({"limits": [{**RULES["limits"][1], "team": "None"}]}, "are here. Correct it"),
        ({"limits": [{**RULES["limits"][0], "amount": 0}]}, "A limit is at least 1"),
        ({"limits": [{**RULES["limits"][0], "scope": "user"}]}, "are here. Correct it"),
        ({"issuers": [{**RULES["issuers"][0], "address": "ftp://x"}]}, "Company is refused"),
        ({"issuers": [{**RULES["issuers"][0], "team_groups": "crew = None"}]}, "There is no team named None"),
        ({"deployments": [{**RULES["deployments"][1], "weight": 0}]}, "A weight is a whole number"),
        ({"autos": [{**RULES["autos"][0], "rules": RULES["autos"][0]["rules"][:1]}]}, "There is no team named Birds"),
        ({"autos": [{"name": "One", "models": RULES["autos"][0]["models"][:1]}]}, "Choose from 2 to 20 models"),
        ({"agents": [{"name": "Sparing", "auto": "Thrifty"}]}, "Its Auto model Thrifty is not here"),
    ],
)
async def test_rules_that_cannot_be_change_nothing(
    seeded: Database, an_admin: Actor, secrets: Secrets, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        await take_in(seeded, an_admin, secrets, wanted(**changes))

    async with seeded.reading() as session:
        assert (await session.scalars(select(AuditLog))).all() == []


async def test_what_was_shown_is_what_is_done(
    seeded: Database, an_admin: Actor, another_admin: Actor, secrets: Secrets
) -> None:
    shown = await rehearsed(seeded, an_admin, secrets, wanted())
    async with seeded.writing() as session:
        await settings.change(session, an_admin, BANNER, "Meanwhile")

    with pytest.raises(Conflict, match="changed meanwhile"):
        async with seeded.writing() as session:
            await configuration_import.take_in(session, an_admin, secrets.sealer, wanted(), shown=shown)
    async with seeded.writing() as session:
        await agents.save(session, another_admin, None, AgentSettings("Ann", is_shared=True))
        assert await settings.get(session, BANNER) == "Meanwhile"
    file = wanted(agents=[{"name": "Ann", "description": "Another"}])
    (refused,) = [one for one in await rehearsed(seeded, an_admin, secrets, file) if one.reason]
    assert refused.reason.startswith("Another administrator offers it here")


async def test_nobody_else_may(seeded: Database, a_user: Actor, secrets: Secrets) -> None:
    async with seeded.writing() as session:
        for refused in (
            configuration.read(session, a_user),
            configuration_import.take_in(session, a_user, secrets.sealer, wanted()),
            configuration.note_export(session, a_user),
        ):
            with pytest.raises(Forbidden):
                await refused
    with pytest.raises(Forbidden):
        await rehearsed(seeded, a_user, secrets, wanted())
