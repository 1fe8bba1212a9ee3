"""Deployment settings."""

from pathlib import Path

import pytest

from llm_ui.config import Config, load_config
from llm_ui.errors import ConfigurationError

GOOD = {
    "PORT": ("8080", "port", 8080),
    "ORIGINS": ("https://a.example.org, http://b.example.org:81/", "origins", ("https://a.example.org", "http://b.example.org:81")),
    "TRUST_PROXY": ("true", "trust_proxy", True),
    "DATABASE_URL": ("", "database_url", None),
    "REDIS_URL": ("", "redis_url", None),
    "SENTRY_DSN": ("", "sentry_dsn", None),
    "API_URL": ("", "api_url", None),
    "DRAIN_S": ("2.5", "drain_s", 2.5),
}  # fmt: skip

BAD = {
    "PORT": ["many", "0", "65536", ""],
    "ORIGINS": ["*", "example.org", "https://*.example.org", "https://a.example.org/path", "ftp://a.example.org"],
    "SECRET_KEY": ["too-short"],
    "DATABASE_URL": ["mysql://a:hidden@b/c", "sqlite:///file", "postgresql://host-alone", "postgresql://h:hidden/x"],
    "REDIS_URL": ["http://a:hidden@b/0", "redis:///0", "redis://h:hidden@b:port/0"],
    "SENTRY_DSN": [
        "sentry.example.org/7",
        "https://hidden@b",
        "https://b/7",
        "ftp://hidden@b/7",
        "https://hidden@b:x/7",
    ],
    "API_URL": ["127.0.0.1:8000", "ftp://127.0.0.1", "http://"],
    "LOG_LEVEL": ["loud"],
    "DRAIN_S": ["-1", "601"],
    "TRUST_PROXY": ["perhaps"],
    "SESSION_IDLE_S": ["5"],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_setting_is_read_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, field, value = GOOD[name]
    monkeypatch.setenv(f"LLM_UI_{name}", text)

    assert getattr(load_config(), field) == value


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts])
def test_a_bad_one_is_named_in_one_sentence(name: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"LLM_UI_{name}", text)

    with pytest.raises(ConfigurationError) as caught:
        load_config()

    assert caught.value.message.startswith(f"LLM_UI_{name} is not usable: ")
    assert "hidden" not in caught.value.message
    assert "\n" not in caught.value.message


def test_options_win_over_the_environment_and_missing_ones_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_UI_PORT", "7000")

    assert load_config(port=7001).port == 7001
    assert load_config(port=None).port == 7000


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_gets_the_async_driver(scheme: str) -> None:
    config = Config(database_url=f"{scheme}://a:b@127.0.0.1:5432/c")

    assert config.sqlalchemy_url == "postgresql+psycopg://a:b@127.0.0.1:5432/c"
    assert config.sqlite_path is None


def test_without_a_database_the_data_folder_holds_one(tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path)

    assert config.sqlite_path == tmp_path / "llm-ui.db"
    assert config.sqlalchemy_url == f"sqlite+aiosqlite:///{tmp_path}/llm-ui.db"


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"api_port": 8000}, "http://127.0.0.1:8000"),
        ({"api_host": "0.0.0.0", "api_port": 8000}, "http://127.0.0.1:8000"),  # noqa: S104 - compared, not bound
        ({"api_host": "::1", "api_port": 8000}, "http://[::1]:8000"),
        ({"api_url": "https://llm.example.org/"}, "https://llm.example.org"),
    ],
)
def test_the_pages_know_where_the_llm_api_is(settings: dict[str, object], url: str) -> None:
    assert Config(**settings).llm_api_url == url


def test_secrets_are_not_in_what_is_printed() -> None:
    config = Config(database_url="postgresql://a:hidden@b/c", secret_key="hidden" * 8, encryption_keys="hidden")

    assert "hidden" not in repr(config) + str(config)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Config().port = 1
