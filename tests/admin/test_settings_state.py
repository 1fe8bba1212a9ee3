import pytest

from llm_ui.admin.settings import choices
from llm_ui.admin.settings.state import ERRANDS, NONE, SettingsState
from llm_ui.services import prompts, settings
from llm_ui.services.access import Actor
from llm_ui.services.settings import PERSON_DOCUMENTS_MB, REGISTRATION_OPEN
from llm_ui.ui.page import Backend
from tests.admin.conftest import ContextOf


@pytest.fixture
async def state(context_of: ContextOf, an_admin: Actor) -> SettingsState:
    """The page as an administrator has just opened it."""
    state = SettingsState(context_of(an_admin))
    await state.load()
    return state


async def test_the_page_opens_with_the_values_in_force(state: SettingsState) -> None:
    assert state.is_registration_open
    assert [str(model.id) for model in state.models] == [state.default_model]
    assert state.prompt_text.startswith("You are a helpful assistant.")


async def test_registration_is_closed_at_once(state: SettingsState, backend: Backend) -> None:
    await state.set_registration(is_open=False)

    assert (state.is_registration_open, state.said) == (False, "Only administrators add people now.")
    async with backend.database.reading() as session:
        assert await settings.get(session, REGISTRATION_OPEN) is False


async def test_other_instructions_become_the_default(state: SettingsState) -> None:
    concise = next(prompt for prompt in state.prompts if prompt.name == "Concise")

    await state.set_default_prompt(str(concise.id))

    assert (state.default_prompt, state.prompt_text) == (str(concise.id), concise.text)


async def test_new_chats_can_start_without_instructions(
    state: SettingsState, backend: Backend, an_admin: Actor
) -> None:
    await state.set_default_prompt(NONE)

    assert (state.default_prompt, state.prompt_text) == (NONE, "")
    async with backend.database.reading() as session:
        assert await prompts.instructions(session, an_admin, None) is None


async def test_new_words_are_stored(state: SettingsState, backend: Backend, an_admin: Actor) -> None:
    state.prompt_text = "Be kind."

    await state.save_prompt()

    assert state.error == ""
    async with backend.database.reading() as session:
        found = await prompts.instructions(session, an_admin, None)
    assert found is not None
    assert found.text == "Be kind."


async def test_refused_words_stay_in_the_form(state: SettingsState) -> None:
    state.prompt_text = "  "

    await state.save_prompt()

    assert (state.prompt_text, state.error) == ("  ", "The instructions are empty. Write them, or let new chats "
                                                "start without.")  # fmt: skip


async def test_the_default_model_is_chosen_among_those_that_can_be_asked(state: SettingsState) -> None:
    await state.set_default_model(state.default_model)
    assert state.error == ""

    await state.set_default_model("00000000-0000-0000-0000-000000000000")

    assert "does not exist any more" in state.error


async def test_the_demo_cannot_be_the_helper_model(state: SettingsState) -> None:
    assert state.helper_model == NONE

    await state.set_helper_model(state.default_model)

    assert "no language model" in state.error
    assert state.helper_model == NONE


async def test_what_the_helper_model_does_is_switched_off_one_by_one(state: SettingsState, backend: Backend) -> None:
    for name, setting in ERRANDS.items():
        await state.set_errand(name, is_wanted=False)

        assert getattr(state, name) is False
        async with backend.database.reading() as session:
            assert await settings.get(session, setting) is False


async def test_a_person_without_the_right_changes_nothing(
    context_of: ContextOf, backend: Backend, a_user: Actor
) -> None:
    state = SettingsState(context_of(a_user))

    await state.set_registration(is_open=False)

    assert "may not do this" in state.error
    async with backend.database.reading() as session:
        assert await settings.get(session, REGISTRATION_OPEN) is True


async def test_room_for_documents_is_limited_at_once(state: SettingsState, backend: Backend) -> None:
    assert (state.room_of_person, state.room_of_project) == ("0", "0")

    await state.set_room("room_of_person", "5000")
    await state.set_room("room_of_project", "-1")

    assert (state.room_of_person, state.room_of_project) == ("5000", "0")
    assert state.error == "Choose how much room documents may take."
    async with backend.database.reading() as session:
        assert await settings.get(session, PERSON_DOCUMENTS_MB) == 5_000


def test_a_room_that_is_not_among_the_choices_is_shown_too() -> None:
    assert choices.megabytes("750") == {
        "As many as fit on the disk": "0", "100 MB": "100", "500 MB": "500", "750 MB": "750", "1 GB": "1000",
        "5 GB": "5000", "20 GB": "20000", "100 GB": "100000",
    }  # fmt: skip
