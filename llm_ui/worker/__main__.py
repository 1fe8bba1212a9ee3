"""`python -m llm_ui.worker`: the worker process."""

import sys

from llm_ui.process import run_process
from llm_ui.worker.main import run

if __name__ == "__main__":
    sys.exit(run_process("worker", run))
