"""What a page asks about what chats are sorted by: projects, their members and their limits."""

from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from llm_ui.chat.op import Reply
from llm_ui.contract import MAX_ANSWER_TOKENS, MAX_TEMPERATURE
from llm_ui.models import ProjectColor, ProjectIcon, ProjectRole
from llm_ui.services.budgets import MAX_AMOUNT_USD
from llm_ui.services.keeping import MAX_KEEP_DAYS
from llm_ui.services.projects import MAX_NAME_CHARS

MAX_EMAIL_CHARS = 1_000


class ListPlaces(Reply):
    """Tell the projects and tags that chats are sorted by."""

    op: Literal["list_places"]


class ChangePlaces(Reply):
    """What makes other projects."""


class SaveProject(ChangePlaces):
    """Begin a project, or give one another name and other settings; the chat that is named moves into it.

    With `like` it begins as that one is, but for its name and look.
    """

    op: Literal["save_project"]
    project: UUID | None = None
    name: Annotated[str, Field(max_length=4 * MAX_NAME_CHARS)]
    chat: UUID | None = None
    color: ProjectColor = ProjectColor.GREY
    icon: ProjectIcon = ProjectIcon.FOLDER
    model: UUID | None = None
    temperature: Annotated[float, Field(ge=0, le=MAX_TEMPERATURE)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_ANSWER_TOKENS)] | None = None
    is_template: bool = False
    like: UUID | None = None
    with_documents: bool = False
    """Whether it begins with the documents of that one, too."""


class ArchiveProject(ChangePlaces):
    """Put a project away, or take it back into the list."""

    op: Literal["archive_project"]
    project: UUID
    is_archived: bool


class DeleteProject(ChangePlaces):
    """Delete a project; its chats go back to the list."""

    op: Literal["delete_project"]
    project: UUID


class ListMembers(Reply):
    """Tell who is in a project."""

    op: Literal["list_members"]
    project: UUID


class AddMember(ChangePlaces):
    """Let somebody take part in a project."""

    op: Literal["add_member"]
    project: UUID
    email: Annotated[str, Field(max_length=MAX_EMAIL_CHARS)]
    role: ProjectRole


class ChangeMember(ChangePlaces):
    """Let a member do more, or less."""

    op: Literal["change_member"]
    project: UUID
    member: UUID
    role: ProjectRole


class RemoveMember(ChangePlaces):
    """Let a member take part no longer; anybody may leave."""

    op: Literal["remove_member"]
    project: UUID
    member: UUID


class ShareWithTeam(ChangePlaces):
    """Let a team take part in a project, or do more or less in it; without a role: no longer."""

    op: Literal["share_with_team"]
    project: UUID
    team: UUID
    role: ProjectRole | None


class WeighKeeping(Reply):
    """Tell what would go to the bin if the project kept chats for so many days. `number` counts what was typed."""

    op: Literal["weigh_keeping"]
    project: UUID
    number: int
    days: Annotated[int, Field(ge=1, le=MAX_KEEP_DAYS)]


class SaveLimits(ChangePlaces):
    """Keep chats of a project for so many days, and spend so much in it each month; None: without a limit."""

    op: Literal["save_limits"]
    project: UUID
    keep_days: Annotated[int, Field(ge=1, le=MAX_KEEP_DAYS)] | None
    budget: Annotated[Decimal, Field(gt=0, le=MAX_AMOUNT_USD, decimal_places=2)] | None


Places = ListPlaces | SaveProject | ArchiveProject | DeleteProject
"""What is done with what chats are sorted by."""
MemberChanges = AddMember | ChangeMember | RemoveMember | ShareWithTeam
"""What is done with the members of a project."""
Limits = WeighKeeping | SaveLimits
"""What is done with the limits of a project."""
