"""Projects and tags, on both databases."""

import pytest

from llm_ui.db import Database
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.ids import ChatId, ProjectId
from llm_ui.services import branches, chats, projects, tags
from llm_ui.services.access import Actor
from llm_ui.services.chats import Shelf
from llm_ui.services.search import Filters, search
from tests.services.test_branches import answered


async def listed(database: Database, actor: Actor, project_id: ProjectId | None = None) -> list[ChatId]:
    async with database.reading() as session:
        return [chat.id for chat in (await chats.list_chats(session, actor, project_id=project_id)).items]


async def begin(database: Database, actor: Actor, name: str) -> ProjectId:
    async with database.writing() as session:
        return await projects.save(session, actor, None, name)


async def move(database: Database, actor: Actor, chat_id: ChatId, project_id: ProjectId | None) -> None:
    async with database.writing() as session:
        await projects.move(session, actor, chat_id, project_id)


async def names(database: Database, actor: Actor) -> list[str]:
    async with database.reading() as session:
        return [one.name for one in await projects.list_projects(session, actor)]


async def test_a_chat_in_a_project_is_listed_there_and_only_there(seeded: Database, a_user: Actor) -> None:
    inside = (await answered(seeded, a_user, "inside", "reply")).chat_id
    outside = (await answered(seeded, a_user, "outside", "reply")).chat_id
    project_id = await begin(seeded, a_user, "Thesis")

    await move(seeded, a_user, inside, project_id)

    assert await listed(seeded, a_user) == [outside]
    assert await listed(seeded, a_user, project_id) == [inside]
    await move(seeded, a_user, inside, None)
    assert await listed(seeded, a_user) == [outside, inside]


async def test_a_pinned_chat_leads_the_list_from_within_its_project(seeded: Database, a_user: Actor) -> None:
    chat_id = (await answered(seeded, a_user, "inside", "reply")).chat_id
    await move(seeded, a_user, chat_id, await begin(seeded, a_user, "Thesis"))

    async with seeded.writing() as session:
        await chats.pin(session, a_user, chat_id, is_pinned=True)

    assert await listed(seeded, a_user) == [chat_id]


async def test_chats_of_a_deleted_project_go_back_to_the_list(seeded: Database, a_user: Actor) -> None:
    chat_id = (await answered(seeded, a_user, "inside", "reply")).chat_id
    binned = (await answered(seeded, a_user, "binned", "reply")).chat_id
    project_id = await begin(seeded, a_user, "Thesis")
    for each in (chat_id, binned):
        await move(seeded, a_user, each, project_id)
    async with seeded.writing() as session:
        await chats.delete(session, a_user, binned)
        await projects.remove(session, a_user, project_id)
        await chats.restore(session, a_user, binned)

    assert await names(seeded, a_user) == []
    assert set(await listed(seeded, a_user)) == {chat_id, binned}


async def test_a_branch_stays_in_the_project(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "inside", "reply")
    project_id = await begin(seeded, a_user, "Thesis")
    await move(seeded, a_user, turn.chat_id, project_id)

    async with seeded.writing() as session:
        branch = await branches.branch_off(session, a_user, turn.answer_id)

    assert await listed(seeded, a_user, project_id) == [branch, turn.chat_id]


@pytest.mark.parametrize(("name", "sentence"), [(" \n ", "at least one"), ("thesis", "already")])
async def test_a_name_that_does_not_do_is_refused(seeded: Database, a_user: Actor, name: str, sentence: str) -> None:
    await begin(seeded, a_user, "Thesis")

    with pytest.raises(InvalidInput, match=sentence):
        await begin(seeded, a_user, name)

    assert await names(seeded, a_user) == ["Thesis"]


async def test_a_project_gets_another_name(seeded: Database, a_user: Actor) -> None:
    project_id = await begin(seeded, a_user, "Thesis")

    async with seeded.writing() as session:
        await projects.save(session, a_user, project_id, "  My\nbook ")

    assert await names(seeded, a_user) == ["My book"]


