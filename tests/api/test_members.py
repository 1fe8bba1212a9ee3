"""Members of projects over HTTP."""

from uuid import uuid4

import httpx2

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.models import ProjectRole
from llm_ui.services import project_members
from llm_ui.services.access import Actor
from tests.api.conftest import RunningApi
from tests.api.test_answers import ClientOf
from tests.documents.ready import a_document, a_project


async def test_a_member_comes_gets_another_role_and_goes(
    api: RunningApi,
    database_config: Config,
    client_of: ClientOf,
    database: Database,
    a_user: Actor,
    another_user: Actor,
) -> None:
    project_id = await a_project(database, a_user)
    await a_document(database, a_user, project_id, ["A heron stands in the reeds."])
    url, retrieve = (
        f"{database_config.llm_api_url}/v1/projects/{project_id}/members",
        f"{database_config.llm_api_url}/v1/retrieve",
    )
    asked = {"project_id": str(project_id), "query": "heron"}
    owner, member = client_of(a_user).headers(), client_of(another_user).headers()
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        assert (await http.get(url, headers=member)).status_code == 404
        added = await http.post(url, headers=owner, json={"email": "eve@example.org", "role": "viewer"})
        assert [(one["name"], one["role"]) for one in added.json()["members"]] == [("bob", "owner"), ("eve", "viewer")]
        assert len((await http.post(retrieve, headers=member, json=asked)).json()["passages"]) == 1
        refused = await http.post(url, headers=member, json={"email": "eve@example.org", "role": "owner"})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")
        one = f"{url}/{another_user.user_id}"
        changed = await http.put(one, headers=owner, json={"role": "editor"})
        assert changed.json()["members"][1]["role"] == "editor"
        assert (await http.put(f"{url}/{uuid4()}", headers=owner, json={"role": "editor"})).status_code == 404
        assert (await http.delete(f"{url}/{a_user.user_id}", headers=owner)).status_code == 409
        assert (await http.delete(one, headers=member)).status_code == 204
        assert (await http.post(retrieve, headers=member, json=asked)).status_code == 404
    async with database.reading() as session:
        (left,) = await project_members.list_members(session, a_user, project_id)
    assert (left.name, left.role) == ("bob", ProjectRole.OWNER)
