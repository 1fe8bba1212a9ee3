"""What the processes of the product have in common: their settings, their log, their exit code."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from llm_ui.config import Config, load_config
from llm_ui.errors import LLMUIError
from llm_ui.kit.process import run_until_told
from llm_ui.observability import crashes
from llm_ui.observability.answers import send_spans
from llm_ui.observability.logging import configure, get_logger

log = get_logger(__name__)


def run_process(name: str, run: Callable[[Config, asyncio.Event], Awaitable[None]]) -> int:
    """Run with the settings of the environment until told to stop; return the exit code. `name` is for the log."""
    try:
        config = load_config()
        configure(name, config.log_level, config.log_format)
        if config.sentry_dsn is not None:
            crashes.watch(name, config.sentry_dsn.get_secret_value(), config.sentry_environment)
        send_spans(name)
        asyncio.run(run_until_told(lambda stop: run(config, stop)))
    except LLMUIError as error:
        sys.stderr.write(f"llm-ui: {error.message}\n")
        return error.exit_code
    except Exception:
        # The root of the process.
        log.exception("process.failed")
        return 1
    return 0
