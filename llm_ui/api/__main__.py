"""`python -m llm_ui.api`: the LLM API process."""

import sys

from llm_ui.api.main import run
from llm_ui.process import run_process

if __name__ == "__main__":
    sys.exit(run_process("api", run))
