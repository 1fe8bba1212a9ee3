"""The page of all settings: search, groups, the form of one, and back to the default."""

from llm_ui.admin.registry import rows
from llm_ui.admin.registry.state import RegistryState
from llm_ui.services import settings
from llm_ui.services.access import Actor
from llm_ui.services.settings import PASSWORD_MIN_CHARS, REGISTRY
from llm_ui.ui.page import Backend
from tests.admin.conftest import ContextOf


async def test_a_setting_is_changed_and_reset(context_of: ContextOf, backend: Backend, an_admin: Actor) -> None:
    state = RegistryState(context_of(an_admin))
    await state.load()

    await state.open_edit("password_min_chars")
    assert (state.sheet, state.value) == ("edit", "15")
    state.fill({"value": "9"})
    await state.save()
    assert (state.sheet, state.error) == ("edit", "It must be a whole number from 15 to 64.")
    state.fill({"value": "20"})
    await state.save()

    assert (state.sheet, state.error) == ("", "")
    (row,) = rows.settings(state.listed, "password least", "sign_in")
    assert row["cells"]["value"]["text"] == "20 characters"
    assert row["cells"]["source"]["detail"].startswith("by ada, ")
    await state.reset("password_min_chars")
    async with backend.database.reading() as session:
        assert await settings.get(session, PASSWORD_MIN_CHARS) == 15


async def test_every_setting_with_a_group_can_be_drawn_and_found(context_of: ContextOf, an_admin: Actor) -> None:
    state = RegistryState(context_of(an_admin))
    await state.load()

    for info in state.listed:
        (found,) = rows.settings((info,), info.setting.name, info.setting.group)
        assert found["cells"]["value"]["text"]
        assert rows.fields(info)
    assert len(state.listed) == sum(bool(one.group) for one in REGISTRY)
    assert rows.settings(state.listed, "no such words", "") == []


async def test_what_is_the_products_own_has_no_form(context_of: ContextOf, an_admin: Actor) -> None:
    state = RegistryState(context_of(an_admin))
    await state.load()

    await state.open_edit("setup_token_hash")
    assert (state.sheet, state.error) == ("", "Nothing is chosen. Close the form and open it again.")
    await state.reset("setup_token_hash")
    assert state.error == "There is no such setting. Reload the page."


async def test_nobody_else_sees_the_settings(context_of: ContextOf, a_user: Actor) -> None:
    state = RegistryState(context_of(a_user))

    await state.load()

    assert state.listed == ()
    assert state.error
