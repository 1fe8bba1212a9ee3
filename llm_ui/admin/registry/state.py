"""What the page of all settings shows and what an administrator can do on it."""

from typing import Any

import param

from llm_ui.admin.state import AdminState, action, required
from llm_ui.kit.i18n import gettext as _
from llm_ui.services import logo, setting_list, settings
from llm_ui.services.access import Actor
from llm_ui.services.appearance import appearance
from llm_ui.services.setting_list import SettingInfo

EDIT = "edit"


class RegistryState(AdminState):
    """All settings that are in a group, some of them by a search or a group, and the form for one."""

    listed = param.ClassSelector(class_=tuple, default=(), doc="All settings as they are in force.")
    search = param.String(default="", doc="Words that a setting's name or meaning must hold.")
    group = param.String(default="", doc="The group that is shown; empty for all.")
    selected = param.Parameter(doc="The setting whose form is open, or None.")
    value = param.String(default="", doc="What the form holds.")
    logo = param.String(default="", doc="Address of the workspace's logo; empty while it is ours.")

    fields = ("value",)

    @action
    async def load(self, actor: Actor) -> None:
        """Read all settings."""
        await self._reload(actor)

    @action
    async def find(self, actor: Actor, search: str) -> None:
        """Show the settings that hold the words."""
        self.search = search
        await self._reload(actor)

    @action
    async def choose_group(self, actor: Actor, group: str) -> None:
        """Show the settings of one group, or all."""
        self.group = group
        await self._reload(actor)

    @action
    async def open_edit(self, actor: Actor, name: str) -> None:
        """Open the form of a setting, as it is now."""
        await self._reload(actor)
        found = required(next((one for one in self.listed if one.setting.name == name), None))
        self.param.update(selected=found, value=_held(found.value), sheet=EDIT)

    @action
    async def save(self, actor: Actor) -> None:
        """Store what the form says and close it."""
        info: SettingInfo = required(self.selected)
        value = setting_list.read(info.setting, self.value)
        async with self.context.backend.database.writing() as session:
            await settings.change(session, actor, info.setting, value)
        self.param.update(sheet="", said=_("It holds from now on, for everybody."))
        await self._reload(actor)

    @action
    async def reset(self, actor: Actor, name: str) -> None:
        """Go back to the setting's default."""
        async with self.context.backend.database.writing() as session:
            await settings.reset(session, actor, setting_list.named(name))
        self.param.update(sheet="", said=_("The default holds again."))
        await self._reload(actor)

    @action
    async def logo_taken(self, actor: Actor) -> None:
        """Show the logo that was taken in."""
        await self._reload(actor)
        self.said = _("It holds from now on, for everybody.")

    @action
    async def reset_logo(self, actor: Actor) -> None:
        """Go back to our logo."""
        async with self.context.backend.database.writing() as session:
            await logo.remove(session, actor)
        self.said = _("The default holds again.")
        await self._reload(actor)

    async def _reload(self, actor: Actor) -> None:
        async with self.context.backend.database.reading() as session:
            listed = await setting_list.list_settings(session, actor, self.context.backend.config)
            look = await appearance(session)
        self.param.update(listed=listed, logo=look.picture("logo") or "")


def _held(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
