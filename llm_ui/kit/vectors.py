"""Vectors as they are stored: of length 1, each number a half float (IEEE 754 binary16), little-endian.

Half of the bytes of single floats. A number of such a vector is then off by 2^-11 of itself at most, so the cosine of
two vectors by less than 0.001: no two passages change places that were not as good as each other.
"""

import math
import struct
from collections.abc import Sequence

from llm_ui.errors import InvalidInput

HALF = 2
"""Bytes of a half float."""


def packed(vector: Sequence[float]) -> bytes:
    """Return the vector, brought to length 1. Raises `InvalidInput` when it has none."""
    length = math.hypot(*vector)
    if not 0 < length < math.inf:
        raise InvalidInput("The model made a vector without a direction. Choose another embedding model.")
    return struct.pack(f"<{len(vector)}e", *(number / length for number in vector))


def cosines(vector: bytes, others: Sequence[bytes]) -> list[float]:
    """Return the cosine of a packed vector with each other one; 0 with one of another length. Not for an event loop."""
    import numpy as np  # noqa: PLC0415 - takes 100 ms and 20 MB that most never need

    fitting = [other if len(other) == len(vector) else bytes(len(vector)) for other in others]
    rows = np.frombuffer(b"".join(fitting), "<f2").reshape(len(fitting), -1).astype(np.float32)
    return [float(one) for one in rows @ np.frombuffer(vector, "<f2").astype(np.float32)]
