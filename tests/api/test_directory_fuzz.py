"""Whatever a directory sends: an answer or a refusal, and no crash."""

import json
import logging
import random
from typing import Any
from urllib.parse import quote

import pytest

from tests.api.fuzz import broken
from tests.api.test_directories import GROUP, NOBODY, PATCH, USER, Harbour, harbour
from tests.api.test_fuzz import EACH, SEED

__all__ = ["harbour"]

PERSON = {
    "schemas": [USER, "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"],
    "userName": "cleo@example.org", "externalId": "e-1", "displayName": "Cleo Marlow", "active": True,
    "name": {"givenName": "Cleo", "familyName": "Marlow", "formatted": "Cleo Marlow"}, "password": "x",
    "emails": [{"value": "cleo@example.org", "type": "work", "primary": True}], "groups": [{"value": NOBODY}],
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "Deck", "manager": {"value": "x"}},
}  # fmt: skip
CREW = {"schemas": [GROUP], "displayName": "Crew", "externalId": "g-1", "members": [{"value": NOBODY, "type": "User"}]}
OF_PERSON = {"schemas": [PATCH], "Operations": [
    {"op": "Replace", "path": 'emails[type eq "work"].value', "value": "c@example.org"},
    {"op": "add", "value": {"displayName": "C", "emails": [{"value": "d@example.org"}], "active": "False"}},
    {"op": "remove", "path": "externalId"}, {"op": "replace", "path": "name.givenName", "value": "C"},
]}  # fmt: skip
OF_GROUP = {"schemas": [PATCH], "Operations": [
    {"op": "Add", "path": "members", "value": [{"value": NOBODY}]},
    {"op": "remove", "path": f'members[value eq "{NOBODY}"]'},
    {"op": "replace", "value": {"displayName": "Deck", "members": [{"value": NOBODY}]}},
]}  # fmt: skip
SEARCH = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": 'userName eq "x"',
          "startIndex": 1, "count": 5, "attributes": ["userName"], "sortBy": "userName"}  # fmt: skip
FILTER = 'not (userName sw "a" and emails[type eq "work" and value co "x"]) or meta.created ge "2020-01-01T00:00:00Z"'


@pytest.mark.usefixtures("api")
@pytest.mark.timeout(1_800 if EACH > 2 else 240)
async def test_no_body_and_no_filter_of_a_directory_crashes(harbour: Harbour, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(SEED)
    person, group = (await harbour.person("ann"))["id"], (await harbour.group("Mates"))["id"]
    bodies: list[tuple[str, str, Any]] = [
        ("POST", "Users", PERSON), ("PUT", f"Users/{person}", PERSON), ("PATCH", f"Users/{person}", OF_PERSON),
        ("POST", "Groups", CREW), ("PUT", f"Groups/{group}", CREW), ("PATCH", f"Groups/{group}", OF_GROUP),
        ("POST", ".search", SEARCH), ("POST", "Users/.search", SEARCH),
    ]  # fmt: skip
    statuses = set()

    for _ in range(4 * EACH):
        for method, path, body in bodies:
            known = json.loads(json.dumps(body).replace(NOBODY, person))
            sent = broken(chance, known)
            response = await harbour.http.request(method, f"/scim/v2/{path}", content=sent)
            statuses.add(response.status_code)
            assert response.status_code < 500, (method, path, sent, response.text)
        asked = "".join(
            chance.choice((each, each, each, "", each * 2, chance.choice('"()[] é\x00'))) for each in FILTER
        )
        response = await harbour.http.get(f"/scim/v2/{chance.choice(('Users', 'Groups'))}?filter={quote(asked)}")
        assert response.status_code < 500, (asked, response.text)
    failed = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert failed == []
    assert {200, 400} <= statuses
