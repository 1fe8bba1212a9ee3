"""What stands around a passage: of the same section only, never of another project, and nothing twice."""

from llm_ui.db import Database
from llm_ui.documents.neighbours import beside, in_runs, overlap
from llm_ui.documents.retrieve import Passage, retrieve
from llm_ui.kit.ids import uuid7
from llm_ui.services.access import Actor
from tests.documents.seeding import a_document, a_project


async def found(
    database: Database, actor: Actor, said: list[str], titles: list[str]
) -> tuple[list[Passage], list[str]]:
    """What a question about the vault finds in a document, and what stands around it."""
    project = await a_project(database, actor, uuid7().hex)
    await a_document(database, actor, project, said, titles=titles)
    async with database.reading() as session:
        passages = await retrieve(session, actor, project, "vault")
        around = await beside(session, actor, project, passages)
    return list(passages), [one.text for one in around]


async def test_a_passage_has_those_after_and_before_it_in_its_section(database: Database, a_user: Actor) -> None:
    said = [
        "Of ships.",
        "The quay is long.",
        "The vault is below.",
        "It is locked.",
        "Nobody goes there.",
        "Of cranes.",
    ]

    _, around = await found(database, a_user, said, titles=["Ships", *["Harbour"] * 4, "Cranes"])
    _, at_an_edge = await found(database, a_user, said, titles=["Ships", "Harbour", "Vault", "Keys"])

    assert around == ["It is locked.", "The quay is long."]
    assert at_an_edge == []


async def test_of_what_was_found_itself_none_is_beside(database: Database, a_user: Actor) -> None:
    passages, around = await found(database, a_user, ["The vault.", "A vault, too.", "It is locked."], titles=[])

    assert {one.text for one in passages} == {"The vault.", "A vault, too."}
    assert around == ["It is locked."]


async def test_nothing_is_read_around_a_passage_of_another(
    database: Database, a_user: Actor, another_user: Actor
) -> None:
    passages, _ = await found(database, a_user, ["The vault.", "The code is 4711."], titles=[])
    mine, theirs = await a_project(database, a_user), await a_project(database, another_user)

    async with database.reading() as session:
        assert await beside(session, a_user, mine, passages) == ()
        assert await beside(session, another_user, theirs, passages) == ()


async def test_what_follows_each_other_is_read_together(database: Database, a_user: Actor) -> None:
    said = [f"Vault {number}" for number in range(5)]
    passages, _ = await found(database, a_user, said, titles=[])
    passages.sort(key=lambda one: one.position)
    mixed = [passages[at] for at in (4, 1, 0)]

    assert [[one.text for one in run] for run in in_runs(mixed)] == [["Vault 4"], ["Vault 0", "Vault 1"]]


def test_an_overlap_is_what_one_ends_with_and_the_next_begins_with() -> None:
    last = "The heron stands in the reeds."

    assert overlap(f"Of birds. {last}", f"{last} It waits.") == len(last)
    assert overlap(f"{last} Of birds. {last}", f"{last} It waits.") == len(last)
    assert overlap(f"{last} Of birds.", f"{last} It waits.") == 0
    assert overlap("Of birds.", "Of birds.") == 0, "too short to tell"
    assert overlap("", last) == 0
