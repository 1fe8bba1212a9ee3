"""Versions of prompts, and what models are told level by level, on both databases."""

from dataclasses import replace

import pytest

from llm_ui.db import Database
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.difference import difference
from llm_ui.kit.ids import PromptId, SavedPromptId, uuid7
from llm_ui.services import agents, library, projects, prompt_versions, prompts, team_members, teams
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.agents import AgentSettings
from llm_ui.services.levels import levels
from llm_ui.services.library import Saved
from llm_ui.services.prompt_versions import Version


async def keep(database: Database, actor: Actor, text: str, saved: Saved | None = None) -> Saved:
    async with database.writing() as session:
        prompt_id = None if saved is None else saved.id
        await library.save(session, actor, prompt_id, "short", text, is_shared=False, tags=["mail", "mail", " "])
    async with database.reading() as session:
        (found,) = await library.list_prompts(session, actor)
    return found


async def versions(database: Database, actor: Actor, prompt_id: PromptId | SavedPromptId) -> list[Version]:
    async with database.reading() as session:
        return list(await prompt_versions.list_versions(session, actor, prompt_id))


async def test_every_text_is_kept_with_its_author_and_can_be_taken_back(
    seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor
) -> None:
    saved = await keep(seeded, a_user, "Say it briefly.")
    await keep(seeded, a_user, "Say it in one line.", saved)
    await keep(seeded, a_user, "Say it in one line.", saved)

    newest, first = await versions(seeded, a_user, saved.id)

    assert [(one.number, one.author_name, one.text) for one in (newest, first)] == [
        (2, a_user.name, "Say it in one line."),
        (1, a_user.name, "Say it briefly."),
    ]
    changed, begun = await prompt_versions.differences((newest, first))
    assert "".join(piece.text for piece in changed if piece.kind != "removed") == newest.text
    assert [(piece.kind, piece.text) for piece in begun] == [("added", first.text)]
    async with seeded.writing() as session:
        await library.change_text(session, a_user, saved.id, first.text)
    assert (await versions(seeded, a_user, saved.id))[0].text == first.text
    for stranger in (another_user, an_admin):
        assert await versions(seeded, stranger, saved.id) == []
        with pytest.raises(NotFound):
            async with seeded.reading() as session:
                await prompt_versions.read(session, stranger, first.id)


async def test_what_was_there_before_is_the_first_version_and_administrators_see_those_of_the_platform(
    seeded: Database, an_admin: Actor, a_user: Actor
) -> None:
    async with seeded.writing() as session:
        default = next(one for one in await prompts.list_shared(session, an_admin) if one.is_default)
        await prompts.change_text(session, an_admin, default.id, "Be kind.")

    found = await versions(seeded, an_admin, default.id)

    assert [(one.number, one.author_name, one.text) for one in found] == [
        (2, an_admin.name, "Be kind."),
        (1, "", default.text),
    ]
    assert await versions(seeded, a_user, default.id) == []


async def test_only_so_many_versions_are_kept(seeded: Database, a_user: Actor) -> None:
    async with seeded.writing() as session:
        for number in range(prompt_versions.KEPT + 3):
            await prompts.save_personal(session, a_user, f"Version {number}")
        prompt_id = await prompts.personal_id(session, a_user)
    assert prompt_id is not None

    found = await versions(seeded, a_user, prompt_id)

    assert [one.number for one in found] == list(range(prompt_versions.KEPT + 3, 3, -1))


async def test_tags_are_kept_once_and_uses_are_counted(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    saved = await keep(seeded, a_user, "Say it briefly.")
    assert (saved.tags, saved.use_count) == (("mail",), 0)

    async with seeded.writing() as session:
        await library.used(session, a_user, saved.id)
        await library.used(session, another_user, saved.id)
        with pytest.raises(InvalidInput):
            await library.save(session, a_user, None, "many", "x", is_shared=False, tags=list("abcdefghijk"))

    async with seeded.reading() as session:
        (found,) = await library.list_prompts(session, a_user)
    assert found == replace(saved, use_count=1)


async def test_levels_are_told_from_the_platform_to_the_agent(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    async with seeded.writing() as session:
        await prompts.save_personal(session, a_user, " Use metric units.\x00 ")
        await prompts.save_personal(session, another_user, "Theirs")
        project_id = await projects.save(session, a_user, None, "Thesis")
        await projects.change(session, a_user, project_id, instructions="Cite.")
        for name in ("Zoology", "Anatomy"):
            team_id = await teams.begin(session, SYSTEM, name)
            await teams.instruct(session, SYSTEM, team_id, f"{name}.")
            await team_members.join(session, SYSTEM, team_id, a_user.user_id)
        agent_id = await agents.save(session, a_user, None, AgentSettings("Tutor", instructions="Ask first."))
        agent = await agents.read(session, a_user, agent_id)

    async with seeded.reading() as session:
        told = await levels(session, a_user, None, project_id, agent=agent)
        alone = await levels(session, a_user, None, None, without=["instructions", "team"])

    assert [level.origin for level in told] == ["instructions", "team", "team", "personal", "project", "agent"]
    assert [(level.name, level.text) for level in told[1:]] == [
        ("Zoology", "Zoology."),
        ("Anatomy", "Anatomy."),
        (prompts.PERSONAL, "Use metric units."),
        ("Thesis", "Cite."),
        ("Tutor", "Ask first."),
    ]
    assert [level.text for level in alone] == ["Use metric units."]
    async with seeded.writing() as session:
        await prompts.save_personal(session, a_user, "")
        assert await levels(session, a_user, None, None, without=["instructions", "team"]) == ()


async def test_a_version_that_is_not_there_is_said(seeded: Database, a_user: Actor) -> None:
    with pytest.raises(NotFound):
        async with seeded.writing() as session:
            await library.change_text(session, a_user, SavedPromptId(uuid7()), "x")


@pytest.mark.parametrize(
    ("before", "after"),
    [("", ""), ("a b\nc", "a x\nc\nd"), ("one\n", ""), ("word " * 3_000, "other " * 3_000), ("ä  ö", "ä ö")],
)
def test_both_texts_are_in_their_difference(before: str, after: str) -> None:
    pieces = difference(before, after)

    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after
