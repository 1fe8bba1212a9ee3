"""Directories that keep accounts and teams over SCIM 2.0: RFC 7643 and RFC 7644, and what real ones send."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server
from sqlalchemy import select

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import Forbidden
from llm_ui.kit.ids import IssuerId, TeamId, UserId, uuid7
from llm_ui.models import AuditLog, DirectoryPerson, IssuerTeam, LinkedSignIn, Role, Team, TeamMember, User
from llm_ui.services import directories, issuers, keys, linked_sign_ins, team_members, teams, user_details
from llm_ui.services.access import SYSTEM, Actor
from llm_ui.services.issuers import NewIssuer
from llm_ui.services.keys import NewKey
from llm_ui.services.secrets import Secrets
from llm_ui.services.sign_in import TimeOuts
from tests.conftest import make_actor

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
TIME_OUTS = TimeOuts(timedelta(days=1), timedelta(days=1))
NOBODY = "00000000-0000-0000-0000-000000000000"

pytestmark = pytest.mark.usefixtures("api")


@dataclass(slots=True)
class Harbour:
    """A directory, as it asks."""

    issuer_id: IssuerId
    token: str
    http: httpx2.AsyncClient

    async def asks(self, method: str, path: str, body: Any = None, **params: Any) -> httpx2.Response:
        return await self.http.request(method, f"/scim/v2/{path}", json=body, params=params)

    async def said(self, method: str, path: str, body: Any = None, **params: Any) -> dict[str, Any]:
        """Return what is answered to what works."""
        response = await self.asks(method, path, body, **params)
        assert response.is_success, response.text
        found: dict[str, Any] = response.json()
        return found

    async def person(self, name: str, **other: Any) -> dict[str, Any]:
        body = {"schemas": [USER], "userName": name, "emails": [{"value": f"{name}@example.org", "primary": True}]}
        return await self.said("POST", "Users", {**body, **other})

    async def group(self, name: str, *members: dict[str, Any], **other: Any) -> dict[str, Any]:
        of_group = [{"value": member["id"]} for member in members]
        return await self.said(
            "POST", "Groups", {"schemas": [GROUP], "displayName": name, "members": of_group, **other}
        )

    async def patches(self, path: str, *operations: dict[str, Any]) -> httpx2.Response:
        return await self.asks("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})


async def add_issuer(database: Database, secrets: Secrets, name: str = "Harbour", **other: Any) -> IssuerId:
    new = NewIssuer(name, f"https://{name.lower()}.example.org", "us", **other)
    async with database.writing() as session:
        return (await issuers.add(session, SYSTEM, secrets.sealer, IssuerId(uuid7()), new, None)).id


async def new_token(database: Database, issuer_id: IssuerId, *, takes_over: bool = False) -> str:
    async with database.writing() as session:
        return await directories.make_token(session, SYSTEM, issuer_id, takes_over=takes_over)


@pytest.fixture
async def harbour(database: Database, secrets: Secrets, database_config: Config) -> AsyncIterator[Harbour]:
    issuer_id = await add_issuer(database, secrets)
    token = await new_token(database, issuer_id)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(
        base_url=database_config.llm_api_url, headers=headers, trust_env=False, timeout=30
    ) as http:
        yield Harbour(issuer_id, token, http)


async def account(database: Database, name: str) -> User:
    async with database.reading() as session:
        return (await session.scalars(select(User).where(User.name == name))).one()


async def in_team(database: Database, team_id: TeamId) -> set[str]:
    async with database.reading() as session:
        query = select(User.name).join(TeamMember, TeamMember.user_id == User.id)
        return set(await session.scalars(query.where(TeamMember.team_id == team_id)))


async def team_named(database: Database, name: str) -> TeamId:
    async with database.reading() as session:
        return (await session.scalars(select(Team.id).where(Team.name == name))).one()


async def test_it_complies(harbour: Harbour, database_config: Config) -> None:
    """What it says of itself, each attribute by POST, PUT and PATCH, and its refusals, as scim2-tester checks them."""

    def check() -> list[Any]:
        headers = {"Authorization": f"Bearer {harbour.token}"}
        with httpx2.Client(
            base_url=f"{database_config.llm_api_url}/scim/v2", headers=headers, trust_env=False, timeout=30
        ) as http:
            return check_server(SyncSCIMClient(http))

    results = await asyncio.to_thread(check)

    assert len(results) > 50
    print(__import__("collections").Counter(e.status for e in results))
    bad = [
        each
        for each in results
        if each.status not in (Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE, Status.SKIPPED)
    ]
    assert not bad, "\n".join(f"{each.title} {each.resource_type}: {each.reason}" for each in bad)


async def test_somebody_comes_changes_is_disabled_and_goes(harbour: Harbour, database: Database) -> None:
    made = await harbour.person("Cleo.Marlow@example.org", displayName="Cleo Marlow", externalId="e-1", emails=[])

    assert made["meta"]["location"].endswith(f"/scim/v2/Users/{made['id']}")
    cleo = await account(database, "Cleo.Marlow")
    assert (str(cleo.id), cleo.email, cleo.role, cleo.is_active, cleo.password_hash) == (
        made["id"], "Cleo.Marlow@example.org", Role.USER, True, "",
    )  # fmt: skip

    work = {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "cleo@example.com"}
    off = {"op": "Replace", "path": "active", "value": "False"}
    assert (await harbour.patches(f"Users/{made['id']}", work, off)).json()["active"] is False
    cleo = await account(database, "Cleo.Marlow")
    assert (cleo.email, cleo.is_active) == ("cleo@example.com", False)

    primary = {"op": "replace", "path": "emails[primary eq true].value", "value": "c@example.com"}
    assert (await harbour.patches(f"Users/{made['id']}", primary)).json()["emails"][0]["value"] == "c@example.com"

    body = {"schemas": [USER], "userName": "cleo", "emails": [{"value": "cleo@example.com"}]}
    replaced = await harbour.said("PUT", f"Users/{made['id']}", body)
    assert (replaced["userName"], replaced["active"]) == ("cleo", False), "what is not said of `active` changes nothing"
    assert "externalId" not in replaced

    assert (await harbour.asks("DELETE", f"Users/{made['id']}")).status_code == 204
    assert (await harbour.asks("GET", f"Users/{made['id']}")).status_code == 404
    assert (await account(database, "Cleo.Marlow")).id == cleo.id, "nothing that she wrote goes"

    again = await harbour.person("cleo", emails=[{"value": "cleo@example.com"}])
    assert again["id"] == made["id"]
    assert (await account(database, "Cleo.Marlow")).is_active


async def test_an_administrator_sees_which_directory_keeps_an_account(harbour: Harbour, database: Database) -> None:
    ada, bob = await make_actor(database, "ada", Role.ADMIN), await make_actor(database, "bob", Role.USER)
    cleo = UserId(UUID((await harbour.person("cleo"))["id"]))

    async with database.reading() as session:
        keepers = [(await user_details.details(session, ada, each, TIME_OUTS)).keeper for each in (cleo, bob.user_id)]

    assert keepers == ["Harbour", ""]


async def test_what_a_directory_does_is_in_the_audit_log_under_its_name(harbour: Harbour, database: Database) -> None:
    made = await harbour.person("cleo")
    await harbour.patches(f"Users/{made['id']}", {"op": "replace", "path": "active", "value": False})

    async with database.reading() as session:
        entries = (await session.scalars(select(AuditLog).where(AuditLog.actor_name == "Harbour (SCIM)"))).all()
    assert [entry.action for entry in entries] == ["user.created", "directory.person_changed", "user.disabled"]
    assert {entry.via for entry in entries} == {"api"}


async def test_whoever_is_disabled_is_out_at_once(
    harbour: Harbour, database: Database, database_config: Config
) -> None:
    made = await harbour.person("cleo")
    user_id = UserId(UUID(made["id"]))
    async with database.writing() as session:
        key = await keys.create(session, Actor(user_id, "cleo", Role.USER), NewKey("hers"))
    asked = {"Authorization": f"Bearer {key.token}"}
    assert (await harbour.http.get("/v1/models", headers=asked)).status_code == 200

    await harbour.patches(f"Users/{made['id']}", {"op": "replace", "value": {"active": False}})

    assert (await harbour.http.get("/v1/models", headers=asked)).status_code == 401


async def test_the_only_administrator_is_not_disabled(harbour: Harbour, database: Database) -> None:
    ada = await make_actor(database, "ada", Role.ADMIN)
    async with database.writing() as session:
        session.add(LinkedSignIn(issuer_id=harbour.issuer_id, subject="s", user_id=ada.user_id, email=""))
    made = await harbour.person("ada")
    assert made["id"] == str(ada.user_id), "she has connected it herself"

    refused = await harbour.patches(f"Users/{made['id']}", {"op": "replace", "path": "active", "value": False})

    assert refused.status_code == 409
    assert "only administrator" in refused.json()["detail"]
    assert (await account(database, "ada")).is_active


async def test_accounts_that_were_here_before_are_taken_over_only_where_that_is_said(
    harbour: Harbour, database: Database
) -> None:
    bob, ada = await make_actor(database, "bob", Role.USER), await make_actor(database, "ada", Role.ADMIN)
    body = {"schemas": [USER], "userName": "x", "emails": [{"value": "bob@example.org"}]}

    refused = await harbour.asks("POST", "Users", body)
    assert (refused.status_code, refused.json()["scimType"]) == (409, "uniqueness")
    assert "connects Harbour on the account page" in refused.json()["detail"]

    token = await new_token(database, harbour.issuer_id, takes_over=True)
    assert (await harbour.asks("GET", "Users")).status_code == 401, "the token before has ended"
    harbour.http.headers["Authorization"] = f"Bearer {token}"
    assert (await harbour.said("POST", "Users", body))["id"] == str(bob.user_id)
    of_ada = {**body, "userName": "y", "emails": [{"value": "ada@example.org"}]}
    assert (await harbour.asks("POST", "Users", of_ada)).status_code == 409, "an administrator never by an address"
    assert ada.user_id


async def test_an_account_is_of_one_directory(harbour: Harbour, database: Database, secrets: Secrets) -> None:
    made = await harbour.person("cleo")
    other = await new_token(database, await add_issuer(database, secrets, "Lighthouse"), takes_over=True)
    harbour.http.headers["Authorization"] = f"Bearer {other}"

    assert (await harbour.said("GET", "Users"))["totalResults"] == 0
    assert (await harbour.asks("GET", f"Users/{made['id']}")).status_code == 404
    assert (await harbour.asks("DELETE", f"Users/{made['id']}")).status_code == 404
    body = {"schemas": [USER], "userName": "cleo", "emails": [{"value": "cleo@example.org"}]}
    assert (await harbour.asks("POST", "Users", body)).status_code == 409
    assert (await account(database, "cleo")).is_active


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ('userName eq "ANN"', {"ann"}),
        ('userName sw "a" and active eq true', {"ann", "al%"}),
        ('userName co "%"', {"al%"}),
        ('userName ew "nn" or externalId eq "E-2"', {"ann"}),
        ('externalId eq "e-2"', {"ben"}),
        ("externalId pr", {"ben"}),
        ('not (externalId eq "e-2")', {"ann", "al%"}),
        ('externalId ne "e-2"', {"ann", "al%"}),
        ('emails[type eq "work" and value eq "ben@example.org"]', {"ben"}),
        ('emails.value eq "ANN@example.org"', {"ann"}),
        ('emails eq "ann@example.org"', {"ann"}),
        ("active eq false", {"ben"}),
        ('id eq "no-id"', set()),
        ('meta.created gt "2020-01-01T00:00:00Z"', {"ann", "ben", "al%"}),
        ('meta.lastModified lt "2020-01-01T00:00:00Z"', set()),
        (f'{USER}:userName eq "ann"', {"ann"}),
    ],
)
async def test_people_are_found(harbour: Harbour, asked: str, found: set[str]) -> None:
    await harbour.person("ann")
    await harbour.person("ben", externalId="e-2", active=False)
    await harbour.person("al%", emails=[{"value": "al@example.org"}])

    listed = await harbour.said("GET", "Users", filter=asked)
    posted = await harbour.said("POST", "Users/.search", {"filter": asked})

    for each in (listed, posted):
        names = {person["userName"] for person in each.get("Resources", ())}
        assert (names, each["totalResults"]) == (found, len(found))


async def test_groups_are_teams_whose_members_come_and_go(harbour: Harbour, database: Database) -> None:
    ann, ben = await harbour.person("ann"), await harbour.person("ben")
    crew = await harbour.group("Crew", ann, externalId="g-1")
    team_id = await team_named(database, "Crew")
    hand = await make_actor(database, "hand", Role.USER)
    async with database.writing() as session:
        await team_members.join(session, SYSTEM, team_id, hand.user_id)
    assert await in_team(database, team_id) == {"ann", "hand"}

    add = {"op": "Add", "path": "members", "value": [{"value": ben["id"]}]}
    assert (await harbour.patches(f"Groups/{crew['id']}", add)).is_success
    assert await in_team(database, team_id) == {"ann", "ben", "hand"}
    assert (await harbour.said("GET", f"Users/{ben['id']}"))["groups"][0]["display"] == "Crew"
    of_ben = await harbour.said("GET", "Groups", filter=f'members.value eq "{ben["id"]}"')
    assert [group["displayName"] for group in of_ben["Resources"]] == ["Crew"]
    lean = await harbour.said("GET", "Groups", filter='displayName eq "crew"', excludedAttributes="members")
    assert "members" not in lean["Resources"][0]

    # As Entra ID and as Okta take somebody out.
    by_value = {"op": "Remove", "path": "members", "value": [{"value": ann["id"]}]}
    by_path = {"op": "remove", "path": f'members[value eq "{ben["id"]}"]'}
    await harbour.patches(f"Groups/{crew['id']}", by_value)
    assert await in_team(database, team_id) == {"ben", "hand"}
    await harbour.patches(f"Groups/{crew['id']}", by_path)
    assert await in_team(database, team_id) == {"hand"}

    await harbour.patches(f"Groups/{crew['id']}", {"op": "replace", "value": {"displayName": "Deck"}})
    assert await team_named(database, "Deck") == team_id
    await harbour.patches(f"Groups/{crew['id']}", add)
    assert (await harbour.asks("DELETE", f"Groups/{crew['id']}")).status_code == 204
    assert await in_team(database, await team_named(database, "Deck")) == {"hand"}, "the team stays with its own"


async def test_a_group_is_the_team_that_it_is_said_to_be(harbour: Harbour, database: Database) -> None:
    async with database.writing() as session:
        bridge = await teams.begin(session, SYSTEM, "Bridge")
        session.add(IssuerTeam(issuer_id=harbour.issuer_id, group_name="mates", team_id=bridge))
        deck = await teams.begin(session, SYSTEM, "Deck")
    ann = await harbour.person("ann")

    await harbour.group("mates", ann)
    await harbour.group("deck", ann)

    assert await in_team(database, bridge) == await in_team(database, deck) == {"ann"}
    twice = await harbour.asks("POST", "Groups", {"schemas": [GROUP], "displayName": "DECK"})
    assert (twice.status_code, twice.json()["scimType"]) == (409, "uniqueness")


async def test_who_goes_leaves_the_directory_s_teams(harbour: Harbour, database: Database) -> None:
    ann = await harbour.person("ann")
    await harbour.group("Crew", ann)

    await harbour.asks("DELETE", f"Users/{ann['id']}")

    assert await in_team(database, await team_named(database, "Crew")) == set()


async def test_a_stranger_is_no_member_and_nothing_is_half_done(harbour: Harbour, database: Database) -> None:
    ann = await harbour.person("ann")
    crew = await harbour.group("Crew", ann)
    members = [{"value": ann["id"]}, {"value": NOBODY}]

    refused = await harbour.asks("PUT", f"Groups/{crew['id']}", {
        "schemas": [GROUP], "displayName": "Other", "members": members,
    })  # fmt: skip

    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidValue")
    assert (await harbour.said("GET", f"Groups/{crew['id']}"))["displayName"] == "Crew"
    assert await in_team(database, await team_named(database, "Crew")) == {"ann"}


async def test_whom_the_directory_keeps_signs_in_to_that_account(harbour: Harbour, database: Database) -> None:
    by_oid = await harbour.person("ann", externalId="object-1")
    by_address = await harbour.person("ben")
    await harbour.person("eve")

    async def enters(**claims: Any) -> UserId:
        async with database.writing() as session:
            return await linked_sign_ins.enter(session, harbour.issuer_id, claims, None)

    assert str(await enters(sub="s-1", oid="object-1")) == by_oid["id"]
    assert str(await enters(sub="s-2", email="BEN@example.org", email_verified=True)) == by_address["id"]
    with pytest.raises(Forbidden, match="No account here is connected"):
        await enters(sub="s-3", email="eve@example.org")
    assert str(await enters(sub="s-1")) == by_oid["id"], "known by the subject from then on"


async def test_the_directory_decides_on_its_teams_and_sign_ins_on_the_others(
    harbour: Harbour, database: Database
) -> None:
    async with database.writing() as session:
        bridge = await teams.begin(session, SYSTEM, "Bridge")
        session.add(IssuerTeam(issuer_id=harbour.issuer_id, group_name="mates", team_id=bridge))
    ann = await harbour.person("ann", externalId="s-1")
    await harbour.group("Crew", ann)

    async with database.writing() as session:
        await linked_sign_ins.enter(session, harbour.issuer_id, {"sub": "s-1", "groups": ["mates"]}, None)
    assert await in_team(database, bridge) == {"ann"}

    async with database.writing() as session:
        await linked_sign_ins.enter(session, harbour.issuer_id, {"sub": "s-1", "groups": []}, None)
    assert await in_team(database, bridge) == set()
    assert await in_team(database, await team_named(database, "Crew")) == {"ann"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "scim_type"),
    [
        ("POST", "Users", {"schemas": [USER]}, 400, "invalidValue"),
        ("POST", "Users", {"schemas": [USER], "userName": "nobody"}, 400, "invalidValue"),
        ("POST", "Users", {"schemas": [USER], "userName": "x" * 256 + "@example.org"}, 400, "invalidValue"),
        ("POST", "Groups", {"schemas": [GROUP]}, 400, "invalidValue"),
        ("POST", "Groups", {"schemas": [GROUP], "displayName": " "}, 400, "invalidValue"),
        ("POST", "Users", ["no object"], 400, "invalidSyntax"),
        ("GET", "Users?filter=userName+eq", None, 400, "invalidFilter"),
        ("GET", 'Users?filter=displayName eq "x"', None, 400, "invalidFilter"),
        ("GET", 'Users?filter=nickName eq "x"', None, 400, "invalidFilter"),
        ("GET", f"Users/{NOBODY}", None, 404, None),
        ("GET", "Users/no-id", None, 404, None),
        ("DELETE", f"Groups/{NOBODY}", None, 404, None),
        ("DELETE", "Users", None, 405, None),
        ("GET", "Nothing", None, 404, None),
        ("GET", "Me", None, 501, None),
        ("PUT", "Schemas", None, 405, None),
        ("POST", "Bulk", {}, 404, None),
    ],
)
async def test_what_cannot_be_done_is_said_as_the_protocol_says_it(
    harbour: Harbour, method: str, path: str, body: Any, status: int, scim_type: str | None
) -> None:
    refused = await harbour.http.request(method, f"/scim/v2/{path}", json=body)

    told = refused.json()
    assert (refused.status_code, told["status"], told.get("scimType")) == (status, str(status), scim_type), told
    assert told["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert told["detail"]
    assert refused.headers["content-type"] == "application/scim+json"


async def test_a_body_that_is_no_json_is_refused(harbour: Harbour) -> None:
    refused = await harbour.http.post("/scim/v2/Users", content=b"{")

    assert (refused.status_code, refused.json()["scimType"]) == (400, "invalidSyntax")


async def test_a_token_that_has_ended_or_is_none_opens_nothing(harbour: Harbour, database: Database) -> None:
    for headers in ({}, {"Authorization": "Bearer llmui-scim-wrong"}, {"Authorization": "Basic eA=="}):
        async with httpx2.AsyncClient(base_url=harbour.http.base_url, trust_env=False) as http:
            refused = await http.get("/scim/v2/ServiceProviderConfig", headers=headers)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
    async with database.writing() as session:
        await directories.end_token(session, SYSTEM, harbour.issuer_id)
    assert (await harbour.asks("GET", "Users")).status_code == 401


async def test_who_guesses_tokens_waits_and_who_has_one_does_not(harbour: Harbour) -> None:
    await harbour.said("GET", "Users")
    wrong = {"Authorization": "Bearer llmui-scim-wrong"}
    statuses = [(await harbour.http.get("/scim/v2/Users", headers=wrong)).status_code for _ in range(40)]

    assert (statuses[0], statuses[-1]) == (401, 429)
    assert (await harbour.asks("GET", "Users")).status_code == 200


async def test_pages_are_of_many_and_both_kinds_are_searched_at_once(harbour: Harbour) -> None:
    for number in range(5):
        await harbour.person(f"p{number}")
    await harbour.group("Crew")

    second = await harbour.said("GET", "Users", startIndex=3, count=2)
    assert [each["userName"] for each in second["Resources"]] == ["p2", "p3"]
    assert (second["totalResults"], second["startIndex"], second["itemsPerPage"]) == (5, 3, 2)
    assert (await harbour.said("GET", "Users", count=0))["totalResults"] == 5

    both = await harbour.said("POST", ".search", {"startIndex": 5, "count": 2})
    assert [each.get("userName", each.get("displayName")) for each in both["Resources"]] == ["p4", "Crew"]
    only = await harbour.said("POST", ".search", {"filter": 'displayName eq "crew"'})
    assert (only["totalResults"], only["Resources"][0]["displayName"]) == (1, "Crew")


async def test_without_its_libraries_it_is_said_how_to_get_them(
    harbour: Harbour, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directories, "HAS_SCIM", False)

    refused = await harbour.asks("GET", "Users")

    assert refused.status_code == 501
    assert "pip install llm-ui[scim]" in refused.json()["detail"]


async def test_changes_at_once_are_all_there(harbour: Harbour, database: Database) -> None:
    people = [await harbour.person(f"p{number}") for number in range(6)]
    crew = await harbour.group("Crew")

    adds = [{"op": "add", "path": "members", "value": [{"value": each["id"]}]} for each in people]
    answers = await asyncio.gather(*(harbour.patches(f"Groups/{crew['id']}", add) for add in adds))

    assert all(answer.is_success for answer in answers)
    assert len(await in_team(database, await team_named(database, "Crew"))) == 6


async def test_an_account_that_is_deleted_here_is_gone_for_the_directory(harbour: Harbour, database: Database) -> None:
    made = await harbour.person("ann")
    async with database.writing() as session:
        await session.delete(await session.get_one(User, UserId(UUID(made["id"]))))

    assert (await harbour.asks("GET", f"Users/{made['id']}")).status_code == 404
    async with database.reading() as session:
        assert await session.scalar(select(DirectoryPerson.user_id)) is None
    assert (await harbour.person("ann"))["id"] != made["id"]


@pytest.mark.parametrize(
    ("operations", "left", "name"),
    [
        ([{"op": "add", "value": {"members": [{"value": "<b>"}], "displayName": "Deck"}}], "ab", "Deck"),
        ([{"op": "replace", "path": "members", "value": [{"value": "<b>"}]}], "b", "Crew"),
        ([{"op": "replace", "value": {"members": []}}], "", "Crew"),
        ([{"op": "remove", "path": "members"}], "", "Crew"),
        ([{"op": "REMOVE", "path": f"{GROUP}:members[value EQ \"<a>\"]"}], "", "Crew"),
        ([{"op": "add", "path": "members", "value": {"value": "<b>"}},
                       {"op": "remove", "path": "members", "value": ["<a>"]}], "b", "Crew"),
        ([{"op": "remove", "path": "members"},
                       {"op": "add", "path": "members", "value": [{"value": "<b>"}]},
                       {"op": "replace", "path": "displayName", "value": "Deck"}], "b", "Deck"),
        ([{"op": "add", "path": "members", "value": [{"value": "<b>"}]},
                       {"op": "remove", "path": "members[value eq \"<b>\"]"}], "a", "Crew"),
        ([{"op": "remove", "path": f"members[value eq \"{NOBODY}\"]"}], "a", "Crew"),
    ],
)  # fmt: skip
async def test_members_come_and_go_in_each_way_that_there_is(
    harbour: Harbour, database: Database, operations: list[dict[str, Any]], left: str, name: str
) -> None:
    a, b = await harbour.person("a"), await harbour.person("b")
    crew = await harbour.group("Crew", a)

    told = json.loads(json.dumps(operations).replace("<a>", a["id"]).replace("<b>", b["id"]))
    answer = await harbour.patches(f"Groups/{crew['id']}", *told)

    assert answer.is_success, answer.text
    assert await in_team(database, await team_named(database, name)) == set(left)
    group = await harbour.said("GET", f"Groups/{crew['id']}")
    assert {each["value"] for each in group.get("members", [])} == {
        each["id"] for each in (a, b) if each["userName"] in left
    }


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "add", "path": "members[display eq \"x\"]", "value": [{"value": NOBODY}]}, "invalidPath"),
        ({"op": "replace", "path": f"members[value eq \"{NOBODY}\"]", "value": {"value": NOBODY}}, "noTarget"),
        ({"op": "add", "path": "members", "value": [{"value": "no id"}]}, "invalidValue"),
        ({"op": "add", "path": "members", "value": [{"value": NOBODY}]}, "invalidValue"),
        ({"op": "turn", "path": "members", "value": []}, "invalidValue"),
        ({"op": "remove", "path": "displayName"}, "mutability"),
        ("no operation", "invalidValue"),
    ],
)  # fmt: skip
async def test_a_patch_of_a_group_that_cannot_be_is_refused_as_a_whole(
    harbour: Harbour, database: Database, operation: Any, scim_type: str
) -> None:
    ann = await harbour.person("ann")
    crew = await harbour.group("Crew", ann)

    refused = await harbour.patches(f"Groups/{crew['id']}", {"op": "remove", "path": "members"}, operation)

    assert (refused.status_code, refused.json()["scimType"]) == (400, scim_type), refused.text
    assert await in_team(database, await team_named(database, "Crew")) == {"ann"}
