import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from llm_ui.db import Database
from llm_ui.errors import Conflict, Forbidden, InvalidInput, NotFound
from llm_ui.kit.ids import ProviderId, uuid7
from llm_ui.models import AiProvider, AuditLog
from llm_ui.services import ai_models, dependants, providers, targets
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import NewModel
from llm_ui.services.providers import NewProvider, ProviderInfo
from llm_ui.services.secrets import Secrets

KEY = "sk-a-secret-key-of-some-length-7Qx9"
URL = "https://api.example.com/v1"


async def added(database: Database, actor: Actor, secrets: Secrets, **fields: str) -> ProviderInfo:
    """Add a provider, by default a good one."""
    new = NewProvider(**{"name": "Acme", "kind": "openai", "base_url": URL, "key": KEY, **fields})
    async with database.writing() as session:
        return await providers.add(session, actor, secrets.sealer, new)


async def read(database: Database, actor: Actor, provider_id: ProviderId) -> ProviderInfo:
    async with database.reading() as session:
        return await providers.get_provider(session, actor, provider_id)


async def test_a_provider_is_added_and_listed(seeded: Database, an_admin: Actor, secrets: Secrets) -> None:
    provider = await added(seeded, an_admin, secrets, name="  Acme\n AI ", base_url=URL + "/")

    async with seeded.reading() as session:
        _, listed = await providers.list_providers(session, an_admin)
    assert listed == provider
    assert (listed.name, listed.base_url, listed.is_enabled, listed.model_count) == ("Acme AI", URL, True, 0)
    assert (listed.has_key, listed.key_hint, listed.needs_key) == (True, "7Qx9", True)


async def test_the_key_is_sealed_for_its_row_and_never_listed(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets)

    async with seeded.reading() as session:
        row = await session.get_one(AiProvider, provider.id)
        log = (await session.scalars(select(AuditLog))).all()
    assert row.sealed_key is not None
    assert KEY not in row.sealed_key
    assert secrets.sealer.open(row.sealed_key, str(provider.id)) == KEY
    assert KEY not in repr(provider)
    assert KEY not in repr([(entry.detail, entry.changes) for entry in log])


async def test_a_short_key_gives_no_hint(seeded: Database, an_admin: Actor, secrets: Secrets) -> None:
    provider = await added(seeded, an_admin, secrets, key="hunter2")

    assert (provider.has_key, provider.key_hint) == (True, "")


async def test_a_type_brings_its_usual_address_and_needs_no_key(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets, kind="ollama", base_url="", key="")

    assert (provider.base_url, provider.has_key, provider.needs_key) == ("http://127.0.0.1:11434", False, False)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "   ", "needs a name"),
        ("name", "x" * 65, "64 characters"),
        ("kind", "telepathy", "Use one of: openai"),
        ("base_url", "api.example.com", "begin with http"),
        ("base_url", "ftp://example.com", "begin with http"),
        ("base_url", "file:///etc/passwd", "begin with http"),
        ("base_url", "http://", "begin with http"),
        ("base_url", "https://ann:pass@example.com", "must not hold a user"),
        ("base_url", "https://@example.com", "must not hold a user"),
        ("base_url", "https://example.com/v1?key=1", "must not hold a user"),
        ("base_url", "https://example.com/v1#part", "must not hold a user"),
        ("base_url", "https://example.com:99999", "port"),
        ("base_url", "https://[::1", "port or host"),
        ("base_url", "https://exam ple.com", "characters no address has"),
        ("base_url", "https://example.com\\@evil.com", "characters no address has"),
        ("base_url", "https://example.com/\nv1", "characters no address has"),
        ("base_url", "https://example.com/" + "x" * 2_000, "too long"),
        ("base_url", "https://YOUR-RESOURCE.openai.azure.com/openai/v1", "YOUR-RESOURCE"),
        ("key", "sk-with a space\x00", "Copy it again"),
        ("key", "sk-ключ", "Copy it again"),
        ("key", "k" * 5_000, "too long"),
    ],
)
async def test_what_cannot_be_used_is_refused_with_what_to_do(
    seeded: Database, an_admin: Actor, secrets: Secrets, field: str, value: str, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says):
        await added(seeded, an_admin, secrets, **{field: value})

    async with seeded.reading() as session:
        assert len(await providers.list_providers(session, an_admin)) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:11434", "http://[::1]:8080/v1", "https://bücher.example/v1"])
