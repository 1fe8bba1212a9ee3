"""Many people from a CSV file: what would happen, and what happens."""

import pytest

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput
from llm_ui.services import user_import, users
from llm_ui.services.access import Actor

FILE = """\ufeffname;email;role
Carol;carol@example.org;operator
;dave@example.org;

Bob;new@example.org;user
Eve;nowhere;user
Fay;fay@example.org;emperor
Gil;carol@example.org;user
"""


async def test_bad_lines_are_named_by_their_number_and_nothing_is_changed(
    database: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with database.reading() as session:
        planned = await user_import.plan(session, an_admin, FILE)
        before = await users.list_users(session, an_admin)

    assert [(line.number, line.name, bool(line.problem)) for line in planned] == [
        (2, "Carol", False), (3, "dave", False), (5, "Bob", True), (6, "Eve", True), (7, "Fay", True), (8, "Gil", True),
    ]  # fmt: skip
    assert len(before) == 2


async def test_those_whose_lines_can_be_used_are_invited(database: Database, an_admin: Actor, a_user: Actor) -> None:
    async with database.writing() as session:
        links = await user_import.carry_out(session, an_admin, FILE)

    assert [(link.user.name, link.user.role) for link in links] == [("Carol", "operator"), ("dave", "user")]


@pytest.mark.parametrize("text", ["", "a,b\n1,2", "name\nbob", "email\n" + "x@example.org\n" * 1_001])
async def test_what_is_no_such_file_is_refused(database: Database, an_admin: Actor, text: str) -> None:
    async with database.reading() as session:
        with pytest.raises(InvalidInput):
            await user_import.plan(session, an_admin, text)


async def test_only_administrators_import(database: Database, a_user: Actor) -> None:
    async with database.writing() as session:
        with pytest.raises(Forbidden):
            await user_import.carry_out(session, a_user, FILE)
