"""A sentence embedding model of the BERT family, computed with NumPy from the files its makers publish.

The encoder is that of Devlin et al. 2019, BERT; a text's vector is the mean of the last layer over its tokens, or that
of the first token, as the folder's `1_Pooling/config.json` says (Reimers and Gurevych 2019, Sentence-BERT).
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llm_ui.embedder.files import SETTINGS, VOCABULARY, WEIGHTS, require_files
from llm_ui.embedder.wordpiece import WordPiece
from llm_ui.errors import ConfigurationError

Array = np.ndarray[Any, np.dtype[np.float32]]
DTYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
MAX_HEADER = 10_000_000
"""Bytes; that of a model with a thousand tensors has a hundred thousand."""


class Bert:
    """A model, read from a folder with `config.json`, `vocab.txt` and `model.safetensors`."""

    def __init__(self, folder: Path) -> None:
        """Read it. Raises `ConfigurationError` with a sentence when that cannot be done."""
        require_files(folder)
        config = _settings(folder / SETTINGS)
        if config.get("model_type") != "bert" or config.get("hidden_act", "gelu") != "gelu":
            raise ConfigurationError(
                f"{folder} holds no embedding model of the BERT type, such as all-MiniLM-L6-v2 or bge-small-en-v1.5."
            )
        self.name = folder.resolve().name
        try:
            self._layers, self._heads = int(config["num_hidden_layers"]), int(config["num_attention_heads"])
            self._epsilon, longest = float(config.get("layer_norm_eps", 1e-12)), int(config["max_position_embeddings"])
        except (KeyError, TypeError, ValueError):
            raise ConfigurationError(f"{folder / SETTINGS} does not say how large the model is.") from None
        self.max_tokens = int(_settings(folder / "sentence_bert_config.json").get("max_seq_length") or longest)
        pooling = _settings(folder / "1_Pooling" / "config.json")
        self._is_first_token = bool(pooling.get("pooling_mode_cls_token"))
        is_lower = bool(_settings(folder / "tokenizer_config.json").get("do_lower_case", True))
        self._tokenizer = WordPiece(folder / VOCABULARY, is_lower=is_lower)
        self._weights = read_safetensors(folder / WEIGHTS)
        if "embeddings.word_embeddings.weight" not in self._weights:
            raise ConfigurationError(f"{folder} holds weights under names that are not those of a BERT model.")

    def tokens(self, text: str) -> list[int]:
        """Return a text's tokens, cut at the most that the model reads."""
        return self._tokenizer.encode(text, self.max_tokens)

    def vector(self, tokens: Sequence[int]) -> Array:
        """Return the vector of a text, of length 1, given its tokens. Takes a tenth of a second: not for an event loop.

        One text at a time: what several together save in calls, filling them up to the longest costs again.
        """
        states = self._encoded(tokens)
        pooled = states[0] if self._is_first_token else states.mean(0)
        result: Array = pooled / np.linalg.norm(pooled)
        return result

    def _encoded(self, tokens: Sequence[int]) -> Array:
        """Return the last layer: a row for each token."""
        weights = self._weights
        states = weights["embeddings.word_embeddings.weight"][list(tokens)]
        states = states + weights["embeddings.position_embeddings.weight"][: len(tokens)]
        states = self._norm(states + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(self._layers):
            name = f"encoder.layer.{layer}"
            mixed = self._attended(states, f"{name}.attention")
            states = self._norm(states + mixed, f"{name}.attention.output.LayerNorm")
            inner = _gelu(self._linear(states, f"{name}.intermediate.dense"))
            states = self._norm(states + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return states

    def _attended(self, states: Array, name: str) -> Array:
        length, width = states.shape
        shape = length, self._heads, width // self._heads
        query, key, value = (
            self._linear(states, f"{name}.self.{part}").reshape(shape).transpose(1, 0, 2)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 2, 1) / np.float32(math.sqrt(shape[2]))
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ value
        return self._linear(mixed.transpose(1, 0, 2).reshape(states.shape), f"{name}.output.dense")

    def _linear(self, states: Array, name: str) -> Array:
        result: Array = states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result

    def _norm(self, states: Array, name: str) -> Array:
        centred = states - states.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(self._epsilon))
        result: Array = centred / deviation * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return result


def read_safetensors(path: Path) -> dict[str, Array]:
    """Return the tensors of a file in the format safetensors (its `README.md`: length, JSON header, bytes).

    Raises `ConfigurationError` when it is none.
    """
    try:
        whole = np.memmap(path, np.uint8, "r")
        size = int.from_bytes(bytes(whole[:8]), "little")
        # Of a length that cannot be nothing is read, which is no JSON.
        entries = json.loads(bytes(whole[8 : 8 + size])) if size <= MAX_HEADER else json.loads(b"")
        body = whole[8 + size :]
        return {
            name: _tensor(body, entry)
            for name, entry in entries.items()
            if name != "__metadata__" and entry["dtype"] in DTYPES
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError(f"{path} is not there or is no whole safetensors file. Copy it again.") from None


def _tensor(body: Any, entry: dict[str, Any]) -> Array:
    begin, end = entry["data_offsets"]
    tensor: Array = body[begin:end].view(DTYPES[entry["dtype"]]).reshape(entry["shape"]).astype(np.float32)
    return tensor


def _settings(path: Path) -> dict[str, Any]:
    """Return a JSON file's object; nothing where there is no file. Raises `ConfigurationError`."""
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise ConfigurationError(f"{path} is no JSON object. Copy it again.")
    return found


def _gelu(states: Array) -> Array:
    """Return GELU with its usual approximation by tanh (Hendrycks and Gimpel 2016)."""
    inner = np.float32(math.sqrt(2 / math.pi)) * (states + np.float32(0.044715) * states**3)
    result: Array = np.float32(0.5) * states * (1 + np.tanh(inner))
    return result
