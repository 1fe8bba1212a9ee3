"""Pictures as providers get them: without what is written beside them, such as where they were taken."""

import asyncio
import base64
import binascii
from dataclasses import replace

from llm_ui.kit.metadata import without_metadata
from llm_ui.providers.base import Image, Prompt


async def bare(prompt: Prompt) -> Prompt:
    """Return a prompt whose pictures are nothing but pictures."""
    if not any(message.images for message in prompt.messages):
        return prompt
    # Some megabytes each.
    return await asyncio.to_thread(_bare, prompt)


def _bare(prompt: Prompt) -> Prompt:
    messages = (
        replace(message, images=tuple(map(_picture, message.images))) if message.images else message
        for message in prompt.messages
    )
    return replace(prompt, messages=tuple(messages))


def _picture(image: Image) -> Image:
    try:
        data = base64.b64decode(image.data, validate=True)
    except binascii.Error:
        return image
    kept = without_metadata(data)
    return image if len(kept) == len(data) else replace(image, data=base64.b64encode(kept).decode("ascii"))
