"""The sign-in page of the administration: issuers, passwords and second factors."""

import pytest

from llm_ui.admin.sign_in.state import SignInState
from llm_ui.errors import KeyRefused
from llm_ui.kit.ids import IssuerId, uuid7
from llm_ui.models import Issuer
from llm_ui.services import directories, issuers
from llm_ui.services.access import Actor
from llm_ui.services.issuers import NewIssuer
from tests.admin.conftest import ContextOf
from tests.fakes.issuer import Liar
from tests.fakes.web import a_web

FORM = {"issuer_name": "Harbour", "issuer_client_id": "workspace", "issuer_secret": "a secret of ours"}


async def test_an_issuer_is_added_once_it_answers_edited_and_deleted(context_of: ContextOf, an_admin: Actor) -> None:
    state = SignInState(context_of(an_admin))
    async with a_web() as web:
        liar = Liar(web)
        state.open_add()
        redirect = state.redirect
        state.fill({**FORM, "issuer_address": liar.url, "is_private": "yes"})
        await state.save()
        assert (state.error != "", state.sheet, state.issuers) == (True, "add", ())

        liar.describe()
        await state.save()

    assert (state.error, state.sheet, state.issuer_secret) == ("", "", "")
    (issuer,) = state.issuers
    assert redirect.endswith(f"/oidc/{issuer.id}/callback")
    async with state.context.backend.database.reading() as session:
        assert "a secret of ours" not in (await session.get_one(Issuer, issuer.id)).sealed_secret
    await state.open_edit(issuer.id)
    assert (state.issuer_secret, state.is_private, state.redirect) == ("", "yes", redirect)
    state.fill({"issuer_domains": "@Example.org, example.com", "makes_accounts": "yes", "sheet": "delete"})
    await state.save()
    assert (state.issuers[0].filled.domains, state.issuers[0].has_secret) == ("example.org, example.com", True)
    await state.set_active(issuer.id, is_active=False)
    assert not state.issuers[0].is_active
    await state.open_edit(issuer.id)
    state.turn_to("ask_delete")
    await state.delete()
    assert state.issuers == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer_name": " "}, {"issuer_client_id": ""}, {"issuer_scopes": "profile"}, {"issuer_address": "harbour"},
        {"issuer_address": "https://harbour.example/?a=b"}, {"issuer_address": "http://harbour.example"},
        {"issuer_groups": ",".join(map(str, range(101)))},
    ],
)  # fmt: skip
async def test_what_cannot_be_used_is_refused_before_anybody_is_asked(
    context_of: ContextOf, an_admin: Actor, wrong: dict[str, str]
) -> None:
    state = SignInState(context_of(an_admin))
    state.open_add()
    state.fill({**FORM, "issuer_address": "https://127.0.0.1:1", **wrong})

    await state.save()

    assert state.error
    assert state.sheet == "add"


async def test_second_factors_are_asked_for_and_passwords_stay_while_nobody_gets_in_without(
    context_of: ContextOf, an_admin: Actor
) -> None:
    state = SignInState(context_of(an_admin))
    await state.set_second_factor("administrators")
    assert (state.error, state.second_factor) == ("", "administrators")
    await state.set_second_factor("cats")
    assert state.error

    await state.set_passwords(are_taken=False)

    assert "No administrator could sign in then" in state.error
    assert state.takes_passwords
    await state.test(IssuerId(uuid7()))
    assert state.error


async def test_whoever_is_no_administrator_does_nothing_here(context_of: ContextOf, a_user: Actor) -> None:
    state = SignInState(context_of(a_user))
    for act in (
        state.load(),
        state.save(),
        state.set_passwords(are_taken=False),
        state.set_second_factor("everybody"),
        state.open_directory(IssuerId(uuid7())),
        state.make_token(),
        state.end_token(),
    ):
        await act
        assert state.error


async def test_a_directory_gets_a_token_that_is_shown_once_and_ends_when_that_is_confirmed(
    context_of: ContextOf, an_admin: Actor
) -> None:
    state = SignInState(context_of(an_admin))
    database = state.context.backend.database
    async with database.writing() as session:
        new = NewIssuer("Harbour", "https://harbour.example.org", "us")
        issuer_id = (
            await issuers.add(session, an_admin, state.context.backend.secrets.sealer, IssuerId(uuid7()), new, None)
        ).id
    await state.open_directory(issuer_id)
    assert (state.error, state.sheet, state.directory.prefix, state.token) == ("", "directory", "", "")
    assert state.directory_address.endswith("/scim/v2")

    state.fill({"takes_over": "yes"})
    await state.make_token()

    assert state.token.startswith(state.directory.prefix)
    async with database.reading() as session:
        assert (await directories.directory_of(session, state.token)).takes_over
    token = state.token
    state.close()
    assert state.token == ""
    await state.open_directory(issuer_id)
    assert (state.token, state.takes_over) == ("", "yes")
    state.fill({"takes_over": "no"})
    await state.save_directory()
    assert (state.error, state.sheet) == ("", "")
    async with database.reading() as session:
        assert not (await directories.directory_of(session, token)).takes_over
    await state.open_directory(issuer_id)
    state.turn_to("ask_new_token")
    assert state.sheet == "ask_new_token"
    await state.make_token()
    assert (state.sheet, state.token not in ("", token)) == ("directory", True)
    token, renewed = state.token, token
    async with database.reading() as session:
        with pytest.raises(KeyRefused):
            await directories.directory_of(session, renewed)
    state.turn_to("ask_end_token")
    assert state.sheet == "ask_end_token"
    state.turn_to("directory")
    assert state.sheet == "directory"
    await state.end_token()
    assert (state.error, state.directory.prefix) == ("", "")
    async with database.reading() as session:
        with pytest.raises(KeyRefused):
            await directories.directory_of(session, token)
