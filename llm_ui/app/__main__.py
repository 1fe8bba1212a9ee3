"""`python -m llm_ui.app`: the UI process."""

import sys

from llm_ui.app.server import run
from llm_ui.process import run_process

if __name__ == "__main__":
    sys.exit(run_process("ui", run))
