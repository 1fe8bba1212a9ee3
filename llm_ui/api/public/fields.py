"""Reading what a script sent: whatever cannot be used is refused in one sentence that names the field."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from llm_ui.api.errors import UNREADABLE
from llm_ui.errors import InvalidInput, Value
from llm_ui.kit.text import one_line, storable
from llm_ui.providers.base import Image

DATA_URL = re.compile(r"data:(image/[a-z.+-]{1,20});base64,", re.IGNORECASE)
IMAGE_KINDS = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
Part = TypeVar("Part")
Body = TypeVar("Body", bound="Sent")


class Refused(InvalidInput):
    """A field cannot be used; `param` says which."""

    def __init__(self, param: str, sentence: str, /, **values: Value) -> None:
        super().__init__(sentence, retry_after=None, **values)
        self.param = param


class Sent(BaseModel):
    """Part of a body. Fields that nobody knows are ignored, as the originals do."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


def read(kind: type[Body], raw: bytes) -> Body:
    """Return the body. Raises `Refused` for the first field that is of the wrong kind."""
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        raise _unusable(error) from None


def part_of(kind: type[Body], param: str, part: object) -> Body:
    """Return a part of a body that is read by itself. Raises `Refused`."""
    try:
        return kind.model_validate(part)
    except ValidationError as error:
        raise _unusable(error, param) from None


def _unusable(error: ValidationError, within: str = "") -> InvalidInput:
    """Return the refusal for the first field that is of the wrong kind."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return InvalidInput(UNREADABLE)
    param = ".".join(filter(None, (within, named(first["loc"]))))
    return Refused(param, "{param}: {fault}. Correct it and send again.", param=param or "the body", fault=first["msg"])


def named(location: tuple[int | str, ...]) -> str:
    """Return the place of a field as OpenAI writes it: `messages[0].role`."""
    found = ""
    for part in location:
        if isinstance(part, int):
            found += f"[{part}]"
        elif not part.isidentifier() or part in ("str", "int", "float", "bool"):
            # The member of a union: no field.
            break
        else:
            found += f".{part}" if found else part
    return found


def text_of(param: str, part: dict[str, object], name: str = "text") -> str:
    """Return a text of a part. Raises `Refused`."""
    found = part.get(name)
    if not isinstance(found, str):
        raise Refused(
            f"{param}.{name}", "{param} has to be a text. Correct it and send again.", param=f"{param}.{name}"
        )
    return found


def parts_of(param: str, content: object) -> list[dict[str, object]]:
    """Return the parts of a content: a text is one. Raises `Refused`."""
    if content is None:
        return []
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        return content
    raise Refused(param, "{param} has to be a text or a list of parts. Correct it and send again.", param=param)


def unknown_part(param: str, part: dict[str, object]) -> Refused:
    """Return the error for a part that cannot be passed on."""
    kind = one_line(str(part.get("type")), 40)
    return Refused(param, "{param}: parts of type {kind} are not taken here. Leave it out.", param=param, kind=kind)


def image_of_url(param: str, url: object) -> Image:
    """Return the image of a data URL. Raises `Refused`."""
    found = DATA_URL.match(url) if isinstance(url, str) else None
    if found is None or not isinstance(url, str):
        raise Refused(
            param,
            "{param}: images are taken as data URLs, data:image/png;base64,…; nothing is fetched from other addresses.",
            param=param,
        )
    return image(param, found.group(1).lower(), url[found.end() :])


def image(param: str, media_type: object, data: object) -> Image:
    """Return an image. Raises `Refused`."""
    if not isinstance(media_type, str) or media_type not in IMAGE_KINDS:
        raise Refused(param, "{param}: images are PNG, JPEG, WebP or GIF. Convert it.", param=param)
    try:
        base64.b64decode(data if isinstance(data, str) else "-", validate=True)
    except (binascii.Error, ValueError):
        raise Refused(param, "{param}: the image is not valid base64. Encode it again.", param=param) from None
    return Image("image", media_type, str(data))


def content_of(
    param: str, parts: Sequence[Part], read_part: Callable[[str, Part], str | Image]
) -> tuple[str, tuple[Image, ...]]:
    """Return text and images of a message, each part read as its protocol has it. Raises `Refused`."""
    found = [read_part(f"{param}[{place}]", part) for place, part in enumerate(parts)]
    texts = (one for one in found if isinstance(one, str))
    return storable("\n".join(texts)), tuple(one for one in found if isinstance(one, Image))
