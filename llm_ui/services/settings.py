"""Workspace settings: the registry of what an administrator may change, and the values."""

from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from sqlalchemy.exc import IntegrityError

from llm_ui.db import ReadSession, Session
from llm_ui.models import Setting
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, require

V = TypeVar("V", bool, int, str, str | None)


@dataclass(frozen=True, slots=True)
class WorkspaceSetting(Generic[V]):
    """One setting: its name, what it means and the value it has until somebody changes it."""

    name: str
    meaning: str
    default: V


REGISTRATION_OPEN = WorkspaceSetting("registration_open", "Whether anybody may create an account.", default=True)
DEFAULT_MODEL: WorkspaceSetting[str | None] = WorkspaceSetting(
    "default_model_id", "The model a new chat starts with.", None
)
SHARING = WorkspaceSetting(
    "sharing", "Who may be given links to chats: `off`, `signed_in` or `anyone`.", default="signed_in"
)
PERSON_DOCUMENTS_MB = WorkspaceSetting(
    "person_documents_mb", "Megabytes that all documents of a person may have; 0: as many as fit.", default=0
)
PROJECT_DOCUMENTS_MB = WorkspaceSetting(
    "project_documents_mb", "Megabytes that all documents of a project may have; 0: as many as fit.", default=0
)
HELPER_MODEL: WorkspaceSetting[str | None] = WorkspaceSetting(
    "helper_model_id",
    "The model that makes titles, tags, suggestions and summaries after an answer; none: nobody.",
    None,
)
HELPER_TITLES = WorkspaceSetting("helper_titles", "Whether the helper model gives new chats a title.", default=True)
HELPER_TAGS = WorkspaceSetting("helper_tags", "Whether the helper model tags new chats.", default=True)
HELPER_FOLLOW_UPS = WorkspaceSetting(
    "helper_follow_ups", "Whether the helper model suggests what to ask next.", default=True
)
HELPER_SUMMARIES = WorkspaceSetting(
    "helper_summaries", "Whether the helper model sums up what no longer fits a model's window.", default=True
)
HELPER_QUERIES = WorkspaceSetting(
    "helper_queries",
    "Whether the helper model words questions that build on a conversation, so that documents can be searched.",
    default=True,
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
SETUP_TOKEN: WorkspaceSetting[str | None] = WorkspaceSetting(
    "setup_token_hash", "SHA-256 of the one-time set-up token while there is no administrator.", None
)
SEEDED = WorkspaceSetting("seeded", "Names of the seed data that were written once, separated by spaces.", default="")

REGISTRY = (
    REGISTRATION_OPEN, DEFAULT_MODEL, SHARING, PERSON_DOCUMENTS_MB, PROJECT_DOCUMENTS_MB, HELPER_MODEL, HELPER_TITLES,
    HELPER_TAGS, HELPER_FOLLOW_UPS, HELPER_SUMMARIES, HELPER_QUERIES, EMBEDDING_MODEL, RERANKING_MODEL, SETUP_TOKEN,
    SEEDED,
)  # fmt: skip


async def get(session: ReadSession, setting: WorkspaceSetting[V]) -> V:
    """Return the setting's value."""
    row = await session.get(Setting, setting.name)
    return setting.default if row is None else cast("V", row.value["value"])


async def change(session: Session, actor: Actor, setting: WorkspaceSetting[V], value: V) -> None:
    """Change a setting for everybody, at once."""
    require(actor, Permission.MANAGE_SETTINGS)
    changes = audit.difference({"value": await get(session, setting)}, {"value": value})
    await store(session, setting, value)
    await audit.record(session, actor, "setting.changed", setting.name, changes=changes)


async def store(session: Session, setting: WorkspaceSetting[V], value: V) -> None:
    """Write the value on the product's own behalf: no rights asked, nothing audited."""
    row = await session.get(Setting, setting.name)
    if row is None:
        try:
            async with session.begin_nested():
                session.add(Setting(name=setting.name, value={"value": value}))
        except IntegrityError:
            # Somebody else wrote it first, at the same moment.
            row = await session.get_one(Setting, setting.name)
    if row is not None:
        row.value = {"value": value}