async def test_addresses_of_all_shapes_are_taken(seeded: Database, an_admin: Actor, secrets: Secrets, url: str) -> None:
    assert (await added(seeded, an_admin, secrets, base_url=url)).base_url == url


async def test_two_providers_cannot_share_a_name(seeded: Database, an_admin: Actor, secrets: Secrets) -> None:
    await added(seeded, an_admin, secrets)

    with pytest.raises(Conflict, match="Choose another name"):
        await added(seeded, an_admin, secrets, name="ACME")


async def test_a_deleted_provider_frees_its_name(seeded: Database, an_admin: Actor, secrets: Secrets) -> None:
    first = await added(seeded, an_admin, secrets)
    async with seeded.writing() as session:
        await providers.delete(session, an_admin, first.id)

    second = await added(seeded, an_admin, secrets)

    assert second.id != first.id


async def test_a_change_keeps_the_key_unless_a_new_one_is_given(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets)

    async with seeded.writing() as session:
        new = NewProvider("Acme 2", "openai", URL)
        await providers.change(session, an_admin, secrets.sealer, provider.id, new, seen=provider.updated_at)

    changed = await read(seeded, an_admin, provider.id)
    assert (changed.name, changed.key_hint) == ("Acme 2", "7Qx9")
    assert changed.updated_at > provider.updated_at


async def test_a_new_key_replaces_the_old_one_and_clears_the_refusal(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets)
    async with seeded.writing() as session:
        await providers.mark_key_refused(session, provider.id)
    assert (await read(seeded, an_admin, provider.id)).is_key_refused

    async with seeded.writing() as session:
        new = NewProvider("Acme", "openai", URL, key=KEY.replace("7Qx9", "NEW1"))
        await providers.change(session, an_admin, secrets.sealer, provider.id, new)

    changed = await read(seeded, an_admin, provider.id)
    assert (changed.key_hint, changed.is_key_refused) == ("NEW1", False)


async def test_a_key_is_never_taken_along_to_another_address(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets)

    new = NewProvider("Acme", "openai", "https://evil.example.com/v1")
    with pytest.raises(InvalidInput, match="enter the key again"):
        async with seeded.writing() as session:
            await providers.change(session, an_admin, secrets.sealer, provider.id, new)

    assert (await read(seeded, an_admin, provider.id)).base_url == URL


async def test_a_change_of_what_somebody_changed_meanwhile_is_refused(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets)

    async def save(name: str) -> None:
        async with seeded.writing() as session:
            new = NewProvider(name, "openai", URL)
            await providers.change(session, an_admin, secrets.sealer, provider.id, new, seen=provider.updated_at)

    results = await asyncio.gather(save("One"), save("Two"), return_exceptions=True)

    assert sorted(type(result) for result in results if result is not None) == [Conflict]


async def test_a_test_or_a_refused_key_meanwhile_does_not_refuse_a_change(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets)
    async with seeded.writing() as session:
        await providers.record_test(session, an_admin, provider.id, "It did not answer.")
        await providers.mark_key_refused(session, provider.id)

    async with seeded.writing() as session:
        new = NewProvider("Acme 2", "openai", URL)
        await providers.change(session, an_admin, secrets.sealer, provider.id, new, seen=provider.updated_at)

    assert (await read(seeded, an_admin, provider.id)).name == "Acme 2"


async def test_a_good_test_takes_back_the_error_and_the_refused_key(
    seeded: Database, an_admin: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets)
    async with seeded.writing() as session:
        await providers.mark_key_refused(session, provider.id)
        await providers.record_test(session, an_admin, provider.id, "The key was refused.")
    failed = await read(seeded, an_admin, provider.id)
    assert (failed.last_test_error, failed.is_key_refused) == ("The key was refused.", True)

    async with seeded.writing() as session:
        await providers.record_test(session, an_admin, provider.id, None)

    good = await read(seeded, an_admin, provider.id)
    assert (good.last_test_error, good.is_key_refused) == (None, False)
    assert good.last_tested_at is not None


