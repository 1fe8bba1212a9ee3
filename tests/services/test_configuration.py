"""The configuration as a file: out, in again, elsewhere, and what it cannot hold."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput
from llm_ui.models import AuditLog
from llm_ui.services import ai_models, configuration, prompts, providers, settings
from llm_ui.services.access import Actor
from llm_ui.services.configuration import Configuration
from llm_ui.services.providers import NewProvider
from llm_ui.services.secrets import Secrets
from llm_ui.services.settings import BANNER, MEMORY

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


def wanted(**changes: Any) -> Configuration:
    return configuration.parsed(json.dumps({**FILE, **changes}).encode())


async def take_in(database: Database, actor: Actor, secrets: Secrets, file: Configuration) -> list[str]:
    async with database.writing() as session:
        return [f"{one.what} {one.name}" for one in await configuration.take_in(session, actor, secrets.sealer, file)]


async def test_a_file_is_taken_in_once_and_changes_nothing_the_second_time(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    async with seeded.reading() as session:
        planned = [f"{one.what} {one.name}" for one in await configuration.plan(session, an_admin, wanted())]
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
        ({"settings": {"setup_token_hash": "x"}}, "no setting setup_token_hash"),
        ({"settings": {"memory": 1}}, "no setting memory with such a value"),
        ({"settings": {"banner_level": "loud"}}, "one of: info, warning"),
        ({"prompts": [{"name": "Nobody's", "text": "x"}]}, "no instructions named Nobody's"),
        ({"providers": [{"name": "Demo", "kind": "openai", "base_url": "https://x.example"}]}, "of another kind"),
        ({"providers": [{"name": "New", "kind": "openai", "base_url": "ftp://x"}]}, "address"),
    ],
)
async def test_what_cannot_be_taken_in_changes_nothing(
    seeded: Database, an_admin: Actor, secrets: Secrets, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        await take_in(seeded, an_admin, secrets, wanted(**changes))

    async with seeded.reading() as session:
        assert (await session.scalars(select(AuditLog))).all() == []


@pytest.mark.parametrize("text", [b"", b"[]", b'{"llm_ui_configuration": 2}', b'{"more": 1}', b"\xff"])
def test_what_is_no_file_of_ours_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidInput, match="no configuration of LLM UI"):
        configuration.parsed(text)


async def test_a_key_is_not_sent_to_another_address_by_a_file(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    async with seeded.writing() as session:
        new = NewProvider("Lab", "openai", "https://old.example.org/v1", KEY)
        await providers.add(session, an_admin, secrets.sealer, new)

    with pytest.raises(InvalidInput, match="enter the key again"):
        await take_in(seeded, an_admin, secrets, wanted())


async def test_nobody_else_may(seeded: Database, a_user: Actor, secrets: Secrets) -> None:
    async with seeded.writing() as session:
        for refused in (
            configuration.read(session, a_user),
            configuration.plan(session, a_user, wanted()),
            configuration.take_in(session, a_user, secrets.sealer, wanted()),
            configuration.note_export(session, a_user),
        ):
            with pytest.raises(Forbidden):
                await refused
