"""The queue of background jobs: huey, in a SQLite file of its own beside the data."""

from huey import SqliteHuey

from llm_ui.config import Config


def open_queue(config: Config) -> SqliteHuey:
    """Return the queue of a data folder. Jobs are looked for once a second; results are not kept."""
    return SqliteHuey("llm-ui", filename=str(config.folder / "jobs.db"), results=False, utc=True)
