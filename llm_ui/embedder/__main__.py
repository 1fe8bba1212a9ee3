"""`python -m llm_ui.embedder`: the embedding model's process."""

import os
import sys

# Read when NumPy is imported. More threads wait for each other by turning in circles, which on a machine that has other
# things to do takes the time of pages and answers.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from llm_ui.embedder.server import run
from llm_ui.process import run_process

if __name__ == "__main__":
    sys.exit(run_process("embedder", run))
