"""A tiny model of the BERT type with random weights, in the files that a real one has."""

import json
from pathlib import Path

import numpy as np

WIDTH, HEADS, LAYERS, INNER, LONGEST = 8, 2, 2, 16, 32
PIECES = (
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "want", "##want", "##ed", "wa", "un", "runn", "##ing", ",", "low", "lowest",
    "the", "a", "heron", "stands", "in", "reeds", ".", "ä", "!", "漢",
)  # fmt: skip
"""As in the tests of BERT's own tokenizer, and a few more."""


def make(folder: Path, *, first_token: bool = False, half: bool = False) -> Path:
    """Write a model into a new folder; return it."""
    folder.mkdir()
    config = {
        "model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "hidden_size": WIDTH, "max_position_embeddings": LONGEST, "layer_norm_eps": 1e-12,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode_cls_token": first_token}))
    write_safetensors(folder / "model.safetensors", weights(), "<f2" if half else "<f4")
    return folder


def weights() -> dict[str, np.ndarray]:
    """Return the same random tensors each time."""
    random = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(PIECES), WIDTH),
        "embeddings.position_embeddings.weight": (LONGEST, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        **_norm("embeddings.LayerNorm"),
    }
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        for part in ("query", "key", "value"):
            shapes |= _linear(f"{name}.attention.self.{part}", WIDTH, WIDTH)
        shapes |= _linear(f"{name}.attention.output.dense", WIDTH, WIDTH) | _norm(f"{name}.attention.output.LayerNorm")
        shapes |= _linear(f"{name}.intermediate.dense", INNER, WIDTH) | _linear(f"{name}.output.dense", WIDTH, INNER)
        shapes |= _norm(f"{name}.output.LayerNorm")
    return {name: random.normal(size=shape).astype("<f2").astype("<f4") for name, shape in shapes.items()}


def write_safetensors(path: Path, tensors: dict[str, np.ndarray], dtype: str) -> None:
    """Write tensors as the format says: the header's length, the header, the bytes."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, tensor in tensors.items():
        content = tensor.astype(dtype).tobytes()
        offsets = [len(body), len(body) + len(content)]
        header[name] = {"dtype": "F16" if dtype == "<f2" else "F32", "shape": tensor.shape, "data_offsets": offsets}
        body += content
    head = json.dumps(header).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head + body)


def _norm(name: str) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (WIDTH,), f"{name}.bias": (WIDTH,)}


def _linear(name: str, to: int, of: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (to, of), f"{name}.bias": (to,)}
