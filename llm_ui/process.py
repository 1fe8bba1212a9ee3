"""What the processes of the product have in common: their settings, their log, their exit code."""

import asyncio
import gc
import sys
from collections.abc import Awaitable, Callable

from llm_ui.config import Config, load_config
from llm_ui.errors import LLMUIError
from llm_ui.kit.process import run_until_told
from llm_ui.observability import crashes, export
from llm_ui.observability.logging import configure, get_logger

log = get_logger(__name__)

Run = Callable[[Config, asyncio.Event], Awaitable[None]]
MANY_NEW = 10_000
"""So many new objects make the collector look through the young ones; by itself after 700, many times in a request."""


def run_process(name: str, load: Callable[[], Run]) -> int:
    """Run what `load` imports, with the settings of the environment, until told to stop; return the exit code.

    `name` is for the log.
    """
    try:
        run = _loaded(load)
        config = load_config()
        configure(name, config.log_level, config.log_format)
        if config.sentry_dsn is not None:
            crashes.watch(name, config.sentry_dsn.get_secret_value(), config.sentry_environment)
        export.send(name)
        asyncio.run(run_until_told(lambda stop: run(config, stop)))
    except LLMUIError as error:
        sys.stderr.write(f"llm-ui: {error.message}\n")
        return error.exit_code
    except Exception:
        # The root of the process.
        log.exception("process.failed")
        return 1
    return 0


def _loaded(load: Callable[[], Run]) -> Run:
    """Import, and have the collector never look at what was imported.

    That is most of the memory, and it stays. Looking through it took a tenth of the start, and later held up whatever a
    process was doing for 100 ms each time. What is left over by imports is not worth it: some hundred objects.
    """
    gc.disable()
    try:
        return load()
    finally:
        gc.freeze()
        gc.set_threshold(MANY_NEW)
        gc.enable()
