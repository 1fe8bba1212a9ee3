"""What providers take of images, and what an image costs its reader.

Each figure is from the maker's own guide, read 2026-11-20:
OpenAI https://platform.openai.com/docs/guides/images-vision,
Anthropic https://platform.claude.com/docs/en/build-with-claude/vision,
Google https://ai.google.dev/gemini-api/docs/image-understanding,
Ollama https://github.com/ollama/ollama/blob/main/docs/api.md (it names PNG and JPEG; its readers know WebP too).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from llm_ui.models import ProviderKind

PNG, JPEG, WEBP, GIF = "image/png", "image/jpeg", "image/webp", "image/gif"
MB = 1_000_000
BASE64 = 4 / 3
"""Bytes on the wire for each byte of a file."""


@dataclass(frozen=True, slots=True)
class ImageRules:
    """What one protocol takes. Bytes are those of the files."""

    media_types: frozenset[str]
    max_bytes: int
    """Of one image."""
    max_total_bytes: int
    """Of all images of a request."""
    max_side_px: int
    tokens: Callable[[int, int], int]
    """What an image of this width and height costs, estimated."""


def openai_tokens(width: int, height: int) -> int:
    """Return 85 and 170 for each tile of 512 pixels: fitted into 2,048, then its shorter side brought to 768.

    Newer models count patches of 32 pixels; of those the cost is of the same order.
    """
    width, height = _fitted(width, height, 2_048)
    shorter = min(width, height)
    if shorter > 768:
        width, height = round(width * 768 / shorter), round(height * 768 / shorter)
    return 85 + 170 * math.ceil(width / 512) * math.ceil(height / 512)


def anthropic_tokens(width: int, height: int) -> int:
    """Return one for each patch of 28 pixels, the image fitted into 1,568."""
    width, height = _fitted(width, height, 1_568)
    return min(math.ceil(width / 28) * math.ceil(height / 28), 1_600)


def google_tokens(width: int, height: int) -> int:
    """Return 258 for a small image, and for each tile of 768 pixels of a larger one, fitted into 3,072."""
    if max(width, height) <= 384:
        return 258
    width, height = _fitted(width, height, 3_072)
    return 258 * math.ceil(width / 768) * math.ceil(height / 768)


def local_tokens(width: int, height: int) -> int:
    """Return one for each patch of 28 pixels, the image fitted into 1,024: what models run at home take about."""
    width, height = _fitted(width, height, 1_024)
    return math.ceil(width / 28) * math.ceil(height / 28)


def _fitted(width: int, height: int, side: int) -> tuple[int, int]:
    longer = max(width, height)
    if longer <= side:
        return width, height
    return max(1, round(width * side / longer)), max(1, round(height * side / longer))


RULES: Mapping[ProviderKind, ImageRules] = {
    ProviderKind.OPENAI: ImageRules(frozenset({PNG, JPEG, WEBP, GIF}), 20 * MB, 50 * MB, 16_384, openai_tokens),
    # 5 MB for an image and 32 MB for a request, both as base64.
    ProviderKind.ANTHROPIC: ImageRules(
        frozenset({PNG, JPEG, WEBP, GIF}), int(5 * 2**20 / BASE64), int(30 * MB / BASE64), 8_000, anthropic_tokens
    ),
    # 20 MB for a whole request with inline data, as base64; no GIF.
    ProviderKind.GOOGLE: ImageRules(
        frozenset({PNG, JPEG, WEBP}), int(19 * MB / BASE64), int(19 * MB / BASE64), 16_384, google_tokens
    ),
    ProviderKind.OLLAMA: ImageRules(frozenset({PNG, JPEG, WEBP}), 100 * MB, 100 * MB, 16_384, local_tokens),
    ProviderKind.DEMO: ImageRules(frozenset({PNG, JPEG, WEBP, GIF}), 100 * MB, 100 * MB, 16_384, local_tokens),
}
