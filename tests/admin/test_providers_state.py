import contextlib
import json
from datetime import datetime

import pytest
from sqlalchemy import update

from llm_ui.admin.providers.state import ADD, DELETE, EDIT, MODELS, OFF, ProvidersState
from llm_ui.kit.clock import now
from llm_ui.models import UserSession
from llm_ui.providers.local import USUAL_PORTS, UsualPort
from llm_ui.services import ai_models, providers, targets
from llm_ui.services.access import Actor
from llm_ui.services.presets import PRESETS
from llm_ui.ui.page import Backend
from tests.admin.conftest import ContextOf
from tests.api.conftest import RunningApi
from tests.fakes.provider import FakeProvider, Received, Reply, models

KEY = "sk-a-good-key-of-some-length-7Qx9"


def keyed(request: Received) -> Reply:
    """Serve two models to whoever has the key."""
    if request.headers.get("authorization") != f"Bearer {KEY}":
        body = json.dumps({"error": {"message": "Incorrect API key provided"}}).encode()
        return Reply([body], status=401, headers={"Content-Type": "application/json"})
    return models(request)


@pytest.fixture
async def state(context_of: ContextOf, an_admin: Actor) -> ProvidersState:
    """The page as an administrator has just opened it."""
    state = ProvidersState(context_of(an_admin))
    await state.load()
    return state


def fill(state: ProvidersState, fake: FakeProvider, *, key: str = KEY) -> None:
    """Open the form and type a provider in."""
    state.open_add()
    state.param.update(provider_name="Acme", kind="openai", base_url=fake.base_url("openai"), key=key)


async def test_the_page_opens_with_the_demo_provider(state: ProvidersState) -> None:
    assert [provider.name for provider in state.providers] == ["Demo"]
    assert state.type_names["openai"] == "OpenAI-compatible"
    assert (state.error, state.sheet, state.is_busy) == ("", "", False)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_known_service_fills_the_form(context_of: ContextOf, an_admin: Actor, preset: object) -> None:
    state = ProvidersState(context_of(an_admin))
    state.open_add()

    state.pick_preset(preset.name)  # type: ignore[attr-defined]

    filled = (state.provider_name, state.kind, state.base_url, state.hint)
    assert filled == (preset.name, preset.kind.value, preset.base_url, preset.hint)  # type: ignore[attr-defined]


async def test_a_saved_provider_appears_at_once_and_its_key_is_forgotten(state: ProvidersState) -> None:
    async with FakeProvider(keyed) as fake:
        fill(state, fake)

        await state.save()

    assert (state.error, state.sheet, state.key) == ("", "", "")
    assert "Acme is saved" in state.said
    assert [provider.name for provider in state.providers] == ["Demo", "Acme"]
    assert state.providers[1].key_hint == "7Qx9"


async def test_what_is_refused_keeps_what_was_typed(state: ProvidersState) -> None:
    state.open_add()
    state.param.update(provider_name="Acme", base_url="nonsense", key=KEY)

    await state.save()

    assert (state.sheet, state.provider_name, state.base_url, state.key) == (ADD, "Acme", "nonsense", KEY)
    assert "must begin with http" in state.error
    assert not state.is_busy


async def test_save_and_test_goes_on_to_the_models_and_adds_the_chosen_ones(
    state: ProvidersState, backend: Backend, an_admin: Actor
) -> None:
    async with FakeProvider(keyed) as fake:
        fill(state, fake)
        await state.save_and_test()
        assert (state.error, state.sheet) == ("", MODELS)
        assert [model.name for model in state.served] == ["fake-small", "fake-large"]
        state.chosen = ["fake-large"]

        await state.add_chosen()

    assert (state.error, state.sheet) == ("", "")
    assert "1 model of Acme" in state.said
    async with backend.database.reading() as session:
        names = [model.name for model in await ai_models.list_models(session, an_admin)]
    assert names == ["demo", "fake-large"]


async def test_a_failed_test_keeps_the_provider_and_its_form_with_one_sentence(state: ProvidersState) -> None:
    async with FakeProvider(keyed) as fake:
        fill(state, fake, key="sk-a-wrong-key-of-some-length-0000")

        await state.save_and_test()

    assert state.sheet == EDIT
    assert "key" in state.error
    assert state.providers[1].last_test_error == state.error
    assert (state.provider_name, state.base_url) == ("Acme", fake.base_url("openai"))


async def test_after_a_failed_test_the_same_provider_is_corrected_not_added_again(state: ProvidersState) -> None:
    async with FakeProvider(keyed) as fake:
        fill(state, fake, key="sk-a-wrong-key-of-some-length-0000")
        await state.save_and_test()

        state.key = KEY
        await state.save_and_test()

    assert (state.error, state.sheet) == ("", MODELS)
    assert [provider.name for provider in state.providers] == ["Demo", "Acme"]