async def test_a_new_address_forgets_the_last_test(seeded: Database, an_admin: Actor, secrets: Secrets) -> None:
    provider = await added(seeded, an_admin, secrets)
    async with seeded.writing() as session:
        await providers.record_test(session, an_admin, provider.id, "It did not answer.")

    async with seeded.writing() as session:
        new = NewProvider("Acme", "openai", "https://other.example.com", key=KEY)
        await providers.change(session, an_admin, secrets.sealer, provider.id, new)

    assert (await read(seeded, an_admin, provider.id)).last_tested_at is None


async def test_models_of_a_disabled_provider_cannot_be_asked(
    seeded: Database, an_admin: Actor, a_user: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets)
    async with seeded.writing() as session:
        (model_id,) = await ai_models.add_models(session, an_admin, provider.id, [NewModel("gpt-4o")])
        await providers.set_enabled(session, an_admin, provider.id, is_enabled=False)

    async with seeded.reading() as session:
        assert model_id not in [model.id for model in await ai_models.list_models(session, a_user)]
        with pytest.raises(InvalidInput, match="switched off"):
            await targets.target(session, a_user, model_id)


async def test_a_deleted_provider_takes_its_models_and_its_key_with_it(
    seeded: Database, an_admin: Actor, a_user: Actor, secrets: Secrets
) -> None:
    provider = await added(seeded, an_admin, secrets)
    async with seeded.writing() as session:
        (model_id,) = await ai_models.add_models(session, an_admin, provider.id, [NewModel("gpt-4o")])

    async with seeded.writing() as session:
        await providers.delete(session, an_admin, provider.id)

    async with seeded.reading() as session:
        assert (await session.get_one(AiProvider, provider.id)).sealed_key is None
        with pytest.raises(NotFound):
            await providers.get_provider(session, an_admin, provider.id)
        with pytest.raises(NotFound):
            await targets.target(session, a_user, model_id)


async def test_deleting_the_provider_of_the_default_model_leaves_no_default(
    seeded: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with seeded.writing() as session:
        (demo,) = await providers.list_providers(session, an_admin)
        assert (await dependants.of_provider(session, an_admin, demo.id)).is_default
        await providers.delete(session, an_admin, demo.id)

    async with seeded.reading() as session:
        with pytest.raises(InvalidInput, match="No model is set as default"):
            await targets.target(session, a_user, None)


async def test_a_provider_is_found_by_its_name(seeded: Database, an_admin: Actor, secrets: Secrets) -> None:
    provider = await added(seeded, an_admin, secrets)

    async with seeded.reading() as session:
        assert (await providers.find_by_name(session, an_admin, " acme ")).id == provider.id
        with pytest.raises(NotFound, match="Nobody"):
            await providers.find_by_name(session, an_admin, "Nobody")


async def test_every_change_is_audited(seeded: Database, an_admin: Actor, secrets: Secrets) -> None:
    provider = await added(seeded, an_admin, secrets)
    async with seeded.writing() as session:
        await providers.set_enabled(session, an_admin, provider.id, is_enabled=False)
        await providers.set_enabled(session, an_admin, provider.id, is_enabled=True)
        await providers.change(session, an_admin, secrets.sealer, provider.id, NewProvider("Acme", "openai", URL))
        await providers.delete(session, an_admin, provider.id)

    async with seeded.reading() as session:
        log = (await session.scalars(select(AuditLog).order_by(AuditLog.number))).all()
    verbs = ["added", "disabled", "enabled", "changed", "deleted"]
    assert [(entry.action, entry.target) for entry in log] == [(f"provider.{verb}", "Acme") for verb in verbs]


async def test_only_administrators_may_touch_providers(seeded: Database, a_user: Actor, secrets: Secrets) -> None:
    nobody = ProviderId(uuid7())
    async with seeded.writing() as session:
        attempts: list[Any] = [
            providers.list_providers(session, a_user),
            providers.get_provider(session, a_user, nobody),
            providers.find_by_name(session, a_user, "Demo"),
            providers.provider_target(session, a_user, nobody),
            dependants.of_provider(session, a_user, nobody),
            providers.add(session, a_user, secrets.sealer, NewProvider("X", "openai", URL)),
            providers.change(session, a_user, secrets.sealer, nobody, NewProvider("X", "openai", URL)),
            providers.set_enabled(session, a_user, nobody, is_enabled=False),
            providers.delete(session, a_user, nobody),
            providers.record_test(session, a_user, nobody, None),
        ]
        for attempt in attempts:
            with pytest.raises(Forbidden):
                await attempt
