"""What the address of a page with a list asks for, and what is drawn of it."""

import pytest

from llm_ui.admin.users.listing import USERS
from llm_ui.admin.users.state import UsersState
from llm_ui.services.access import Actor
from llm_ui.services.listing import Asked
from tests.admin.conftest import ContextOf
from tests.conftest import make_actor


@pytest.mark.parametrize(
    ("address", "asked"),
    [
        ("", Asked()),
        ("?search=+ann+&role=admin&sort=-seen&page=3&size=100", Asked("ann", {"role": "admin"}, "seen", True, 3, 100)),
        ("?role=emperor&sort=password_hash&page=0&size=7", Asked()),
        ("?page=-1&size=9999999999&sort=-&role=", Asked()),
        ("?page=²", Asked()),
        ("?" + "&".join(f"a{n}=1" for n in range(50)), Asked()),
    ],
)
def test_an_address_asks_for_what_the_list_knows_and_nothing_else(address: str, asked: Asked) -> None:
    assert USERS.asked(address) == asked


def test_the_file_has_the_search_and_the_filters_but_no_page(an_admin: Actor) -> None:
    asked = USERS.asked("?search=a%26b&state=disabled&page=4&sort=email")

    assert USERS.export_address(asked, "csv") == "/admin/lists/users.csv?search=a%26b&state=disabled"
    assert USERS.export_address(Asked(), "json") == "/admin/lists/users.json"


async def test_a_page_shows_what_its_address_asks_for(context_of: ContextOf, an_admin: Actor) -> None:
    context = context_of(an_admin)
    await make_actor(context.backend.database, "bob", an_admin.role)
    state = UsersState(context)

    await state.look("?search=bo")

    drawn = USERS.drawn_rows(state.found.items)
    assert [(row["name"], row["cells"]["role"]) for row in drawn] == [("bob", "Administrator")]
    assert (state.found.total, state.found.page, state.error) == (1, 1, "")


async def test_whoever_is_no_administrator_any_more_sees_a_sentence(context_of: ContextOf, a_user: Actor) -> None:
    state = UsersState(context_of(a_user))

    await state.look("")

    assert state.found.items == ()
    assert state.error