async def test_testing_says_in_one_sentence_that_it_works(state: ProvidersState) -> None:
    async with FakeProvider(keyed) as fake:
        fill(state, fake)
        await state.save()

        await state.test(state.providers[1].id)

    assert state.said == "Acme answers and serves 2 models."
    assert isinstance(state.providers[1].last_tested_at, datetime)


async def test_a_model_can_be_added_by_name_when_the_provider_lists_none(
    state: ProvidersState, backend: Backend, an_admin: Actor
) -> None:
    async with FakeProvider(Reply([b"not found"], status=404)) as fake:
        fill(state, fake)
        await state.save()
        await state.discover(state.providers[1].id)
        assert state.sheet == MODELS
        assert state.error
        state.model_name = "my-deployment"

        await state.add_chosen()

    async with backend.database.reading() as session:
        names = [model.name for model in await ai_models.list_models(session, an_admin)]
    assert "my-deployment" in names


async def test_adding_nothing_is_refused_with_what_to_do(state: ProvidersState) -> None:
    async with FakeProvider(keyed) as fake:
        fill(state, fake)
        await state.save_and_test()

        await state.add_chosen()

    assert state.sheet == MODELS
    assert "Choose at least one model" in state.error


async def test_models_added_before_are_told_from_new_ones(state: ProvidersState) -> None:
    async with FakeProvider(keyed) as fake:
        fill(state, fake)
        await state.save_and_test()
        state.chosen = ["fake-small"]
        await state.add_chosen()

        await state.discover(state.providers[1].id)

    assert state.already == ["fake-small"]


async def test_while_the_demo_is_the_default_a_real_model_is_suggested(
    state: ProvidersState, backend: Backend, an_admin: Actor
) -> None:
    assert state.suggestion is None
    async with FakeProvider(keyed) as fake:
        fill(state, fake)
        await state.save_and_test()
        state.chosen = ["fake-small"]
        await state.add_chosen()
    assert state.suggestion.name == "fake-small"

    await state.make_suggested_default()

    assert state.suggestion is None
    async with backend.database.reading() as session:
        assert (await targets.target(session, an_admin, None)).name == "fake-small"


async def test_a_disabled_provider_can_be_enabled_again(state: ProvidersState) -> None:
    demo = state.providers[0].id
    for is_enabled in (False, True):
        if is_enabled:
            await state.switch_on(demo)
        else:
            await state.ask_off(demo)
            assert (state.sheet, state.providers[0].is_enabled) == (OFF, True)
            assert "default model goes with it" in state.consequences
            await state.switch_off()

        assert state.providers[0].is_enabled is is_enabled
        assert "The models of Demo" in state.said


async def test_providers_are_listed_in_the_order_that_their_forms_say(state: ProvidersState) -> None:
    state.open_add()
    state.fill({"provider_name": "Later", "kind": "openai", "base_url": "https://later.example/v1"})
    await state.save()
    assert [one.name for one in state.providers] == ["Demo", "Later"]
    await state.open_edit(state.providers[1].id)
    state.fill({"place": "1"})

    await state.save()

    assert [one.name for one in state.providers] == ["Later", "Demo"]
    await state.open_edit(state.providers[0].id)
    assert (state.place, state.error) == ("1", "")


async def test_before_deleting_the_page_says_what_breaks(state: ProvidersState) -> None:
    await state.open_edit(state.providers[0].id)

    await state.ask_delete()

    assert state.sheet == DELETE
    assert "1 model of it cannot be asked any more" in state.consequences
    assert "default model goes with it" in state.consequences

    await state.delete()

    assert (state.sheet, state.providers) == ("", ())


async def test_a_change_that_somebody_else_was_quicker_with_is_not_overwritten(
    state: ProvidersState, backend: Backend, an_admin: Actor
) -> None:
    async with FakeProvider(keyed) as fake:
        fill(state, fake)
        await state.save()
        acme = state.providers[1].id
        await state.open_edit(acme)
        async with backend.database.writing() as session:
            await providers.set_enabled(session, an_admin, acme, is_enabled=False)
        state.provider_name = "Mine"

        await state.save()

    assert "changed by somebody else" in state.error
    assert (state.sheet, state.provider_name) == (EDIT, "Mine")


async def test_a_revoked_session_can_do_nothing_more(state: ProvidersState, backend: Backend, an_admin: Actor) -> None:
    async with backend.database.writing() as session:
        await session.execute(update(UserSession).where(UserSession.id == an_admin.session_id).values(revoked_at=now()))

    await state.switch_on(state.providers[0].id)

    assert "signed out" in state.error
    assert state.providers[0].is_enabled


async def test_a_person_without_the_right_sees_and_changes_nothing(context_of: ContextOf, a_user: Actor) -> None:
    state = ProvidersState(context_of(a_user))

    for action in (state.load, state.look_around):
        await action()

        assert "may not do this" in state.error
        assert (state.providers, state.offers) == ((), ())


