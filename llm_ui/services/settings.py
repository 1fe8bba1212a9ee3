"""Workspace settings: the registry of what an administrator may change, and the values."""

from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from llm_ui.db import ReadSession, Session
from llm_ui.errors import Forbidden, InvalidInput
from llm_ui.kit import colour
from llm_ui.kit.currency import CODES
from llm_ui.kit.i18n import later
from llm_ui.kit.passwords import MIN_CHARS
from llm_ui.models import Setting
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, require

V = TypeVar("V", bool, int, str, str | None)

GROUPS = ("look", "sign_in", "features", "documents", "helper", "cache", "keeping")
"""In the order in which they are shown."""
LEAST_RATE, MOST_RATE = Decimal("0.0001"), Decimal(1_000_000)
MAX_CHARS = 2_000
"""Of a text, unless the setting says less."""


@dataclass(frozen=True, slots=True)
class WorkspaceSetting(Generic[V]):
    """One setting: its name, what it means and the value it has until somebody changes it.

    `meaning` is marked with `later`. With a `group` it is listed with all others and changed there; without one it has
    a place of its own on a page, or is the product's own.
    """

    name: str
    meaning: str
    default: V
    group: str = ""
    unit: str = ""
    least: int | None = None
    """Least number; for texts nothing."""
    most: int | None = None
    """Greatest number, or most characters."""
    options: tuple[str, ...] = ()
    """The values of a closed set."""
    form: str = ""
    """What a text must look like: `instant` for a time such as 2026-11-22 18:00, `time` for one such as 18:00, both in
    UTC; `colour` for one such as #3e63dd; `rate` for a number such as 0.92; empty: any."""
    environment: str = ""
    """The field of `Config` that says the default, in seconds for what is in hours."""


