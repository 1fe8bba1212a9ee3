"""The page of the configuration as a file, as an administrator acts on it."""

import json

from llm_ui.admin.configuration import rows
from llm_ui.admin.configuration.state import ConfigurationState
from llm_ui.services import settings
from llm_ui.services.access import Actor
from llm_ui.services.configuration import AgentPart, ModelPart, PromptPart, ProviderPart, SavedPart
from llm_ui.services.configuration_import import Becomes
from llm_ui.services.settings import BANNER
from llm_ui.ui.page import Backend
from tests.admin.conftest import ContextOf

LAB = {"name": "Lab", "kind": "openai", "base_url": "https://lab.example.org/v1", "models": [
    {"name": "big", "display_name": "The big one", "context_window": 1_000}]}  # fmt: skip


def file(**held: object) -> str:
    return json.dumps({"llm_ui_configuration": 1, **held})


async def test_a_file_is_looked_at_before_it_is_applied(
    context_of: ContextOf, backend: Backend, an_admin: Actor
) -> None:
    state = ConfigurationState(context_of(an_admin))

    await state.open_form()
    await state.check()
    assert state.error == "Choose a file first, or paste what it holds."
    state.fill({"text": file(providers=[LAB], settings={"banner": "Hello", "nothing": 1})})
    await state.check()
    refused, changed, *new = rows.changes(state.steps)
    assert (refused["name"], refused["cells"]["becomes"]["tone"]) == ("nothing", "error")
    assert changed["cells"]["how"] == "Value: (nothing) → Hello"
    assert new[0]["cells"]["how"] == "Type: openai · Address: https://lab.example.org/v1 · Switched on: on"
    assert rows.summary(state.steps).startswith("2 things are new, 1 changes, 1 is refused. Nothing is applied")
    assert not rows.may_apply(state.steps)
    await state.apply()
    assert "There is no such setting" in state.error

    state.fill({"text": file(providers=[LAB], settings={"banner": "Hello"})})
    await state.check()
    assert rows.may_apply(state.steps)
    async with backend.database.reading() as session:
        assert await settings.get(session, BANNER) == "", "nothing is changed by looking"
    await state.apply()

    assert state.said.startswith("3 things are as in the file now. New providers have no key yet")
    assert (state.error, state.steps) == ("", ())
    async with backend.database.reading() as session:
        assert await settings.get(session, BANNER) == "Hello"
    state.fill({"text": file(settings={"banner": "Hello"})})
    await state.check()
    assert (state.said, state.steps) == ("Everything is as the file says already.", ())


def test_every_field_of_a_file_has_a_word() -> None:
    for part in (AgentPart, ModelPart, PromptPart, ProviderPart, SavedPart):
        assert set(part.model_fields) - {"models"} <= rows.FIELDS.keys()
    assert set(rows.BECOMES) == set(Becomes) - {Becomes.SAME}
