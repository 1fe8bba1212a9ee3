"""Tables, one aggregate a file. Importing this package registers all of them on `Base.metadata`."""

from llm_ui.models.agent import Agent
from llm_ui.models.attachment import Attachment
from llm_ui.models.audit import AuditHead, AuditLog
from llm_ui.models.auto import AutoModel
from llm_ui.models.backup import Backup, BackupCause
from llm_ui.models.base import Base
from llm_ui.models.budget import Budget, BudgetPeriod, BudgetReservation, BudgetScope
from llm_ui.models.cached_answer import CachedAnswer, CacheMode
from llm_ui.models.chat import ChatHistory, ChatMessage, MessageOrigin, MessageRole, MessageStatus
from llm_ui.models.directory import DirectoryGroup, DirectoryPerson, DirectoryToken
from llm_ui.models.document import (
    Document,
    DocumentChunk,
    DocumentFetch,
    DocumentPage,
    DocumentStage,
    PassageVector,
)
from llm_ui.models.evaluation import Evaluation, EvaluationKind
from llm_ui.models.experiment import LIVE_STATES, Experiment, ExperimentAnswer, ExperimentState, Sticky
from llm_ui.models.feedback import FeedbackReason, MessageFeedback, Rating
from llm_ui.models.health import ProviderHealth, ProviderProbe
from llm_ui.models.hold import HoldScope, LegalHold
from llm_ui.models.issuer import Issuer, IssuerTeam, LinkedSignIn
from llm_ui.models.job import BackgroundJob, JobKind, JobState
from llm_ui.models.keeping import Erasure, KeepRule
from llm_ui.models.key import ApiKey, KeyScope
from llm_ui.models.limit import EVERYBODY, Limit, LimitAction, LimitKind, LimitScope
from llm_ui.models.memory import ChatSummary, UserMemory
from llm_ui.models.monitoring import (
    AlertChange,
    AlertChannel,
    AlertEvent,
    AlertKind,
    AlertRule,
    ClockJob,
    LogEntry,
    ProcessReport,
    ProviderEvent,
    SlowStatement,
)
from llm_ui.models.project import (
    ChatTag,
    Cutting,
    Project,
    ProjectColor,
    ProjectIcon,
    ProjectMember,
    ProjectRole,
    Strategy,
)
from llm_ui.models.prompt import PromptVersion, SavedPrompt, SystemPrompt
from llm_ui.models.provider import (
    AiModel,
    AiProvider,
    AiType,
    Balancing,
    ModelCalibration,
    ModelPrice,
    ModelStandIn,
    PriceSource,
    ProviderKind,
)
from llm_ui.models.retrieval import RetrievalCase
from llm_ui.models.run import LIVE_STATUSES, Run, RunStatus, UsageSource
from llm_ui.models.safety import STRICTNESS, FilterAction, FilterCount, FilterKind, SafetyFilter
from llm_ui.models.second_factor import RecoveryCode, SecondFactor
from llm_ui.models.setting import LogoPicture, Setting
from llm_ui.models.share import Audience, ShareLink
from llm_ui.models.team import (
    ProjectTeam,
    Quota,
    QuotaKind,
    QuotaScope,
    ServiceAccount,
    Team,
    TeamMember,
    TeamModel,
    TeamRole,
)
from llm_ui.models.usage import (
    KIND_OF,
    Measure,
    Span,
    UsageDimension,
    UsageKind,
    UsageLatency,
    UsageLog,
    UsagePack,
    UsagePurpose,
    UsageRollup,
    UsageSubject,
    UsageTotal,
)
from llm_ui.models.user import AccountLink, LinkKind, Pending, Role, User, UserPicture, UserSession

__all__ = [
    "EVERYBODY",
    "KIND_OF",
    "LIVE_STATES",
    "LIVE_STATUSES",
    "STRICTNESS",
    "AccountLink",
    "Agent",
    "AiModel",
    "AiProvider",
    "AiType",
    "AlertChange",
    "AlertChannel",
    "AlertEvent",
    "AlertKind",
    "AlertRule",
    "ApiKey",
    "Attachment",
    "Audience",
    "AuditHead",
    "AuditLog",
    "AutoModel",
    "BackgroundJob",
    "Backup",
    "BackupCause",
    "Balancing",
    "Base",
    "Budget",
    "BudgetPeriod",
    "BudgetReservation",
    "BudgetScope",
    "CacheMode",
    "CachedAnswer",
    "ChatHistory",
    "ChatMessage",
    "ChatSummary",
    "ChatTag",
    "ClockJob",
    "Cutting",
    "DirectoryGroup",
    "DirectoryPerson",
    "DirectoryToken",
    "Document",
    "DocumentChunk",
    "DocumentFetch",
    "DocumentPage",
    "DocumentStage",
    "Erasure",
    "Evaluation",
    "EvaluationKind",
    "Experiment",
    "ExperimentAnswer",
    "ExperimentState",
    "FeedbackReason",
    "FilterAction",
    "FilterCount",
    "FilterKind",
    "HoldScope",
    "Issuer",
    "IssuerTeam",
    "JobKind",
    "JobState",
    "KeepRule",
    "KeyScope",
    "LegalHold",
    "Limit",
    "LimitAction",
    "LimitKind",
    "LimitScope",
    "LinkKind",
    "LinkedSignIn",
    "LogEntry",
    "LogoPicture",
    "Measure",
    "MessageFeedback",
    "MessageOrigin",
    "MessageRole",
    "MessageStatus",
    "ModelCalibration",
    "ModelPrice",
    "ModelStandIn",
    "PassageVector",
    "Pending",
    "PriceSource",
    "ProcessReport",
    "Project",
    "ProjectColor",
    "ProjectIcon",
    "ProjectMember",
    "ProjectRole",
    "ProjectTeam",
    "PromptVersion",
    "ProviderEvent",
    "ProviderHealth",
    "ProviderKind",
    "ProviderProbe",
    "Quota",
    "QuotaKind",
    "QuotaScope",
    "Rating",
    "RecoveryCode",
    "RetrievalCase",
    "Role",
    "Run",
    "RunStatus",
    "SafetyFilter",
    "SavedPrompt",
    "SecondFactor",
    "ServiceAccount",
    "Setting",
    "ShareLink",
    "SlowStatement",
    "Span",
    "Sticky",
    "Strategy",
    "SystemPrompt",
    "Team",
    "TeamMember",
    "TeamModel",
    "TeamRole",
    "UsageDimension",
    "UsageKind",
    "UsageLatency",
    "UsageLog",
    "UsagePack",
    "UsagePurpose",
    "UsageRollup",
    "UsageSource",
    "UsageSubject",
    "UsageTotal",
    "User",
    "UserMemory",
    "UserPicture",
    "UserSession",
]
