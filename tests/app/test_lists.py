"""Lists of the administration as files, over HTTP."""

import csv
import io
import json

from sqlalchemy import update

from llm_ui.models import EvaluationKind, Role, User
from llm_ui.services import evaluations
from llm_ui.services.access import SYSTEM
from llm_ui.services.evaluations import Exam, Measured
from tests.app.conftest import Workspace


async def test_an_administrator_gets_what_the_filters_leave(workspace: Workspace) -> None:
    ada = await workspace.signed_in("ada", Role.ADMIN)
    await workspace.add("bob")
    await workspace.add("eve")

    page = await ada.get("/admin/lists/users.csv?role=user&search=bo&page=7")

    rows = list(csv.reader(io.StringIO(page.body.decode(), newline="")))
    assert [row[:4] for row in rows] == [
        ["name", "email", "role", "state"],
        ["bob", "bob@example.org", "user", "active"],
    ]
    assert page.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert page.headers["Content-Disposition"].startswith('attachment; filename="users-')
    assert page.headers["Cache-Control"] == "no-store"
    listed = json.loads((await ada.get("/admin/lists/users.json")).body)
    assert [user["name"] for user in listed] == ["ada", "bob", "eve"]
    assert json.loads((await ada.get("/admin/lists/users.json?search=nobody")).body) == []


async def test_what_was_measured_comes_with_all_figures(workspace: Workspace) -> None:
    ada = await workspace.signed_in("ada", Role.ADMIN)
    exam = Exam(EvaluationKind.RETRIEVAL, "claims", 5, 8, "", "ann")
    async with workspace.site.backend.database.writing() as session:
        await evaluations.keep(session, SYSTEM, exam, [Measured("lexical", {"ndcg@10": 0.8, "p50_ms": 3.5})])

    (kept,) = json.loads((await ada.get("/admin/lists/evaluations.json")).body)

    assert (kept["what"], kept["dataset"], kept["questions"], kept["documents"]) == ("retrieval", "claims", 5, 8)
    assert (kept["ndcg@10"], kept["p50_ms"], kept["groundedness"]) == (0.8, 3.5, None)
    assert json.loads((await ada.get("/admin/lists/ratings.json?days=7")).body) == []


async def test_what_a_person_called_themselves_is_no_formula(workspace: Workspace) -> None:
    ada = await workspace.signed_in("ada", Role.ADMIN)
    bob = await workspace.add("bob")
    async with workspace.site.backend.database.writing() as session:
        await session.execute(update(User).where(User.id == bob.user_id).values(name='=HYPERLINK("//x")'))

    text = (await ada.get("/admin/lists/users.csv?search=bob")).body.decode()

    assert '"\'=HYPERLINK(""//x"")"' in text


async def test_nobody_else_gets_a_list(workspace: Workspace) -> None:
    bob = await workspace.signed_in("bob")

    assert (await bob.get("/admin/lists/users.csv")).code == 403
    assert (await workspace.browser().get("/admin/lists/users.json")).headers["Location"] == "/login"
    ada = await workspace.signed_in("ada", Role.ADMIN)
    assert (await ada.get("/admin/lists/secrets.csv")).code == 404