async def test_somebody_elses_project_does_not_exist(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    project_id = await begin(seeded, a_user, "Thesis")
    mine = (await answered(seeded, a_user, "mine", "reply")).chat_id
    await move(seeded, a_user, mine, project_id)

    for stranger in (another_user, an_admin):
        theirs = (await answered(seeded, stranger, "theirs", "reply")).chat_id
        for attempt in (
            lambda stranger=stranger, theirs=theirs: move(seeded, stranger, theirs, project_id),
            lambda stranger=stranger: move(seeded, stranger, mine, None),
        ):
            with pytest.raises(NotFound):
                await attempt()
        async with seeded.writing() as session:
            await projects.remove(session, stranger, project_id)
        with pytest.raises(NotFound):
            async with seeded.writing() as session:
                await projects.save(session, stranger, project_id, "Stolen")
        assert await listed(seeded, stranger, project_id) == []
        assert await names(seeded, stranger) == []
    assert await names(seeded, a_user) == ["Thesis"]
    assert await listed(seeded, a_user, project_id) == [mine]


async def tag(database: Database, actor: Actor, chat_id: ChatId, *given: str) -> None:
    async with database.writing() as session:
        await tags.tag(session, actor, chat_id, given)


async def test_tags_are_words_that_count_once(seeded: Database, a_user: Actor) -> None:
    one, two = [(await answered(seeded, a_user, text, "reply")).chat_id for text in ("one", "two")]

    await tag(seeded, a_user, one, " #Travel", "travel", "", "Rome\n2026")
    await tag(seeded, a_user, two, "travel")

    async with seeded.reading() as session:
        assert await tags.tags_of(session, a_user, [one, two]) == {one: ("rome 2026", "travel"), two: ("travel",)}
        assert await tags.list_tags(session, a_user) == ("travel", "rome 2026")


async def test_tags_are_replaced(seeded: Database, a_user: Actor) -> None:
    chat_id = (await answered(seeded, a_user, "one", "reply")).chat_id
    await tag(seeded, a_user, chat_id, "a", "b")

    await tag(seeded, a_user, chat_id, "b", "c")
    async with seeded.reading() as session:
        assert await tags.tags_of(session, a_user, [chat_id]) == {chat_id: ("b", "c")}

    with pytest.raises(InvalidInput, match="at most 20"):
        await tag(seeded, a_user, chat_id, *(f"tag {number}" for number in range(21)))


async def test_nobody_tags_or_sees_tags_of_others(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    chat_id = (await answered(seeded, a_user, "one", "reply")).chat_id
    await tag(seeded, a_user, chat_id, "secret")

    with pytest.raises(NotFound):
        await tag(seeded, another_user, chat_id, "mine")

    async with seeded.reading() as session:
        assert await tags.tags_of(session, another_user, [chat_id]) == {}
        assert await tags.list_tags(session, another_user) == ()


async def test_a_search_keeps_to_its_filters(seeded: Database, a_user: Actor) -> None:
    inside, outside = [(await answered(seeded, a_user, text, "reply")).chat_id for text in ("whale one", "whale two")]
    project_id = await begin(seeded, a_user, "Thesis")
    await move(seeded, a_user, inside, project_id)
    await tag(seeded, a_user, outside, "sea")
    async with seeded.reading() as session:
        model_id = (await chats.open_chat(session, a_user, inside)).model_id
        opened = {chat.id: chat.last_message_at for chat in (await chats.list_chats(session, a_user)).items}

    async def found(typed: str, **filters: object) -> set[ChatId]:
        async with seeded.reading() as session:
            page = await search(session, a_user, typed, Filters(**filters))  # type: ignore[arg-type]
        return {one.chat_id for one in page.items}

    for typed in ("whale", ""):
        assert await found(typed, project_id=project_id) == {inside}
        assert await found(typed, tag="sea") == {outside}
        assert await found(typed, tag="sea", project_id=project_id) == set()
        assert await found(typed, model_id=model_id) == {inside, outside}
        assert await found(typed, since=opened[outside]) == {outside}
    assert await found("shark", tag="sea") == set()
    assert await found("") == set()


async def test_a_shelf_lists_chats_of_all_projects(seeded: Database, a_user: Actor) -> None:
    chat_id = (await answered(seeded, a_user, "inside", "reply")).chat_id
    await move(seeded, a_user, chat_id, await begin(seeded, a_user, "Thesis"))
    async with seeded.writing() as session:
        await chats.archive(session, a_user, chat_id, is_archived=True)

    async with seeded.reading() as session:
        page = await chats.list_chats(session, a_user, shelf=Shelf.ARCHIVE)

    assert [chat.id for chat in page.items] == [chat_id]
