"""Deployment settings: the `LLM_UI_*` environment variables, read once into one frozen `Config`."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from llm_ui.errors import ConfigurationError

ENV_PREFIX = "LLM_UI_"
DATABASE_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")
REDIS_SCHEMES = ("redis", "rediss")
HOST = re.compile(r"(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z_-][A-Za-z0-9_-]{0,62}")

Port = Annotated[int, Field(ge=1, le=65535)]


class Config(BaseSettings):
    """All settings of a deployment. Each field's description is its line in the documentation and in `doctor`."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    data_dir: Path = Field(
        Path("~/.llm-ui"), description="Folder for the database, key files, job queue, logs and attached files."
    )
    database_url: SecretStr | None = Field(
        None, description="`postgresql+psycopg://…` to use PostgreSQL; empty for SQLite in the data folder."
    )
    redis_url: SecretStr | None = Field(
        None,
        description="`redis://…` of a Redis in which several processes of the LLM API share what they know of "
        "providers that fail, and count together what is limited in a minute and at the same time; empty: each for "
        "itself. Money is counted in the database.",
    )
    host: str = Field("127.0.0.1", description="Address the pages are served on; `0.0.0.0` for every interface.")
    port: Port = Field(5006, description="Port the pages are served on.")
    api_host: str = Field("127.0.0.1", description="Address the LLM API listens on.")
    api_port: Port = Field(8000, description="Port the LLM API listens on.")
    api_url: str | None = Field(
        None, description="Where the pages reach the LLM API, when it runs elsewhere; empty for `api_host:api_port`."
    )
    origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses people open in the browser, separated by commas, such as `https://ai.example.org`. "
        "Needed behind a proxy; localhost is always allowed.",
    )
    trust_proxy: bool = Field(
        False,
        description="Whether to believe X-Forwarded-For and X-Forwarded-Proto; only behind a proxy that sets them.",
    )
    secret_key: SecretStr | None = Field(
        None,
        min_length=32,
        description="Signs tickets and page sessions, at least 32 characters; empty for a key file in the data folder.",
    )
    encryption_keys: SecretStr | None = Field(
        None,
        description="Fernet keys that seal provider keys, newest first, separated by commas; empty for a key file.",
    )
    session_idle_s: int = Field(14 * 86_400, ge=60, description="Seconds without use after which a sign-in ends.")
    session_absolute_s: int = Field(60 * 86_400, ge=60, description="Seconds after which a sign-in ends in any case.")
    drain_s: float = Field(20.0, ge=0, le=600, description="Seconds that running answers get to finish at shut-down.")
    connect_timeout_s: float = Field(10.0, gt=0, description="Seconds to connect to a provider.")
    first_byte_timeout_s: float = Field(120.0, gt=0, description="Seconds until a provider's answer must begin.")
    idle_timeout_s: float = Field(30.0, gt=0, description="Seconds between two pieces of a provider's answer.")
    total_timeout_s: float = Field(1_800.0, gt=0, description="Seconds a whole answer may take.")
    probe_providers: bool = Field(
        True,
        description="Whether providers may be asked for their list of models by the clock, to see whether they are "
        "well. How often, or never, is on Admin, All settings.",
    )
    key_requests_per_minute: int = Field(
        600, ge=1, description="Requests that one key of the API, and one person with all theirs, may make in a minute."
    )
    key_tokens_per_minute: int = Field(
        2_000_000,
        ge=1,
        description="Tokens that one key of the API, and one person with all theirs, may use in a minute.",
    )
    key_requests_at_once: int = Field(
        64, ge=1, description="Requests of one key of the API, and of one person, that may be under way together."
    )
    public_api_url: str | None = Field(
        None,
        description="Where scripts reach the LLM API, such as `https://ai.example.org/api`; shown with the keys. Empty "
        "for `api_port` of the host in the browser's address.",
    )
    api_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Addresses of other pages whose scripts may ask the LLM API with a key from a browser (CORS), "
        "separated by commas, such as `https://tool.example.org`. Empty for none.",
    )
    max_file_mb: int = Field(20, ge=1, le=200, description="Megabytes that one attached file may have.")
    max_document_mb: int = Field(200, ge=1, le=5_000, description="Megabytes that one document of a project may have.")
    fetch_web: bool = Field(True, description="Whether people may add documents by their address on the web.")
    fetch_allow: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Hosts and networks outside of the public internet that documents may be fetched from, separated "
        "by commas, such as `wiki.example.org, 10.2.0.0/16`.",
    )
    max_files: int = Field(10, ge=1, le=50, description="Most files that are attached to one message.")
    embedding_folder: Path | None = Field(
        None,
        description="Folder of an embedding model of the BERT type, such as all-MiniLM-L6-v2, that is run on this "
        "computer; its name is the model's. Empty for none.",
    )
    embedding_port: Port = Field(8900, description="Port on which that model is asked, on 127.0.0.1 only.")
    backup_folder: Path | None = Field(
        None,
        description="Folder of the backups that are made each day, best on another disk; empty for `backups` in the "
        "data folder. When they are made, and how many are kept, is on Admin, All settings.",
    )
    copy_before_migration: bool = Field(
        True,
        description="Whether the database is copied, and the migration tried on the copy, before a new version "
        "migrates it. Only where its own backup was made by hand: off.",
    )
    slow_statement_ms: int = Field(
        200, ge=1, description="Milliseconds from which a statement to the database counts as slow and is listed."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    log_format: Literal["text", "json"] = Field(
        "text", description="How the log is written: lines to read, or one JSON object a line."
    )
    metrics_token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Lets Prometheus read `/metrics` of the LLM API from elsewhere, at least 16 characters; "
        "empty: this host alone.",
    )

    sentry_dsn: SecretStr | None = Field(
        None,
        description="DSN of a Sentry-compatible server that is told of unexpected errors of all processes, such as "
        "`https://key@sentry.example.org/7`; never what people wrote. Empty: nobody is told.",
    )
    sentry_environment: str = Field("production", description="The environment that is told along with these errors.")

    @field_validator("database_url")
    @classmethod
    def _check_database_url(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what is not PostgreSQL, without repeating it: it may hold a password. Empty counts as not given."""
        if value is None or not value.get_secret_value():
            return None
        try:
            parts = urlsplit(value.get_secret_value())
            is_usable = parts.scheme in DATABASE_SCHEMES and bool(parts.path.strip("/")) and parts.port != 0
        except ValueError:
            is_usable = False
        if not is_usable:
            raise ValueError(
                "it is not an address like postgresql+psycopg://name:password@host:5432/database; "
                "leave it empty for SQLite"
            )
        return value

    @field_validator("redis_url")
    @classmethod
    def _check_redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what is not Redis, without repeating it: it may hold a password. Empty counts as not given."""
        if value is None or not value.get_secret_value():
            return None
        try:
            parts = urlsplit(value.get_secret_value())
            is_usable = parts.scheme in REDIS_SCHEMES and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_usable = False
        if not is_usable:
            raise ValueError("it is not an address like redis://:password@host:6379/0; leave it empty for none")
        return value

    @field_validator("sentry_dsn")
    @classmethod
    def _check_sentry_dsn(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what is no DSN, without repeating it. Empty counts as not given."""
        if value is None or not value.get_secret_value():
            return None
        try:
            parts = urlsplit(value.get_secret_value())
            is_usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_usable = False
        if not is_usable or not parts.username or not parts.path.strip("/"):
            raise ValueError("it is not a DSN like https://key@sentry.example.org/7; leave it empty for none")
        return value

    @field_validator("api_url")
    @classmethod
    def _check_api_url(cls, value: str | None) -> str | None:
        """Refuse what is not an address. Empty counts as not given."""
        if not value:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it is not an address like http://127.0.0.1:8000")
        return value

    @field_validator("origins", "api_origins", "fetch_allow", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """Accept a comma-separated line."""
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("origins", "api_origins")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse wildcards and addresses without a scheme, which would let in other sites."""
        for origin in value:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or not parts.hostname or "*" in origin or parts.path.strip("/"):
                raise ValueError(f"{origin!r} is not an address like https://ai.example.org")
        return tuple(origin.rstrip("/") for origin in value)

    @field_validator("fetch_allow")
    @classmethod
    def _check_fetch_allow(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Refuse what is neither the name of a host nor a network."""
        for one in value:
            if not HOST.fullmatch(one) and not _is_network(one):
                raise ValueError(f"{one!r} is neither a host like wiki.example.org nor a network like 10.2.0.0/16")
        return value

    @property
    def folder(self) -> Path:
        """The data folder, with `~` expanded."""
        return self.data_dir.expanduser()

    @property
    def sqlite_path(self) -> Path | None:
        """The SQLite file, or None on PostgreSQL."""
        return self.folder / "llm-ui.db" if self.database_url is None else None

    @property
    def files_path(self) -> Path:
        """Folder of the files that people attached. Pages, LLM API and worker all need it."""
        return self.folder / "files"

    @property
    def vectors_path(self) -> Path:
        """Folder of the files in which vectors are searched, made from the database. LLM API and worker share it."""
        return self.folder / "vectors"

    @property
    def backup_path(self) -> Path:
        """Folder of the backups, with `~` expanded."""
        return self.folder / "backups" if self.backup_folder is None else self.backup_folder.expanduser()

    @property
    def sqlalchemy_url(self) -> str:
        """The database address with its async driver; holds the password, so never print it."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{self.sqlite_path}"
        url = self.database_url.get_secret_value()
        for plain in ("postgresql://", "postgres://"):
            if url.startswith(plain):
                return "postgresql+psycopg://" + url.removeprefix(plain)
        return url

    @property
    def public_origin(self) -> str:
        """Where people open the pages, as far as the settings tell it: what links begin with."""
        if self.origins:
            return self.origins[0]
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::", "") else self.host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def scripts_reach(self) -> str:
        """Where others reach the LLM API, as far as the settings tell it."""
        return (self.public_api_url or self.llm_api_url).rstrip("/").removesuffix("/v1")

    @property
    def llm_api_url(self) -> str:
        """Where the pages reach the LLM API."""
        if self.api_url:
            return self.api_url.rstrip("/")
        host = "127.0.0.1" if self.api_host in ("0.0.0.0", "::", "") else self.api_host  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.api_port}" if ":" in host else f"http://{host}:{self.api_port}"


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def load_config(**overrides: Any) -> Config:
    """Return the settings of this process; `overrides` (of the command line) win over the environment.

    Overrides that are None count as not given. Raises `ConfigurationError` with one sentence that names the variable.
    """
    try:
        return Config(**{name: value for name, value in overrides.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ENV_PREFIX + str(first["loc"][0]).upper() if first["loc"] else "the settings"
        reason = first["msg"].removeprefix("Value error, ")
        raise ConfigurationError(f"{name} is not usable: {reason}. Correct it and start again.") from None
