"""`python -m llm_ui.worker`: the worker process."""

import asyncio
import sys

from llm_ui.config import load_config
from llm_ui.errors import LLMUIError
from llm_ui.kit.process import run_until_told
from llm_ui.observability.logging import configure
from llm_ui.worker.main import run


def main() -> int:
    """Run jobs until told to stop; return the exit code."""
    try:
        config = load_config()
        configure("worker", config.log_level)
        asyncio.run(run_until_told(lambda stop: run(config, stop)))
    except LLMUIError as error:
        sys.stderr.write(f"llm-ui: {error.message}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
