from decimal import Decimal

import pytest

from llm_ui.admin.models.forms import fields
from llm_ui.admin.models.state import EDIT, OFF, PAGE_SIZE, ModelsState
from llm_ui.models import PriceSource
from llm_ui.services import ai_models, providers
from llm_ui.services.access import Actor
from llm_ui.services.ai_models import ModelInfo, NewModel
from llm_ui.services.prices import Prices
from llm_ui.services.providers import NewProvider
from llm_ui.ui.page import Backend
from tests.admin.conftest import ContextOf


@pytest.fixture
async def state(context_of: ContextOf, backend: Backend, an_admin: Actor) -> ModelsState:
    """The page as an administrator has just opened it, with two models of a provider beside the demo one."""
    async with backend.database.writing() as session:
        new = NewProvider("OpenAI", "openai", "https://api.openai.com/v1", "sk-0123456789abcdef-wxyz")
        provider = await providers.add(session, an_admin, backend.secrets.sealer, new)
        models = [NewModel("gpt-4o"), NewModel("my-finetune")]
        await ai_models.add_models(session, an_admin, provider.id, models)
    state = ModelsState(context_of(an_admin))
    await state.load()
    return state


def named(state: ModelsState, name: str) -> ModelInfo:
    return next(model for model in state.models if model.name == name)


async def test_the_page_opens_with_all_models(state: ModelsState) -> None:
    assert [model.name for model in state.models] == ["demo", "gpt-4o", "my-finetune"]
    assert (state.total, state.error) == (3, "")


async def test_a_search_shows_what_matches(state: ModelsState) -> None:
    await state.find("GPT")

    assert [model.name for model in state.models] == ["gpt-4o"]


async def test_many_models_come_in_stretches(state: ModelsState, backend: Backend, an_admin: Actor) -> None:
    async with backend.database.writing() as session:
        many = [NewModel(f"extra-{number:03}") for number in range(PAGE_SIZE)]
        await ai_models.add_models(session, an_admin, named(state, "gpt-4o").provider_id, many)
    await state.load()
    assert (len(state.models), state.total) == (PAGE_SIZE, PAGE_SIZE + 3)

    await state.turn(1)
    assert (len(state.models), state.offset) == (3, PAGE_SIZE)

    await state.turn(-1)
    assert state.offset == 0


async def test_the_form_opens_with_what_is_stored(state: ModelsState) -> None:
    await state.open_edit(named(state, "gpt-4o").id)

    assert state.sheet == EDIT
    assert (state.display_name, state.context_window, state.max_output_tokens) == ("gpt-4o", "128000", "")
    assert (state.input_price, state.cached_price, state.output_price) == ("2.5", "1.25", "10")


async def test_what_is_saved_appears_at_once(state: ModelsState) -> None:
    await state.open_edit(named(state, "my-finetune").id)
    state.param.update(display_name="Ours", context_window="32,000", input_price="$0.10", output_price="0")

    await state.save()

    assert (state.error, state.sheet, state.said) == ("", "", "Ours is saved.")
    model = named(state, "my-finetune")
    assert (model.display_name, model.context_window) == ("Ours", 32_000)
    assert model.prices == Prices(Decimal("0.1"), None, Decimal(0))
    assert model.price_source is PriceSource.ADMIN


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("context_window", "a lot", "whole number of tokens"),
        ("context_window", "12.5", "whole number of tokens"),
        ("context_window", "９９", "whole number of tokens"),
        ("max_output_tokens", "-1", "whole number of tokens"),
        ("max_output_tokens", "0", "between 1 and"),
        ("input_price", "cheap", "number of dollars"),
        ("output_price", "-2", "between 0 and"),
        ("output_price", "NaN", "between 0 and"),
        ("output_price", "1e999", "between 0 and"),
        ("output_price", "", "both prices"),
    ],
)
async def test_what_is_refused_keeps_what_was_typed(state: ModelsState, field: str, value: str, says: str) -> None:
    await state.open_edit(named(state, "gpt-4o").id)
    state.param.update(**{field: value})

    await state.save()

    assert says in state.error
    assert (state.sheet, getattr(state, field)) == (EDIT, value)


async def test_list_prices_are_taken_back_and_the_form_can_still_be_saved(state: ModelsState) -> None:
    await state.open_edit(named(state, "gpt-4o").id)
    state.input_price = "99"
    await state.save()
    await state.open_edit(named(state, "gpt-4o").id)

    await state.use_list_prices()
    assert (state.input_price, state.error) == ("2.5", "")
    await state.save()

    assert state.error == ""
    assert named(state, "gpt-4o").price_source is PriceSource.LIST


async def test_a_model_is_made_the_default(state: ModelsState) -> None:
    await state.make_default(named(state, "gpt-4o").id)

    assert [model.name for model in state.models if model.is_default] == ["gpt-4o"]
    assert state.said == "New chats now start with gpt-4o."


