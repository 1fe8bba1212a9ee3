"""Links to chats, on both databases: who may open them, and what later changes do not enter."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from llm_ui.db import Database
from llm_ui.errors import Forbidden, InvalidInput, NotFound, TooLarge
from llm_ui.kit.clock import now
from llm_ui.kit.ids import ChatId
from llm_ui.models import Attachment, Audience, AuditLog, ShareLink, User
from llm_ui.services import branches, chats, retention, settings, sharing
from llm_ui.services.access import Actor
from llm_ui.services.attachments import AttachmentInfo
from llm_ui.services.settings import SHARING
from llm_ui.services.sharing import Link
from tests.services.test_attachments import uploaded
from tests.services.test_branches import answered
from tests.services.test_chats import read


async def allow(database: Database, admin: Actor, audience: str) -> None:
    async with database.writing() as session:
        await settings.change(session, admin, SHARING, audience)


async def share(
    database: Database, actor: Actor, chat_id: ChatId, audience: Audience = Audience.SIGNED_IN, days: int | None = 7
) -> tuple[Link, str]:
    async with database.writing() as session:
        return await sharing.share(session, actor, chat_id, audience, days)


async def seen(database: Database, token: str, actor: Actor | None = None) -> list[str]:
    async with database.reading() as session:
        return [message.text for message in (await sharing.open_link(session, token, actor)).messages]


async def test_a_link_shows_the_chat_as_it_was(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    _, token = await share(seeded, a_user, turn.chat_id)

    await answered(seeded, a_user, "two", "2", chat_id=turn.chat_id)
    async with seeded.writing() as session:
        await branches.edit_answer(session, a_user, turn.answer_id, "changed")
        await chats.rename(session, a_user, turn.chat_id, "renamed")
        await branches.delete(session, a_user, turn.question_id)

    assert await seen(seeded, token, another_user) == ["one", "1"]


async def test_who_may_open_a_link(seeded: Database, a_user: Actor, another_user: Actor, an_admin: Actor) -> None:
    await allow(seeded, an_admin, "anyone")
    turn = await answered(seeded, a_user, "one", "1")
    _, for_signed_in = await share(seeded, a_user, turn.chat_id)
    _, for_anyone = await share(seeded, a_user, turn.chat_id, Audience.ANYONE)

    assert await seen(seeded, for_signed_in, another_user) == ["one", "1"]
    assert await seen(seeded, for_anyone) == ["one", "1"]
    with pytest.raises(NotFound):
        await seen(seeded, for_signed_in)
    with pytest.raises(NotFound):
        await seen(seeded, for_anyone[:-1], another_user)


async def test_what_administrators_switch_off_ends_at_once(seeded: Database, a_user: Actor, an_admin: Actor) -> None:
    await allow(seeded, an_admin, "anyone")
    turn = await answered(seeded, a_user, "one", "1")
    _, token = await share(seeded, a_user, turn.chat_id, Audience.ANYONE)

    await allow(seeded, an_admin, "signed_in")

    with pytest.raises(NotFound):
        await seen(seeded, token)
    with pytest.raises(Forbidden, match="switched such links off"):
        await share(seeded, a_user, turn.chat_id, Audience.ANYONE)
    await allow(seeded, an_admin, "anyone")
    assert await seen(seeded, token) == ["one", "1"]


@pytest.mark.parametrize("end", ["revoked", "expired", "binned", "owner gone"])
async def test_a_link_leads_nowhere_after_its_end(
    seeded: Database, a_user: Actor, another_user: Actor, end: str
) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    link, token = await share(seeded, a_user, turn.chat_id)
    assert await seen(seeded, token, another_user)

    async with seeded.writing() as session:
        match end:
            case "revoked":
                await sharing.revoke(session, a_user, link.id)
            case "expired":
                await session.execute(update(ShareLink).values(expires_at=now() - timedelta(seconds=1)))
            case "binned":
                await chats.delete(session, a_user, turn.chat_id)
            case _:
                await session.execute(update(User).where(User.id == a_user.user_id).values(is_active=False))

    with pytest.raises(NotFound, match="does not lead anywhere"):
        await seen(seeded, token, another_user)


async def test_links_are_their_owners_alone(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    link, _ = await share(seeded, a_user, turn.chat_id)

    async with seeded.writing() as session:
        assert await sharing.list_links(session, another_user) == ()
        with pytest.raises(NotFound):
            await sharing.revoke(session, another_user, link.id)
    with pytest.raises(NotFound):
        await share(seeded, another_user, turn.chat_id)
    async with seeded.reading() as session:
        assert [each.id for each in await sharing.list_links(session, a_user, turn.chat_id)] == [link.id]


async def test_what_is_read_is_continued_in_a_chat_of_ones_own(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    _, token = await share(seeded, a_user, turn.chat_id)

    async with seeded.writing() as session:
        chat_id = await sharing.continue_link(session, another_user, token)
    await answered(seeded, another_user, "two", "2", chat_id=chat_id)

    page = await read(seeded, another_user, chat_id)
    assert [message.text for message in page.items] == ["one", "1", "two", "2"]
    assert await seen(seeded, token, another_user) == ["one", "1"]


@pytest.mark.parametrize("days", [0, 366])
async def test_an_odd_time_is_refused(seeded: Database, a_user: Actor, days: int) -> None:
    turn = await answered(seeded, a_user, "one", "1")

    with pytest.raises(InvalidInput, match="1 to 365 days"):
        await share(seeded, a_user, turn.chat_id, days=days)


async def test_a_link_is_known_again_but_cannot_be_opened_with_what_is_kept(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    made, token = await share(seeded, a_user, turn.chat_id)

    async with seeded.reading() as session:
        (listed,) = await sharing.list_links(session, a_user)
        row = (await session.scalars(select(ShareLink))).one()

    assert listed == made
    assert token.startswith(listed.prefix)
    assert 0 < len(listed.prefix) < 10
    kept = {column.name: str(getattr(row, column.name)) for column in ShareLink.__table__.columns}
    assert not any(token in value for value in kept.values())


async def test_the_audit_tells_who_made_and_revoked_a_link(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    link, token = await share(seeded, a_user, turn.chat_id)
    for _ in range(2):
        async with seeded.writing() as session:
            await sharing.revoke(session, a_user, link.id)

    async with seeded.reading() as session:
        entries = (await session.scalars(select(AuditLog).where(AuditLog.actor_id == a_user.user_id))).all()
    assert [entry.action for entry in entries] == ["link.created", "link.revoked"]
    assert {entry.target for entry in entries} == {str(link.id)}
    assert token not in str([entry.detail for entry in entries])


async def test_a_revoked_link_holds_nothing_any_more(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    link, _ = await share(seeded, a_user, turn.chat_id)

    async with seeded.writing() as session:
        await sharing.revoke(session, a_user, link.id)

    async with seeded.reading() as session:
        assert (await session.scalars(select(ShareLink.snapshot))).one() == {"title": "", "messages": []}
        assert await sharing.list_links(session, a_user) == ()


async def test_what_has_ended_is_purged(seeded: Database, a_user: Actor) -> None:
    turn = await answered(seeded, a_user, "one", "1")
    links = [(await share(seeded, a_user, turn.chat_id, days=days))[0] for days in (1, None, 7, None)]
    async with seeded.writing() as session:
        await sharing.revoke(session, a_user, links[1].id)
        past = update(ShareLink).where(ShareLink.id == links[0].id)
        await session.execute(past.values(expires_at=now() - timedelta(seconds=1)))

    async with seeded.writing() as session:
        assert await retention.purge_links(session) == 2

    async with seeded.reading() as session:
        assert {link.id for link in await sharing.list_links(session, a_user)} == {links[2].id, links[3].id}


async def test_a_chat_too_long_for_a_page_is_refused(
    seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "MAX_CHARS", 3)
    turn = await answered(seeded, a_user, "one", "1")

    with pytest.raises(TooLarge, match="3 characters"):
        await share(seeded, a_user, turn.chat_id)


async def test_nobody_has_more_links_than_can_be_looked_after(
    seeded: Database, a_user: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sharing, "MAX_LINKS", 2)
    turn = await answered(seeded, a_user, "one", "1")
    links = [await share(seeded, a_user, turn.chat_id) for _ in range(2)]

    with pytest.raises(InvalidInput, match="Revoke some"):
        await share(seeded, a_user, turn.chat_id)
    async with seeded.writing() as session:
        await sharing.revoke(session, a_user, links[0][0].id)
    await share(seeded, a_user, turn.chat_id)


async def test_a_link_shows_images_and_names_other_files(seeded: Database, a_user: Actor, another_user: Actor) -> None:
    file = await uploaded(seeded, a_user)
    note = await uploaded(seeded, a_user, "note.txt")
    other = await uploaded(seeded, a_user)
    turn = await answered(seeded, a_user, "", "a cat", attachments=(file.id, note.id))
    _, token = await share(seeded, a_user, turn.chat_id)

    async with seeded.reading() as session:
        question, answer = (await sharing.open_link(session, token, another_user)).messages

    (image,) = question.images
    assert (question.text, question.files, image.name) == ("", ("note.txt",), "cat.png")
    assert (answer.text, answer.files, answer.images) == ("a cat", (), ())
    async with seeded.reading() as session:
        seen = await sharing.open_image(session, token, another_user, image.id)
        hidden = [await sharing.open_image(session, token, another_user, str(each)) for each in (note.id, other.id)]
    assert seen is not None
    assert (seen.sha256, seen.media_type) == (file.sha256, "image/png")
    assert hidden == [None, None], "only what the link shows is seen through it"


async def test_an_image_is_seen_for_as_long_as_the_link_holds(
    seeded: Database, a_user: Actor, another_user: Actor
) -> None:
    file = await uploaded(seeded, a_user)
    turn = await answered(seeded, a_user, "a cat?", "a cat", attachments=(file.id,))
    link, token = await share(seeded, a_user, turn.chat_id)

    async def image(with_token: str = token) -> AttachmentInfo | None:
        async with seeded.reading() as session:
            (shown,) = (await sharing.open_link(session, token, another_user)).messages[0].images
            return await sharing.open_image(session, with_token, another_user, shown.id)

    async with seeded.writing() as session:
        await branches.delete(session, a_user, turn.question_id)
    assert await image(), "what was said later does not enter the copy"
    with pytest.raises(NotFound):
        await image("another token")
    async with seeded.writing() as session:
        # rights: a test plays what takes the file away
        await session.execute(delete(Attachment))
    assert await image() is None
    async with seeded.writing() as session:
        await sharing.revoke(session, a_user, link.id)
        emptied = (await session.get_one(ShareLink, link.id)).snapshot
    with pytest.raises(NotFound):
        await image()
    assert emptied == {"title": "", "messages": []}
