import json
import math
from pathlib import Path

import numpy as np
import pytest

from llm_ui.embedder.bert import Bert
from llm_ui.errors import ConfigurationError
from tests.fakes import bert

TEXTS = ("the heron stands in the reeds .", "a heron", "low")


def by_hand(text: str, *, first_token: bool = False) -> list[float]:
    """Return a text's vector, computed number by number from the formulas of the papers."""
    weights = bert.weights()
    pieces = ["[CLS]", *text.split(), "[SEP]"]
    states = [
        _norm(
            [
                float(
                    weights["embeddings.word_embeddings.weight"][bert.PIECES.index(piece)][at]
                    + weights["embeddings.position_embeddings.weight"][place][at]
                    + weights["embeddings.token_type_embeddings.weight"][0][at]
                )
                for at in range(bert.WIDTH)
            ],
            "embeddings.LayerNorm",
            weights,
        )
        for place, piece in enumerate(pieces)
    ]
    for layer in range(bert.LAYERS):
        states = _layer(states, f"encoder.layer.{layer}", weights)
    pooled = states[0] if first_token else [sum(state[at] for state in states) for at in range(bert.WIDTH)]
    length = math.hypot(*pooled)
    return [number / length for number in pooled]


def _layer(states: list[list[float]], name: str, weights: dict[str, np.ndarray]) -> list[list[float]]:
    size = bert.WIDTH // bert.HEADS
    queries, keys, values = (
        [_linear(state, f"{name}.attention.self.{part}", weights) for state in states]
        for part in ("query", "key", "value")
    )
    after = []
    for state, query in zip(states, queries, strict=True):
        mixed: list[float] = []
        for head in range(bert.HEADS):
            of = slice(head * size, (head + 1) * size)
            likeness = [sum(a * b for a, b in zip(query[of], key[of], strict=True)) for key in keys]
            scores = [math.exp(one / math.sqrt(size)) for one in likeness]
            shares = [score / sum(scores) for score in scores]
            mixed += [
                sum(share * value[of][at] for share, value in zip(shares, values, strict=True)) for at in range(size)
            ]
        attended = _linear(mixed, f"{name}.attention.output.dense", weights)
        state = _norm(_sum(state, attended), f"{name}.attention.output.LayerNorm", weights)
        inner = [_gelu(number) for number in _linear(state, f"{name}.intermediate.dense", weights)]
        after.append(
            _norm(_sum(state, _linear(inner, f"{name}.output.dense", weights)), f"{name}.output.LayerNorm", weights)
        )
    return after


def _sum(one: list[float], other: list[float]) -> list[float]:
    return [a + b for a, b in zip(one, other, strict=True)]


def _gelu(number: float) -> float:
    return number * 0.5 * (1 + math.erf(number / math.sqrt(2)))


def _linear(state: list[float], name: str, weights: dict[str, np.ndarray]) -> list[float]:
    matrix, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return [
        sum(float(a) * b for a, b in zip(row, state, strict=True)) + float(add)
        for row, add in zip(matrix, bias, strict=True)
    ]


def _norm(state: list[float], name: str, weights: dict[str, np.ndarray]) -> list[float]:
    mean = sum(state) / len(state)
    deviation = math.sqrt(sum((number - mean) ** 2 for number in state) / len(state) + 1e-12)
    return [
        (number - mean) / deviation * float(scale) + float(add)
        for number, scale, add in zip(state, weights[f"{name}.weight"], weights[f"{name}.bias"], strict=True)
    ]


@pytest.mark.parametrize(("first_token", "half"), [(False, False), (True, False), (False, True)])
def test_vectors_are_those_of_the_formulas(tmp_path: Path, first_token: bool, half: bool) -> None:
    model = Bert(bert.make(tmp_path / "tiny", first_token=first_token, half=half))

    vectors = [model.vector(model.tokens(text)) for text in TEXTS]

    expected = [by_hand(text, first_token=first_token) for text in TEXTS]
    # GELU is approximated.
    assert np.allclose(vectors, expected, atol=5e-3)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)


def test_the_model_is_called_as_its_folder(tmp_path: Path) -> None:
    model = Bert(bert.make(tmp_path / "all-MiniLM-L6-v2"))

    assert model.name == "all-MiniLM-L6-v2"
    assert len(model.tokens("heron " * 100)) == bert.LONGEST


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("config.json", None, "holds no config.json"),
        ("model.safetensors", None, "holds no model.safetensors"),
        ("config.json", b"{", "is no JSON object"),
        ("config.json", json.dumps({"model_type": "t5"}).encode(), "no embedding model of the BERT type"),
        ("config.json", json.dumps({"model_type": "bert"}).encode(), "does not say how large"),
        ("model.safetensors", b"", "no whole safetensors file"),
        ("model.safetensors", (10**12).to_bytes(8, "little") + b"{}", "no whole safetensors file"),
        ("model.safetensors", (2).to_bytes(8, "little") + b"{}", "not those of a BERT model"),
        ("model.safetensors", b"\x02\0\0\0\0\0\0\0[]", "no whole safetensors file"),
    ],
)
def test_what_is_no_model_is_refused_with_a_sentence(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    folder = bert.make(tmp_path / "tiny")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)

    with pytest.raises(ConfigurationError, match=sentence):
        Bert(folder)


def test_a_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    folder = bert.make(tmp_path / "tiny")
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-100])

    with pytest.raises(ConfigurationError, match="no whole safetensors file"):
        Bert(folder)