REGISTRATION_OPEN = WorkspaceSetting("registration_open", "Whether anybody may create an account.", default=True)
REGISTRATION_APPROVAL = WorkspaceSetting(
    "registration_approval", "Whether whoever registers waits until an administrator lets them in.", default=False
)
REGISTRATION_DOMAINS = WorkspaceSetting(
    "registration_domains",
    "What the e-mail addresses of whoever registers end with, separated by spaces; empty: anything.",
    default="",
)
DEFAULT_MODEL: WorkspaceSetting[str | None] = WorkspaceSetting(
    "default_model_id", "The model a new chat starts with.", None
)
SHARING = WorkspaceSetting(
    "sharing", later("Who may be given links to chats: off, signed_in or anyone."), default="signed_in",
    group="features", options=("off", "signed_in", "anyone"),
)  # fmt: skip
PERSON_DOCUMENTS_MB = WorkspaceSetting(
    "person_documents_mb",
    later("Room that all documents of a person and the files of their chats may take; 0: as much as there is."),
    default=0, group="documents", unit="MB", least=0, most=10_000_000,
)  # fmt: skip
PROJECT_DOCUMENTS_MB = WorkspaceSetting(
    "project_documents_mb", later("Room that all documents of a project may take; 0: as much as there is."), default=0,
    group="documents", unit="MB", least=0, most=10_000_000,
)  # fmt: skip
PROJECT_DOCUMENTS = WorkspaceSetting(
    "project_documents", later("How many documents a project may have; 0: as many as there are."), default=0,
    group="documents", least=0, most=1_000_000,
)  # fmt: skip
PERSON_MONTH_USD = WorkspaceSetting(
    "person_month_usd", later("What models may cost for a person in a month; 0: as much as it takes."), default=0,
    group="features", unit="$", least=0, most=1_000_000,
)  # fmt: skip
PERSON_DAY_TOKENS = WorkspaceSetting(
    "person_day_tokens", later("Tokens that a person may use in a day (UTC); 0: as many as it takes."), default=0,
    group="features", unit="tokens", least=0, most=1_000_000_000_000,
)  # fmt: skip
PERSON_MONTH_TOKENS = WorkspaceSetting(
    "person_month_tokens", later("Tokens that a person may use in a month (UTC); 0: as many as it takes."), default=0,
    group="features", unit="tokens", least=0, most=1_000_000_000_000,
)  # fmt: skip
PERSON_API_KEYS = WorkspaceSetting(
    "person_api_keys", later("How many API keys a person may have at the same time; 0: as many as wanted."), default=50,
    group="features", least=0, most=10_000,
)  # fmt: skip
HELPER_MODEL: WorkspaceSetting[str | None] = WorkspaceSetting(
    "helper_model_id",
    "The model that makes titles, tags, suggestions and summaries after an answer; none: nobody.",
    None,
)
HELPER_TITLES = WorkspaceSetting(
    "helper_titles", later("Whether the helper model gives new chats a title."), default=True, group="helper"
)
HELPER_TAGS = WorkspaceSetting(
    "helper_tags", later("Whether the helper model tags new chats."), default=True, group="helper"
)
HELPER_FOLLOW_UPS = WorkspaceSetting(
    "helper_follow_ups", "Whether the helper model suggests what to ask next.", default=True
)
HELPER_SUMMARIES = WorkspaceSetting(
    "helper_summaries", "Whether the helper model sums up what no longer fits a model's window.", default=True
)
HELPER_QUERIES = WorkspaceSetting(
    "helper_queries",
    later("Whether the helper model words questions that build on a conversation, so that documents can be searched."),
    default=True,
    group="helper",
)
EMBEDDING_MODEL: WorkspaceSetting[str | None] = WorkspaceSetting(
    "embedding_model_id",
    "The model that makes vectors of passages and questions; none: words alone are searched.",
    None,
)
RERANKING_MODEL: WorkspaceSetting[str | None] = WorkspaceSetting(
    "reranking_model_id",
    "The model that puts found passages in order; none: they stay as they were found.",
    None,
)
WORKSPACE_NAME = WorkspaceSetting(
    "workspace_name", later("What this workspace is called, on every page."), default="LLM UI", group="look", most=40
)
SIGN_IN_TEXT = WorkspaceSetting(
    "sign_in_text", later("What people read above the form of the sign-in page."), default="", group="look", most=500
)
BANNER = WorkspaceSetting(
    "banner", later("What everybody reads at the top of each page; empty: nothing."), default="", group="look", most=300
)
BANNER_LEVEL = WorkspaceSetting(
    "banner_level", later("How the banner looks: info or warning."), default="info", group="look",
    options=("info", "warning"),
)  # fmt: skip
BANNER_FROM = WorkspaceSetting(
    "banner_from", later("When the banner begins to be shown; empty: at once."), default="", group="look",
    unit="UTC", form="instant",
)  # fmt: skip
BANNER_UNTIL = WorkspaceSetting(
    "banner_until", later("When the banner ends to be shown; empty: never."), default="", group="look",
    unit="UTC", form="instant",
)  # fmt: skip
ACCENT = WorkspaceSetting(
    "accent_colour", later("The colour of buttons, links and what is chosen, such as #3e63dd; empty: ours."),
    default="", group="look", form="colour", most=7,
)  # fmt: skip
CURRENCY = WorkspaceSetting(
    "currency", later("The currency in which amounts are shown. Limits and prices of models stay in US dollars."),
    default="USD", group="look", options=CODES,
)  # fmt: skip
CURRENCY_RATE = WorkspaceSetting(
    "currency_rate", later("How many of that currency one US dollar is, such as 0.92. For dollars it is 1."),
    default="1", group="look", form="rate", most=20,
)  # fmt: skip
LOGO = WorkspaceSetting("logo", "SHA-256 of the logo that was uploaded, part of its address; empty: ours.", default="")
SESSION_IDLE_HOURS = WorkspaceSetting(
    "session_idle_hours", later("After how long without use a sign-in ends."), default=0, group="sign_in",
    unit="hours", least=1, most=8_760, environment="session_idle_s",
)  # fmt: skip
SESSION_HOURS = WorkspaceSetting(
    "session_hours", later("After how long a sign-in ends in any case."), default=0, group="sign_in",
    unit="hours", least=1, most=8_760, environment="session_absolute_s",
)  # fmt: skip
PASSWORD_MIN_CHARS = WorkspaceSetting(
    "password_min_chars", later("How long new passwords are at least; those that are there stay."), default=MIN_CHARS,
    group="sign_in", unit="characters", least=MIN_CHARS, most=64,
)  # fmt: skip
PASSWORDS = WorkspaceSetting(
    "passwords", "Whether people sign in with passwords; else through issuers alone.", default=True
)
SECOND_FACTOR = WorkspaceSetting(
    "second_factor",
    later("Who has to give a code of an authenticator app when signing in: nobody, administrators or everybody."),
    default="nobody", group="sign_in", options=("nobody", "administrators", "everybody"),
)  # fmt: skip
MEMORY = WorkspaceSetting(
    "memory", later("Whether models are told what people want them to know."), default=True, group="features"
)
AGENTS = WorkspaceSetting("agents", later("Whether people make agents and ask them."), default=True, group="features")
TEMPORARY_CHATS = WorkspaceSetting(
    "temporary_chats", later("Whether people have chats that are stored nowhere."), default=True, group="features"
)
ATTACHMENTS = WorkspaceSetting(
    "attachments", later("Whether people attach files to their messages."), default=True, group="features"
)
WEB_FETCH = WorkspaceSetting(
    "web_fetch", later("Whether people add documents by their address on the web."), default=True, group="features",
    environment="fetch_web",
)  # fmt: skip
SEE_CONTENT = WorkspaceSetting(
    "see_content",
    later("Whether administrators may read the question and answer of a run; each look is in the audit log."),
    default=False,
    group="features",
)
MAIL_HOST = WorkspaceSetting("mail_host", "The server that sends e-mails; empty: none are sent.", default="")
MAIL_PORT = WorkspaceSetting("mail_port", "The port of that server.", default=587, least=1, most=65_535)
MAIL_TLS = WorkspaceSetting(
    "mail_tls", "How the connection to it is sealed: starttls, tls or none.", default="starttls",
    options=("starttls", "tls", "none"),
)  # fmt: skip
MAIL_USER = WorkspaceSetting("mail_user", "Whom to sign in as there; empty: nobody.", default="")
MAIL_SENDER = WorkspaceSetting("mail_sender", "Whom e-mails come from.", default="")
MAIL_PASSWORD: WorkspaceSetting[str | None] = WorkspaceSetting("mail_password", "The password there, sealed.", None)
WEBHOOK_SECRET: WorkspaceSetting[str | None] = WorkspaceSetting(
    "webhook_secret", "What alerts to webhooks are signed with, sealed.", None
)
CONTINUE_ELSEWHERE = WorkspaceSetting(
    "continue_elsewhere", later("Whether another model goes on with an answer in a chat that breaks off."),
    default=False, group="features",
)  # fmt: skip
PROBE_SECONDS = WorkspaceSetting(
    "probe_seconds",
    later("How often providers are asked for their list of models, to see whether they are well; 0: never."),
    default=60, group="features", unit="seconds", least=0, most=3_600,
)  # fmt: skip
STATIC_NOTICE = WorkspaceSetting(
    "static_notice",
    later("What people read while no model can answer; when it is tried again is added. Empty: a usual sentence."),
    default="", group="features", most=300,
)  # fmt: skip
BACKUPS = WorkspaceSetting(
    "backups", later("Whether a backup of the database and all files is made each day."), default=True, group="keeping"
)
BACKUP_AT = WorkspaceSetting(
    "backup_at", later("At which time of day the backup is made."), default="02:30", group="keeping", unit="UTC",
    form="time",
)  # fmt: skip
BACKUPS_KEPT = WorkspaceSetting(
    "backups_kept", later("How many backups are kept; of more, the oldest go."), default=7, group="keeping",
    least=1, most=365,
)  # fmt: skip
CACHE_HOURS = WorkspaceSetting(
    "cache_hours", later("How long answers are kept that are given again to the same question."), default=24,
    group="cache", unit="hours", least=1, most=8_760,
)  # fmt: skip
CACHE_MB = WorkspaceSetting(
    "cache_mb", later("Room that all kept answers take at most; the oldest go first."), default=200,
    group="cache", unit="MB", least=1, most=100_000,
)  # fmt: skip
CACHE_SIMILARITY = WorkspaceSetting(
    "cache_similarity",
    later("How near a question has to come, as the cosine of vectors, to get the answer to one that means the same."),
    default=95, group="cache", unit="%", least=80, most=100,
)  # fmt: skip
CACHE_WAIT_MS = WorkspaceSetting(
    "cache_wait_ms",
    later("For how long a question waits for its vector, to be compared with others; then the model is asked."),
    default=150, group="cache", unit="ms", least=10, most=5_000,
)  # fmt: skip
CACHE_SPEED = WorkspaceSetting(
    "cache_speed", later("How a kept answer is given again: at_once, or natural: as fast as it was written."),
    default="at_once", group="cache", options=("at_once", "natural"),
)  # fmt: skip
SETUP_TOKEN: WorkspaceSetting[str | None] = WorkspaceSetting(
    "setup_token_hash", "SHA-256 of the one-time set-up token while there is no administrator.", None
)
SEEDED = WorkspaceSetting("seeded", "Names of the seed data that were written once, separated by spaces.", default="")

