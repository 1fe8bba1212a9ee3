"""Which address shows which page, and what each page is given."""

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import panel as pn

from llm_ui.admin.alerts.page import AlertsPage
from llm_ui.admin.alerts.state import AlertsState
from llm_ui.admin.audit.page import AuditPage
from llm_ui.admin.audit.state import AuditState
from llm_ui.admin.auto.page import AutosPage
from llm_ui.admin.auto.state import AutosState
from llm_ui.admin.configuration.page import ConfigurationPage
from llm_ui.admin.configuration.state import ConfigurationState
from llm_ui.admin.experiments.page import ExperimentsPage
from llm_ui.admin.experiments.state import ExperimentsState
from llm_ui.admin.filters.page import FiltersPage
from llm_ui.admin.filters.state import FiltersState
from llm_ui.admin.jobs.page import JobsPage
from llm_ui.admin.jobs.state import JobsState
from llm_ui.admin.keeping.page import KeepingPage
from llm_ui.admin.keeping.state import KeepingState
from llm_ui.admin.limits.page import LimitsPage
from llm_ui.admin.limits.state import LimitsState
from llm_ui.admin.logs.page import LogsPage
from llm_ui.admin.logs.state import LogsState
from llm_ui.admin.models.page import ModelsPage
from llm_ui.admin.models.state import ModelsState
from llm_ui.admin.overview.page import OverviewPage
from llm_ui.admin.overview.state import OverviewState
from llm_ui.admin.person.page import PersonPage
from llm_ui.admin.person.state import PersonState
from llm_ui.admin.providers.page import ProvidersPage
from llm_ui.admin.providers.state import ProvidersState
from llm_ui.admin.quality.page import QualityPage
from llm_ui.admin.quality.state import QualityState
from llm_ui.admin.registry.page import RegistryPage
from llm_ui.admin.registry.state import RegistryState
from llm_ui.admin.run.page import RunPage
from llm_ui.admin.run.state import RunState
from llm_ui.admin.runs.page import RunsPage
from llm_ui.admin.runs.state import RunsState
from llm_ui.admin.settings.page import SettingsPage
from llm_ui.admin.settings.state import SettingsState
from llm_ui.admin.sign_in.page import SignInPage
from llm_ui.admin.sign_in.state import SignInState
from llm_ui.admin.system.page import SystemPage
from llm_ui.admin.system.state import SystemState
from llm_ui.admin.team.page import TeamPage
from llm_ui.admin.team.state import TeamState
from llm_ui.admin.teams.page import TeamsPage
from llm_ui.admin.teams.state import TeamsState
from llm_ui.admin.usage.page import UsagePage
from llm_ui.admin.usage.state import UsageState
from llm_ui.admin.users.page import UsersPage
from llm_ui.admin.users.state import UsersState
from llm_ui.app import shell
from llm_ui.app.gate import pages_of
from llm_ui.chat import page as workspace
from llm_ui.chat.conditions import Conditions
from llm_ui.chat.hub import Hub
from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.ids import SessionId
from llm_ui.observability.logging import get_logger
from llm_ui.services.access import Actor
from llm_ui.services.appearance import Appearance
from llm_ui.ui.page import Backend, PageContext

log = get_logger(__name__)

UUID_LENGTH = 36
TEAMS = "teams"

ADMIN_PAGES: dict[str, Callable[[PageContext], Any]] = {
    "overview": lambda context: OverviewPage(OverviewState(context)),
    "usage": lambda context: UsagePage(UsageState(context, is_own=False)),
    "runs": lambda context: RunsPage(RunsState(context)),
    "jobs": lambda context: JobsPage(JobsState(context)),
    "system": lambda context: SystemPage(SystemState(context)),
    "logs": lambda context: LogsPage(LogsState(context)),
    "alerts": lambda context: AlertsPage(AlertsState(context)),
    "providers": lambda context: ProvidersPage(ProvidersState(context)),
    "models": lambda context: ModelsPage(ModelsState(context)),
    "auto": lambda context: AutosPage(AutosState(context)),
    "experiments": lambda context: ExperimentsPage(ExperimentsState(context)),
    "users": lambda context: UsersPage(UsersState(context)),
    "teams": lambda context: TeamsPage(TeamsState(context), may_begin=True),
    "limits": lambda context: LimitsPage(LimitsState(context)),
    "sign-in": lambda context: SignInPage(SignInState(context)),
    "filters": lambda context: FiltersPage(FiltersState(context)),
    "quality": lambda context: QualityPage(QualityState(context)),
    "settings": lambda context: SettingsPage(SettingsState(context)),
    "registry": lambda context: RegistryPage(RegistryState(context)),
    "configuration": lambda context: ConfigurationPage(ConfigurationState(context)),
    "keeping": lambda context: KeepingPage(KeepingState(context)),
    "audit": lambda context: AuditPage(AuditState(context)),
}

FROM_ROOT = "/."
"""What Panel puts before the addresses of its style sheets. A page that is drawn again after a reconnect loads them
again, and by then its path is often not the one it was opened at."""

ActorOf = Callable[[SessionId], Awaitable[Actor]]


