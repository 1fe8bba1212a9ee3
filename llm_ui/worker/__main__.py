"""`python -m llm_ui.worker`: the worker process."""

import sys
from types import ModuleType
from typing import cast

from llm_ui.process import Run, run_process

UNUSED = ("psycopg", "redis")
"""What huey imports where it is installed, for queues that are kept there: 14 MB. Ours is in SQLite."""


def _load() -> Run:
    for name in UNUSED:
        # This has an import of it fail.
        sys.modules[name] = cast(ModuleType, None)
    import huey  # noqa: F401, PLC0415 - before all that imports it

    for name in UNUSED:
        del sys.modules[name]
    from llm_ui.worker.main import run  # noqa: PLC0415 - `run_process` says why

    return run


if __name__ == "__main__":
    sys.exit(run_process("worker", _load))