REGISTRY: tuple[WorkspaceSetting[Any], ...] = (
    WORKSPACE_NAME, ACCENT, LOGO, SIGN_IN_TEXT, BANNER, BANNER_LEVEL, BANNER_FROM, BANNER_UNTIL, CURRENCY,
    CURRENCY_RATE, REGISTRATION_OPEN, REGISTRATION_APPROVAL, REGISTRATION_DOMAINS, SESSION_IDLE_HOURS,
    SESSION_HOURS, PASSWORD_MIN_CHARS, PASSWORDS, SECOND_FACTOR, SHARING, TEMPORARY_CHATS, MEMORY, AGENTS,
    ATTACHMENTS, WEB_FETCH, DEFAULT_MODEL, PERSON_DOCUMENTS_MB, PROJECT_DOCUMENTS_MB, PROJECT_DOCUMENTS,
    PERSON_MONTH_USD, PERSON_DAY_TOKENS, PERSON_MONTH_TOKENS, PERSON_API_KEYS, HELPER_MODEL, HELPER_TITLES,
    HELPER_TAGS, HELPER_FOLLOW_UPS, HELPER_SUMMARIES, HELPER_QUERIES, EMBEDDING_MODEL, RERANKING_MODEL,
    CONTINUE_ELSEWHERE, PROBE_SECONDS, STATIC_NOTICE, CACHE_HOURS, CACHE_MB, CACHE_SIMILARITY, CACHE_WAIT_MS,
    CACHE_SPEED, SEE_CONTENT, MAIL_HOST, MAIL_PORT, MAIL_TLS, MAIL_USER, MAIL_SENDER, MAIL_PASSWORD, WEBHOOK_SECRET,
    BACKUPS, BACKUP_AT, BACKUPS_KEPT, SETUP_TOKEN, SEEDED,
)  # fmt: skip
HELD = "settings"
"""Where a session keeps them."""
ALL = select(Setting.name, Setting.value)
FEATURES = (TEMPORARY_CHATS, MEMORY, AGENTS, ATTACHMENTS, WEB_FETCH)
"""What can be switched off; pages hide it, services refuse it."""


