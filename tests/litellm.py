"""LiteLLM in an environment of its own: it needs other versions than ours, and hundreds of megabytes with its proxy."""

import subprocess
import sys
from pathlib import Path


def environment(folder: Path, package: str = "litellm") -> Path:
    """Return the Python of the environment in a folder, made when it is not there."""
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", package], check=True)
        (folder / "installed").touch()
    return python
