"""What the processes of the product have in common: their settings, their log, their exit code."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from llm_ui.config import Config, load_config
from llm_ui.errors import LLMUIError
from llm_ui.kit.process import run_until_told
from llm_ui.observability.answers import send_spans
from llm_ui.observability.logging import configure


def run_process(name: str, run: Callable[[Config, asyncio.Event], Awaitable[None]]) -> int:
    """Run with the settings of the environment until told to stop; return the exit code. `name` is for the log."""
    try:
        config = load_config()
        configure(name, config.log_level, config.log_format)
        send_spans(name)
        asyncio.run(run_until_told(lambda stop: run(config, stop)))
    except LLMUIError as error:
        sys.stderr.write(f"llm-ui: {error.message}\n")
        return error.exit_code
    return 0
