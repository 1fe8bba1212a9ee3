"""Who was erased, kept outside of the database as well: a copy from before must not bring them back.

One list lies in the data folder and one beside the backups; what stands in either counts. Both hold ids only.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.errors import ConfigurationError
from llm_ui.kit.ids import UserId
from llm_ui.services import departures, erasures
from llm_ui.services.erasures import Erased

NAME = "erased.json"


def read(config: Config) -> tuple[Erased, ...]:
    """Return who was erased, those first that were first. Raises `ConfigurationError` for a list that is damaged."""
    found = {one.user_id: one for path in _paths(config) for one in _listed(path)}
    return tuple(sorted(found.values(), key=lambda one: one.at))


def note(config: Config, erased: Iterable[Erased]) -> tuple[Erased, ...]:
    """Add these to the lists; return all that stand in them now. Raises `ConfigurationError`."""
    found = {one.user_id: one for one in read(config)}
    found |= {one.user_id: one for one in erased}
    everybody = tuple(sorted(found.values(), key=lambda one: one.at))
    for path in _paths(config):
        if path.parent.is_dir() and len(_listed(path)) != len(everybody):
            _write(path, everybody)
    return everybody


async def erase_again(database: Database, erased: Sequence[Erased]) -> int:
    """Delete those again whom a copy has brought back; return how many. Raises `Conflict` for one who is on hold."""
    async with database.reading() as session:
        back = await erasures.returned(session, erased)
    for one in back:
        async with database.writing() as session:
            await departures.repeat(session, one)
    return len(back)


def _paths(config: Config) -> tuple[Path, ...]:
    return config.folder / NAME, config.backup_path / NAME


def _listed(path: Path) -> list[Erased]:
    try:
        return [_erased(one) for one in json.loads(path.read_text())]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"The list of deleted accounts {path} cannot be read ({error}). Mend it, or put back the one of a backup."
        ) from None


def _erased(one: dict[str, str]) -> Erased:
    heir_id = one["heir_id"]
    return Erased(
        UserId(UUID(one["id"])), one["data"], UserId(UUID(heir_id)) if heir_id else None,
        datetime.fromisoformat(one["at"]),
    )  # fmt: skip


def _write(path: Path, erased: Sequence[Erased]) -> None:
    told = [
        {"id": str(one.user_id), "data": one.data, "heir_id": str(one.heir_id or ""), "at": one.at.isoformat()}
        for one in erased
    ]
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(told, indent=1))
    partial.chmod(0o600)
    partial.replace(path)
