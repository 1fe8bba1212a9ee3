"""The worker looks after the files of vectors."""

import asyncio

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.documents import vector_files
from llm_ui.documents.vector_files import Contents, Place
from llm_ui.kit.ids import ModelId, ProjectId, uuid7
from llm_ui.worker.vector_files import keep_vector_files


async def test_the_file_of_a_project_that_is_gone_is_removed(sqlite_config: Config, sqlite_database: Database) -> None:
    place = Place(sqlite_config.vectors_path, ProjectId(uuid7()), ModelId(uuid7()), 2)
    graph = place.folder / f"{place.name}.1.usearch"

    def leave() -> None:
        place.folder.mkdir()
        graph.write_bytes(b"vectors")
        vector_files.write(place, Contents(graph.name, 7, 0, (0.0, 0.0), 0, {}))

    await asyncio.to_thread(leave)
    stop = asyncio.Event()
    working = asyncio.create_task(keep_vector_files(sqlite_config, sqlite_database, stop))
    while await asyncio.to_thread(lambda: graph.exists() or place.contents.exists()):
        await asyncio.sleep(0.01)
    stop.set()
    await working
