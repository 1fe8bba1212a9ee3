"""What the workspace is called: a page, a file and the installed app say the name that was set."""

import json

from llm_ui.services import settings
from llm_ui.services.access import SYSTEM
from llm_ui.services.settings import WORKSPACE_NAME
from tests.app.conftest import Workspace


async def test_the_name_is_told_by_the_installed_app_and_by_files(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    before = json.loads((await ann.get("/app.webmanifest")).body)
    async with workspace.site.backend.database.writing() as session:
        await settings.change(session, SYSTEM, WORKSPACE_NAME, "Heron Lab")

    told = await ann.get("/app.webmanifest")
    archive = await ann.get("/export/everything.zip")

    assert (before["name"], before["start_url"]) == ("LLM UI", "/")
    now_is = json.loads(told.body)
    assert (now_is["name"], now_is["short_name"]) == ("Heron Lab", "Heron Lab")
    assert told.headers["Content-Type"].startswith("application/manifest+json")
    for icon in now_is["icons"]:
        assert (await ann.get(icon["src"])).code == 200
    assert archive.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''Heron%20Lab%20ann%20")
