"""`python -m llm_ui.worker`: the worker process."""

import sys

from llm_ui.process import Run, run_process


def _load() -> Run:
    from llm_ui.worker.main import run  # noqa: PLC0415 - `run_process` says why

    return run


if __name__ == "__main__":
    sys.exit(run_process("worker", _load))
