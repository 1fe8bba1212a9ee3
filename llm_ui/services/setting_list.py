"""The settings as they are in force: value, where it comes from, since when and by whom."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from llm_ui.config import Config
from llm_ui.db import ReadSession
from llm_ui.errors import InvalidInput, NotFound
from llm_ui.kit.text import storable
from llm_ui.models import Setting
from llm_ui.services.access import Actor, Permission, require
from llm_ui.services.settings import GROUPS, REGISTRY, WorkspaceSetting

HOUR_S = 3_600
HERE, ENVIRONMENT, DEFAULT = "here", "environment", "default"


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One setting as it is in force."""

    setting: WorkspaceSetting[Any]
    value: Any
    default: Any
    source: str
    """`here`, `environment` or `default`."""
    changed_at: datetime | None
    changed_by: str | None


async def list_settings(session: ReadSession, actor: Actor, config: Config) -> tuple[SettingInfo, ...]:
    """Return what is in a group, group by group."""
    require(actor, Permission.MANAGE_SETTINGS)
    rows = {row.name: row for row in await session.scalars(select(Setting))}
    listed = sorted((one for one in REGISTRY if one.group), key=lambda one: GROUPS.index(one.group))
    return tuple(_info(one, rows.get(one.name), config) for one in listed)


def named(name: str) -> WorkspaceSetting[Any]:
    """Return the setting of that name that is in a group. Raises `NotFound`."""
    found = next((one for one in REGISTRY if one.name == name and one.group), None)
    if found is None:
        raise NotFound("There is no such setting. Reload the page.")
    return found


def read(setting: WorkspaceSetting[Any], text: str) -> Any:
    """Return what somebody typed or chose as the setting's value. Raises `InvalidInput`."""
    if isinstance(setting.default, bool):
        if text not in ("true", "false"):
            raise InvalidInput("Choose on or off.")
        return text == "true"
    if isinstance(setting.default, int):
        digits = text.strip()
        if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
            raise InvalidInput("It must be a whole number.")
        return int(digits)
    typed = storable(text).strip()
    return typed.lower() if setting.form == "colour" else typed


def _info(setting: WorkspaceSetting[Any], row: Setting | None, config: Config) -> SettingInfo:
    default = setting.default
    if setting.environment:
        default = getattr(config, setting.environment)
        default = default if isinstance(default, bool) else max(1, default // HOUR_S)
    if row is None:
        is_set = setting.environment in config.model_fields_set
        return SettingInfo(setting, default, default, ENVIRONMENT if is_set else DEFAULT, None, None)
    return SettingInfo(setting, row.value["value"], default, HERE, row.updated_at, row.changed_by)
