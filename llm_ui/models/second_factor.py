"""What somebody has to show besides the password."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from llm_ui.kit.clock import now
from llm_ui.kit.ids import UserId
from llm_ui.models.base import Base


class SecondFactor(Base):
    """The authenticator app of a person. Its secret is sealed."""

    __tablename__ = "second_factors"

    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    sealed_secret: Mapped[str]
    last_counter: Mapped[int] = mapped_column(BigInteger)
    """The step of time whose code was used last: neither it nor one before is taken again."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class RecoveryCode(Base):
    """A code that takes the app's place once, after which its row is gone. Only its SHA-256 is stored."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UserId] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
