"""`python -m llm_ui.embedder`: the embedding model's process."""

import os
import sys

from llm_ui.process import Run, run_process


def _load() -> Run:
    # Read when NumPy is imported. More threads wait for each other by turning in circles, which on a machine that has
    # other things to do takes the time of pages and answers.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from llm_ui.embedder.server import run  # noqa: PLC0415 - `run_process` says why

    return run


if __name__ == "__main__":
    sys.exit(run_process("embedder", _load))