async def get(session: ReadSession, setting: WorkspaceSetting[V]) -> V:
    """Return the setting's value."""
    held = await _held(session)
    return cast("V", held[setting.name]["value"]) if setting.name in held else setting.default


async def get_all(session: ReadSession, *wanted: WorkspaceSetting[Any]) -> dict[str, Any]:
    """Return the values of several settings by name."""
    return {one.name: await get(session, one) for one in wanted}


async def _held(session: ReadSession) -> dict[str, Any]:
    """Return all values that were set: read once in a session, for a question needs several of them."""
    held: dict[str, Any] | None = session.info.get(HELD)
    if held is None:
        rows = await session.execute(ALL)
        held = session.info[HELD] = {name: value for name, value in rows}
    return held


async def require_on(session: ReadSession, feature: WorkspaceSetting[bool]) -> None:
    """Raise `Forbidden` while the feature is switched off."""
    if not await get(session, feature):
        raise Forbidden("This is switched off in this workspace. An administrator can switch it on again.")


async def change(session: Session, actor: Actor, setting: WorkspaceSetting[V], value: V) -> None:
    """Change a setting for everybody, at once: no process keeps values of its own. Raises `InvalidInput`."""
    require(actor, Permission.MANAGE_SETTINGS)
    check(setting, value)
    changes = audit.difference({"value": await get(session, setting)}, {"value": value})
    await store(session, setting, value, actor.name)
    await audit.record(session, actor, "setting.changed", setting.name, changes=changes)