async def test_the_default_model_stays_on_until_another_takes_its_place(state: ModelsState) -> None:
    demo = named(state, "demo")

    await state.ask_off(demo.id)

    assert "Make another one the default first" in state.error
    assert named(state, "demo").is_enabled


async def test_a_model_is_switched_off_and_on(state: ModelsState) -> None:
    for is_enabled, word in ((False, "off"), (True, "on")):
        switch = state.switch_on if is_enabled else state.ask_off
        await switch(named(state, "gpt-4o").id)

        assert state.said == f"gpt-4o is switched {word}."
        assert named(state, "gpt-4o").is_enabled is is_enabled


async def test_models_are_listed_in_the_order_that_their_forms_say(state: ModelsState) -> None:
    for name, place in (("my-finetune", "1"), ("gpt-4o", "2")):
        await state.open_edit(named(state, name).id)
        state.fill({"place": place})
        await state.save()

    assert [model.name for model in state.models] == ["my-finetune", "gpt-4o", "demo"]
    await state.open_edit(named(state, "gpt-4o").id)
    assert state.place == "2"
    state.fill({"place": "first"})
    await state.save()
    assert (state.error, state.sheet) == ("A place is a whole number, such as 1, or empty.", EDIT)


async def test_a_removed_model_is_gone(state: ModelsState) -> None:
    await state.open_edit(named(state, "gpt-4o").id)

    await state.remove()

    assert (state.error, state.sheet) == ("", "")
    assert [model.name for model in state.models] == ["demo", "my-finetune"]


async def test_a_person_without_the_right_sees_nothing(context_of: ContextOf, a_user: Actor) -> None:
    state = ModelsState(context_of(a_user))

    await state.load()

    assert "may not do this" in state.error
    assert state.models == ()


async def test_whether_a_model_sees_images_is_guessed_and_can_be_said(state: ModelsState) -> None:
    assert named(state, "gpt-4o").can_see_images
    await state.open_edit(named(state, "my-finetune").id)
    assert state.can_see_images == "no"

    state.fill({"can_see_images": "yes"})
    await state.save()

    assert state.error == ""
    assert named(state, "my-finetune").can_see_images


async def test_who_stands_in_for_a_model_is_set_in_its_form_and_kept(state: ModelsState, backend: Backend) -> None:
    ours, listed = named(state, "my-finetune"), named(state, "gpt-4o")
    await state.open_edit(ours.id)
    state.fill({"stand_in_1": str(listed.id), "stand_in_2": str(named(state, "demo").id), "stand_in_3": "junk"})
    await state.save()
    await state.ask_off(listed.id)
    assert (state.sheet, state.consequences) == (OFF, "1 other model (my-finetune) has no stand-in in it any more.")
    await state.switch_off()

    await state.open_edit(ours.id)

    assert (state.stand_in_1, state.stand_in_2, state.stand_in_3) == (str(listed.id), str(named(state, "demo").id), "")
    offered = next(field for field in fields(EDIT, state.selected, state.others, ()) if field["name"] == "stand_in_1")[
        "options"
    ]
    assert [option["label"] for option in offered] == [
        "Nobody",
        "Demo (no language model) · Demo",
        "gpt-4o · OpenAI (Off)",
    ]
    await state.save()
    assert state.error == ""


@pytest.mark.parametrize("twice", [True, False])
async def test_a_model_stands_in_once_and_never_for_itself(state: ModelsState, *, twice: bool) -> None:
    ours = named(state, "my-finetune")
    await state.open_edit(ours.id)
    listed = str(named(state, "gpt-4o").id)

    state.fill({"stand_in_1": listed, "stand_in_2": listed if twice else str(ours.id)})
    await state.save()

    assert "Choose each model once" in state.error


async def test_a_model_serves_under_the_name_of_another_one(state: ModelsState) -> None:
    ours, listed = named(state, "my-finetune"), named(state, "gpt-4o")
    await state.open_edit(ours.id)
    state.fill({"serves": str(listed.id), "weight": "3"})
    await state.save()
    await state.open_edit(listed.id)
    state.fill({"balancing": "latency", "serves": "junk"})
    await state.save()
    assert state.error == ""

    await state.open_edit(ours.id)

    assert (state.serves, state.weight) == (str(listed.id), "3")
    state.fill({"weight": "often"})
    await state.save()
    assert (state.error, state.sheet) == ("A weight is a whole number, such as 1.", EDIT)
    await state.open_edit(listed.id)
    assert (state.serves, state.balancing) == ("", "latency")
    offered = next(field for field in fields(EDIT, state.selected, state.others, ()) if field["name"] == "serves")[
        "options"
    ]
    assert [option["label"] for option in offered] == ["Its own name", "Demo (no language model) · Demo"]
