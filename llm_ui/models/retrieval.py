"""What the search in a project's documents is measured on."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.ids import CaseId, DocumentId, ProjectId, uuid7
from llm_ui.models.base import Base, Timestamped


class RetrievalCase(Timestamped, Base):
    """A question, and a passage that is to be found for it, or that is not: one case of a project's test set."""

    __tablename__ = "retrieval_cases"
    __table_args__ = (Index(None, "project_id"), Index(None, "document_id"))

    id: Mapped[CaseId] = mapped_column(primary_key=True, default=lambda: CaseId(uuid7()))
    project_id: Mapped[ProjectId] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    """The document's: the wall stands in this table too."""
    document_id: Mapped[DocumentId] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    question: Mapped[str] = mapped_column(String(1_000))
    passage: Mapped[str]
    """What it says, by which it is known however the document is cut; empty: any passage of the document."""
    is_wanted: Mapped[bool]