def applications(backend: Backend, actor_of: ActorOf) -> dict[str, Callable[[], pn.Template]]:
    """Return the pages by address. Each is built once for each open page, for whoever opened it."""
    hub, conditions = Hub(), Conditions(backend.database)

    def chat(*, is_new: bool = False) -> pn.Template:
        return _guarded(lambda: _workspace(_context(backend, actor_of), hub, conditions, is_new=is_new))

    pages: dict[str, Callable[[], pn.Template]] = {
        "/": lambda: chat(is_new=True),
        "/temporary": chat,
        "/temporary/a/{agent_id}": chat,
        "/c/{chat_id}": chat,
        "/p/{project_id}": chat,
        "/a/{agent_id}": chat,
    }
    pages["/usage"] = lambda: _guarded(lambda: _own_usage(_context(backend, actor_of)))
    pages["/teams"] = lambda: _guarded(lambda: _own_teams(_context(backend, actor_of)))
    pages["/teams/{team_id}"] = lambda: _guarded(lambda: _team(_context(backend, actor_of)))
    for name in ADMIN_PAGES:
        pages[f"/admin/{name}"] = _admin_page(backend, actor_of, name, ADMIN_PAGES[name])
    pages["/admin/users/{user_id}"] = _admin_page(backend, actor_of, "users", _person)
    pages["/admin/limits/{series_id}"] = _admin_page(backend, actor_of, "limits", _limits_of_key)
    pages["/admin/runs/{run_id}"] = _admin_page(backend, actor_of, "runs", _run)
    return pages


def _person(context: PageContext) -> PersonPage:
    """Return the page of the account that the address names, whoever asks for it and whether or not there is one."""
    return PersonPage(PersonState(context, _named("/admin/users/")))


def _run(context: PageContext) -> RunPage:
    """Return the page of the run that the address names, whether or not there is one."""
    return RunPage(RunState(context, _named("/admin/runs/")))


def _limits_of_key(context: PageContext) -> LimitsPage:
    """Return the page of limits, with those of the API key that the address names."""
    return LimitsPage(LimitsState(context), _named("/admin/limits/"))


def _team(context: PageContext) -> pn.Template:
    """Return the page of the team that the address names, in the frame that its viewer came from."""
    is_administered = TEAMS in pages_of(context.role)
    page = TeamPage(TeamState(context, _named("/teams/")), list_address="/admin/teams" if is_administered else "/teams")
    pn.state.onload(page.load)
    return shell.admin(context, TEAMS, page) if is_administered else shell.own(context, _("My teams"), page)


def _named(before: str) -> str:
    """Return the id that the address of the page names after what comes before it."""
    path: str = pn.state.curdoc.session_context.request.path
    return path.removeprefix(before)[:UUID_LENGTH]


def _admin_page(
    backend: Backend, actor_of: ActorOf, name: str, make: Callable[[PageContext], Any]
) -> Callable[[], pn.Template]:
    def build() -> pn.Template:
        return _guarded(lambda: _admin_of(_context(backend, actor_of), name, make))

    # A plain function: Panel would print any other callable, a partial too, onto the page.
    return build


def _context(backend: Backend, actor_of: ActorOf) -> PageContext:
    session_context = pn.state.curdoc.session_context
    request = session_context.request
    actor: Actor = request.actor
    session_id = actor.session_id
    assert session_id is not None  # noqa: S101 - whoever opens a page has signed in

    async def now() -> Actor:
        return await actor_of(session_id)

    def is_open() -> bool:
        live = session_context.session
        return live is not None and live.connection_count > 0

    # A page that is built again over its websocket is on a browser that has its tokens already.
    csrf_token = getattr(request, "csrf_token", "")
    look = getattr(request, "appearance", Appearance())
    return PageContext(backend, session_id, actor.user_id, actor.name, actor.role, csrf_token, now, look, is_open)


def _workspace(context: PageContext, hub: Hub, conditions: Conditions, *, is_new: bool) -> pn.Template:
    page = workspace.build(context, hub, conditions)
    pn.state.on_session_destroyed(lambda _: page.close())
    return shell.workspace(context, {"view": page.view, **page.controls}, is_new=is_new)


def _own_usage(context: PageContext) -> pn.Template:
    return shell.own(context, _("My usage"), UsagePage(UsageState(context, is_own=True)))


def _own_teams(context: PageContext) -> pn.Template:
    return shell.own(context, _("My teams"), TeamsPage(TeamsState(context), may_begin=False))


def _admin_of(context: PageContext, name: str, make: Callable[[PageContext], Any]) -> pn.Template:
    if name not in pages_of(context.role):
        return shell.message(
            context, _("Not for this account"), _("Only administrators see this page. Ask one of them.")
        )
    page = make(context)
    if hasattr(page, "close"):
        pn.state.on_session_destroyed(lambda _: page.close())
    if hasattr(page, "load"):
        # A page with nothing but a list is told by the browser what to read.
        pn.state.onload(page.load)
    return shell.admin(context, name, page)


def _guarded(build: Callable[[], pn.Template]) -> pn.Template:
    """Return the page, or a sentence with an error id: Bokeh would show the traceback."""
    pn.state.rel_path = FROM_ROOT
    try:
        return build()
    except Exception:
        error_id = secrets.token_hex(4)
        log.exception("page.crashed", error_id=error_id)
        return shell.crashed(error_id)
