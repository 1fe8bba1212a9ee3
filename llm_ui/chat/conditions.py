"""Telling open pages what models can do at the moment, as that changes."""

import asyncio
import contextvars
from collections.abc import Callable

from llm_ui.chat.follow import Op
from llm_ui.chat.state import ChatState
from llm_ui.db import Database
from llm_ui.errors import LLMUIError
from llm_ui.kit.clock import now
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import number
from llm_ui.services import service_level
from llm_ui.services.ai_models import list_models
from llm_ui.services.service_level import Level, Service
from llm_ui.ui.names import shown_name
from llm_ui.ui.page import PageContext

LOOK_S = 3.0
MOST_NAMED = 3


class Conditions:
    """Looks while any page listens. One in each process that serves pages."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shown: dict[Callable[[], None], Service] = {}
        self._looking: asyncio.Task[None] | None = None

    def shows(self, listener: Callable[[], None], service: Service) -> None:
        """Call the listener as soon as something else holds than what its page shows now, until it leaves."""
        self._shown[listener] = service
        if self._looking is None:
            # Of no page's context: it outlives the one that came first.
            loop = asyncio.get_running_loop()
            self._looking = loop.create_task(self._look(), context=contextvars.Context())

    def leave(self, listener: Callable[[], None]) -> None:
        """Forget the listener."""
        self._shown.pop(listener, None)
        if not self._shown and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                async with self._database.reading() as session:
                    found = await service_level.read(session, now())
            except LLMUIError:
                # The database is away for a moment.
                continue
            for listener, shown in list(self._shown.items()):
                if (found.level, found.fallen, found.notice) != (shown.level, shown.fallen, shown.notice):
                    listener()


class ShownCondition:
    """What one page shows of it."""

    def __init__(
        self, context: PageContext, conditions: Conditions, state: ChatState, tell: Callable[[Op], None]
    ) -> None:
        self._context, self._conditions, self._state, self._tell = context, conditions, state, tell
        self._is_gone = False
        self._listener = self._changed

    async def look(self) -> Op | None:
        """Return the operation that tells it, and listen for changes from then on; None: it cannot be read now."""
        try:
            service, found = await condition(self._context)
        except LLMUIError:
            # Whatever is asked next is told why.
            return None
        if not self._is_gone:
            self._conditions.shows(self._listener, service)
        return found

    def close(self) -> None:
        """The page is gone."""
        self._is_gone = True
        self._conditions.leave(self._listener)

    def _changed(self) -> None:
        self._state.spawn(self._show())

    async def _show(self) -> None:
        if (found := await self.look()) is not None:
            self._tell(found)
            await self._state.load_models()


async def condition(context: PageContext) -> tuple[Service, Op]:
    """Return what there is, and the operation that tells a person what of theirs does not answer.

    Raises our errors.
    """
    # Before the session, not within it: of all pages that are told at the same moment each would wait for another one.
    actor = await context.actor()
    async with context.backend.database.reading() as session:
        service = await service_level.read(session, now())
        models = [] if not service.fallen else await list_models(session, actor)
    fallen = [shown_name(model.display_name) for model in models if model.id in service.fallen]
    offered = {model.id for model in models}
    is_helped = all(set(service.fallen[model.id].stand_ins) & offered for model in models if model.id in service.fallen)
    text = _sentence(service, fallen, is_helped=is_helped)
    return service, {"op": "condition", "level": service.level.value, "text": text}


def _sentence(service: Service, fallen: list[str], *, is_helped: bool) -> str:
    if service.level is Level.STATIC:
        notice = service.notice or _("No model can answer at the moment.")
        tried = _("It is tried again every {seconds} seconds.").format(seconds=number(service.every_s))
        return f"{notice} {tried}"
    if service.level is Level.CACHED:
        return _("No model can answer at the moment; only answers that were kept are given again.")
    if not fallen:
        return ""
    names = ", ".join(fallen[:MOST_NAMED]) + (" …" if len(fallen) > MOST_NAMED else "")
    if is_helped:
        return _("Other models answer in the place of {names} at the moment.").format(names=names)
    return _("Does not answer at the moment: {names}. The list of models says which others do.").format(names=names)
