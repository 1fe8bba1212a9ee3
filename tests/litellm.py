"""LiteLLM in an environment of its own: it needs other versions than ours, and hundreds of megabytes with its proxy."""

import subprocess
import sys
from pathlib import Path

VERSION = "1.106.2"
BESIDE = "mcp==2.3.0"
"""It imports this without asking for it."""


def environment(folder: Path, extra: str = "") -> Path:
    """Return the Python of the environment in a folder, made when it is not there. An extra is named in brackets."""
    python = folder / "bin" / "python"
    marker, packages = folder / "installed", [f"litellm{extra}=={VERSION}", BESIDE]
    if not marker.exists() or marker.read_text() != str(packages):
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
        marker.write_text(str(packages))
    return python