async def listening_where_servers_usually_do(fake: FakeProvider) -> UsualPort:
    """Start the server on the first usual port that nobody on this machine uses."""
    for usual in USUAL_PORTS:
        with contextlib.suppress(OSError):
            await fake.start(usual.port)
            return usual
    raise AssertionError("all usual ports are taken on this machine")


async def test_a_server_found_on_this_computer_is_added_with_one_click(
    state: ProvidersState, backend: Backend, an_admin: Actor
) -> None:
    fake = FakeProvider(models)
    usual = await listening_where_servers_usually_do(fake)
    try:
        await state.look_around()
    finally:
        await fake.stop()
    assert [(offer.name, len(offer.models)) for offer in state.offers if offer.base_url == usual.base_url] == [
        (usual.name, 2)
    ]

    await state.add_offer(usual.base_url)

    assert state.said == f"{usual.name} is added with 2 models."
    assert usual.base_url not in [offer.base_url for offer in state.offers]
    assert state.providers[1].kind is usual.kind
    async with backend.database.reading() as session:
        models_of_people = await ai_models.list_models(session, an_admin)
    assert [model.name for model in models_of_people] == ["demo", "fake-large", "fake-small"]


async def test_a_server_added_under_another_spelling_is_not_offered_again(state: ProvidersState) -> None:
    fake = FakeProvider(models)
    usual = await listening_where_servers_usually_do(fake)
    try:
        state.open_add()
        state.fill({"provider_name": "Mine", "kind": usual.kind.value, "base_url": f"http://localhost:{usual.port}"})
        await state.save()

        await state.look_around()
    finally:
        await fake.stop()

    assert state.error == ""
    assert usual.base_url not in [offer.base_url for offer in state.offers]


async def test_what_no_form_asked_for_is_refused(state: ProvidersState) -> None:
    actions = (state.delete, state.ask_delete, state.add_chosen, state.make_suggested_default)
    for action in (*actions, lambda: state.add_offer("http://127.0.0.1:1")):
        await action()

        assert "Nothing is chosen" in state.error
    assert len(state.providers) == 1


def test_a_form_sets_its_own_fields_only(state: ProvidersState) -> None:
    state.fill({"provider_name": "Acme", "chosen": ["a"], "sheet": "delete", "error": "x", "base_url": ["no", "text"]})

    assert (state.provider_name, state.chosen) == ("Acme", ["a"])
    assert (state.sheet, state.error, state.base_url) == ("", "", "")


async def test_an_api_that_is_down_is_said_in_one_sentence(state: ProvidersState, api: RunningApi) -> None:
    await api.stop()

    await state.look_around()

    assert "does not answer" in state.error
    assert not state.is_busy

    await api.start()


async def test_keys_are_added_weighed_and_retired_and_the_list_follows(state: ProvidersState) -> None:
    state.open_add()
    state.fill({"provider_name": "Lab", "base_url": "http://127.0.0.1:9/v1", "key": "sk-0123456789abcdef-1111"})
    await state.save()
    lab = next(one for one in state.providers if one.name == "Lab")
    await state.open_keys(lab.id)
    state.fill({"new_key": "sk-0123456789abcdef-2222", "weight": "3"})
    await state.change_keys("add_key")
    assert [(key.hint, key.weight) for key in state.keys] == [("1111", 1), ("2222", 3)]
    assert next(one for one in state.providers if one.name == "Lab").key_count == 2
    assert state.new_key == ""

    state.fill({"chosen_key": state.keys[1].id, "weight": "7"})
    await state.change_keys("weigh_key")
    await state.change_keys("retire_key")
    assert [(key.id, key.hint, key.weight) for key in state.keys] == [("main", "2222", 7)]
    await state.change_keys("retire_key")
    assert "only key" in state.error


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"total_s": "soon"}, "A time-out is a number"),
        ({"idle_s": "0"}, "1 to 3,600 seconds"),
        ({"most_at_once": "0"}, "Questions at once are 1"),
        ({"headers": "no colon"}, "Name: value"),
        ({"headers": "Host: elsewhere"}, "belongs to the connection"),
    ],
)
async def test_how_a_provider_is_reached_is_checked_and_kept(
    state: ProvidersState, typed: dict[str, str], says: str
) -> None:
    state.open_add()
    state.fill({"provider_name": "Lab", "base_url": "http://127.0.0.1:9/v1", "key": KEY})
    await state.save()
    lab = next(one for one in state.providers if one.name == "Lab")
    await state.open_edit(lab.id)
    state.fill(typed)
    await state.save()
    assert says in state.error

    empty = dict.fromkeys(typed, "")
    state.fill({**empty, "headers": "X-Team: herons", "first_byte_s": "45", "most_at_once": "20"})
    await state.save()
    await state.open_edit(lab.id)

    assert (state.error, state.first_byte_s, state.most_at_once, state.headers) == ("", "45", "20", "")
    assert state.selected.header_names == "X-Team"
