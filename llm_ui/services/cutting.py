"""How the documents of a project are cut into passages: set for the project, and done anew with all of them."""

from dataclasses import asdict, dataclass

from sqlalchemy import select, update

from llm_ui.db import ReadSession, Session
from llm_ui.errors import InvalidInput
from llm_ui.kit.ids import ProjectId
from llm_ui.models import Cutting, Document, DocumentStage, Project
from llm_ui.services import audit
from llm_ui.services.access import Actor, Permission, ProjectRight, require
from llm_ui.services.projects import require_open, require_project

LEAST_TOKENS, MOST_TOKENS = 50, 2_000
"""Of a passage. Shorter ones say too little to be found; of longer ones embedding models read the beginning only, and
few fit into a question."""


@dataclass(frozen=True, slots=True)
class CuttingInfo:
    """How documents are cut."""

    by: Cutting = Cutting.STRUCTURE
    passage_tokens: int = 350
    overlap_tokens: int = 50


AS_CUT = CuttingInfo()
"""As those of a new project are."""


async def read_cutting(session: ReadSession, actor: Actor, project_id: ProjectId) -> CuttingInfo:
    """Return how the documents of a project are cut. Raises `NotFound`."""
    await require_project(session, actor, project_id)
    return await cutting_of(session, project_id)


async def cutting_of(session: ReadSession, project_id: ProjectId) -> CuttingInfo:
    """Return how the documents of a project are cut, as workers ask; one that is gone has what all begin with."""
    # rights: of the project whose document a worker holds, or that the caller has checked
    columns = select(Project.cutting, Project.passage_tokens, Project.overlap_tokens)
    found = (await session.execute(columns.where(Project.id == project_id))).one_or_none()
    return AS_CUT if found is None else CuttingInfo(*found)


def checked(cutting: CuttingInfo) -> CuttingInfo:
    """Return it. Raises `InvalidInput` when passages would be too short, too long, or repeat too much."""
    if not LEAST_TOKENS <= cutting.passage_tokens <= MOST_TOKENS:
        raise InvalidInput("A passage must have {least} to {most} tokens.", least=LEAST_TOKENS, most=MOST_TOKENS)
    if not 0 <= cutting.overlap_tokens <= cutting.passage_tokens // 2:
        raise InvalidInput(
            "A passage can repeat up to half of its length, here {most} tokens.", most=cutting.passage_tokens // 2
        )
    return cutting


async def set_cutting(session: Session, actor: Actor, project_id: ProjectId, cutting: CuttingInfo) -> int:
    """Cut the documents of a project this way from now on; return how many of them are cut anew.

    What was read of them stays; each is found again once it is cut. Nothing is done anew when nothing is changed.
    Raises `InvalidInput`, `Conflict` and `NotFound`.
    """
    require(actor, Permission.CHAT)
    await require_open(session, actor, project_id, ProjectRight.EDIT)
    before = await cutting_of(session, project_id)
    if checked(cutting) == before:
        return 0
    changes = audit.difference(asdict(before), asdict(cutting))
    await audit.record(session, actor, "project.cut_anew", str(project_id), target_id=project_id, changes=changes)
    # rights: of a project that the actor may change
    values = {
        "cutting": cutting.by, "passage_tokens": cutting.passage_tokens, "overlap_tokens": cutting.overlap_tokens
    }  # fmt: skip
    await session.execute(update(Project).where(Project.id == project_id).values(values))
    # Their passages go when the new ones come: to take all away at once would keep everybody else from writing. A
    # worker that is cutting one the old way loses it, and stores nothing more of it.
    anew = {
        "stage": DocumentStage.PARSED, "chunk_count": 0, "tokens": 0, "attempts": 0, "lease_owner": None,
        "heartbeat_at": None, "embedded_by": None, "embed_error": None, "embed_attempts": 0,
    }  # fmt: skip
    read = Document.project_id == project_id, Document.stage.in_((DocumentStage.PARSED, DocumentStage.READY))
    changed = await session.execute(update(Document).where(*read).values(anew).returning(Document.id))
    return len(changed.all())
