"""Where the embedding model is: its files, and the address it is asked at."""

from pathlib import Path

from llm_ui.errors import ConfigurationError

HOST = "127.0.0.1"
SETTINGS, VOCABULARY, WEIGHTS = NEEDED = ("config.json", "vocab.txt", "model.safetensors")
"""As sentence-transformers writes them."""


def require_files(folder: Path) -> None:
    """Raise `ConfigurationError` unless the folder holds what a model is read from."""
    missing = ", ".join(name for name in NEEDED if not (folder / name).is_file())
    if missing:
        raise ConfigurationError(
            f"LLM_UI_EMBEDDING_FOLDER: {folder} holds no {missing}. Copy the files of a model of the BERT type there, "
            "such as all-MiniLM-L6-v2, or leave it empty."
        )