async def reset(session: Session, actor: Actor, setting: WorkspaceSetting[Any]) -> None:
    """Go back to the default. One that has it already is no error."""
    require(actor, Permission.MANAGE_SETTINGS)
    row = await session.get(Setting, setting.name)
    if row is not None:
        changes = audit.difference({"value": row.value["value"]}, {"value": setting.default})
        await session.delete(row)
        await session.flush()
        session.info.pop(HELD, None)
        await audit.record(session, actor, "setting.reset", setting.name, changes=changes)


def check(setting: WorkspaceSetting[Any], value: object) -> None:
    """Raise `InvalidInput` unless the setting may have the value."""
    if setting.options and value not in setting.options:
        raise InvalidInput("It must be one of: {options}.", options=", ".join(setting.options))
    if isinstance(value, int) and not isinstance(value, bool):
        least, most = setting.least or 0, setting.most or value
        if not least <= value <= most:
            raise InvalidInput("It must be a whole number from {least} to {most}.", least=least, most=most)
    if isinstance(value, str):
        most = setting.most or MAX_CHARS
        if len(value) > most:
            raise InvalidInput("It may have {most} characters. Shorten it.", most=most)
        if setting.form == "instant" and value:
            instant_of(value)
        if setting.form == "time":
            time_of(value)
        if setting.form == "colour" and value:
            check_colour(value)
        if setting.form == "rate":
            rate_of(value)


def instant_of(text: str) -> datetime:
    """Return the instant that a setting of that form holds. Raises `InvalidInput`."""
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput("It must be a time in UTC such as 2026-11-22 18:00, or empty.") from None


def check_colour(text: str) -> None:
    """Raise `InvalidInput` unless pages can have the accent colour."""
    if not colour.is_colour(text):
        raise InvalidInput("It must be a colour such as #3e63dd, or empty.")
    if not colour.is_seen(text):
        raise InvalidInput(
            "This colour is too pale to be seen on white: its contrast is {contrast}, and 3 is the least. "
            "Take a darker one, such as {darker}.",
            contrast=f"{colour.contrast(text, colour.LIGHT.bg):.1f}",
            darker=colour.darker(text),
        )


def rate_of(text: str) -> Decimal:
    """Return the rate that a setting of that form holds. Raises `InvalidInput`."""
    try:
        rate = Decimal(text.strip())
    except InvalidOperation:
        rate = Decimal(0)
    if not rate.is_finite() or not LEAST_RATE <= rate <= MOST_RATE:
        raise InvalidInput("It must be a number such as 0.92, from 0.0001 to 1000000.")
    return rate


def time_of(text: str) -> time:
    """Return the time of day that a setting of that form holds. Raises `InvalidInput`."""
    try:
        return datetime.strptime(text.strip(), "%H:%M").replace(tzinfo=UTC).time()
    except ValueError:
        raise InvalidInput("It must be a time of day in UTC such as 02:30.") from None


async def store(session: Session, setting: WorkspaceSetting[V], value: V, changed_by: str | None = None) -> None:
    """Write the value on the product's own behalf: no rights asked, nothing audited."""
    session.info.pop(HELD, None)
    row = await session.get(Setting, setting.name)
    if row is None:
        try:
            async with session.begin_nested():
                session.add(Setting(name=setting.name, value={"value": value}, changed_by=changed_by))
        except IntegrityError:
            # Somebody else wrote it first, at the same moment.
            row = await session.get_one(Setting, setting.name)
    if row is not None:
        row.value, row.changed_by = {"value": value}, changed_by
