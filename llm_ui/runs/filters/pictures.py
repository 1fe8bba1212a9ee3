"""Text in pictures, for the filters: read by Tesseract where the server has it.

What was read is remembered for a while, by the hash of the picture: it is sent with each further question of its chat.
What cannot be read in time is not looked at.
"""

import asyncio
import base64
import binascii
import hashlib
import os
from collections import OrderedDict
from contextlib import suppress

from llm_ui.documents.parse import ocr
from llm_ui.errors import LLMUIError
from llm_ui.kit.media import inspect
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Image

log = get_logger(__name__)

LONGEST_S = 10.0
"""Of reading one picture: a page of print takes one or two on one core."""
REMEMBERED = 500


class Pictures:
    """Reads pictures, one at a time. One in each process."""

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._known: OrderedDict[bytes, str] = OrderedDict()
        self._place = asyncio.Semaphore(1)

    async def text(self, image: Image) -> str:
        """Return the text in a picture; empty where there is none, or nobody here can read it."""
        program = await asyncio.to_thread(ocr.program)
        if program is None:
            return ""
        data = await asyncio.to_thread(_readable, image)
        if data is None:
            return ""
        key = hashlib.blake2b(data, digest_size=16).digest()
        async with self._place:
            if key not in self._known:
                read = await self._read(program, data)
                if read is None:
                    return ""
                self._known[key] = read
            self._known.move_to_end(key)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return self._known.get(key, "")

    async def _read(self, program: str, data: bytes) -> str | None:
        """Return what the program reads; None: it did not end in time."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            program, "stdin", "stdout", stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "OMP_THREAD_LIMIT": "1"},
        )  # fmt: skip
        try:
            async with asyncio.timeout(self._longest_s):
                told, _ = await process.communicate(data)
        except TimeoutError:
            log.warning("filter.picture_not_read", size_bytes=len(data))
            return None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        return "" if process.returncode else told.decode("utf-8", "replace").strip("\f\n ")


def _readable(image: Image) -> bytes | None:
    """Return what a picture holds; None where it is broken or too large to be unpacked."""
    try:
        data = base64.b64decode(image.data, validate=True)
        media = inspect(data, image.name)
    except (binascii.Error, LLMUIError):
        return None
    return data if (media.width or 0) * (media.height or 0) <= ocr.MAX_PIXELS else None
