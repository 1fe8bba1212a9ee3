"""XML as office programs write it, read piece by piece. Definitions of entities are refused: none is needed there."""

from collections.abc import Callable, Iterator, Mapping
from typing import IO, Protocol
from xml.parsers import expat

from llm_ui.errors import InvalidInput

READ_BYTES = 1 << 16
FAMILIES = {
    "wordprocessingml": "w", "presentationml": "p", "spreadsheetml": "s", "drawingml": "a",
    "markup-compatibility": "mc", "officeDocument/2006/relationships": "r", "officeDocument/relationships": "r",
}  # fmt: skip
"""What the addresses of the name spaces have in them, in both editions of the standard (ECMA-376, ISO 29500)."""
MOST_DEEP = 500
"""Elements within one another."""
Attributes = Mapping[str, str]


class Handler(Protocol):
    """Takes elements and text as they come. Names are short: w:p, r:id; other name spaces have none."""

    def start(self, name: str, attributes: Attributes) -> None:
        """Take the beginning of an element."""

    def end(self, name: str) -> None:
        """Take the end of an element."""

    def data(self, text: str) -> None:
        """Take text; it may come in parts."""


def feed(file: IO[bytes], handler: Handler, name: str) -> Iterator[None]:
    """Hand a file to a handler, and yield now and then: whoever asks for the next takes out what is ready.

    Raises `InvalidInput` for definitions, naming the file as `name`, and `expat.ExpatError` for what is no XML.
    """
    short: dict[str, str] = {}
    depth = 0

    def known(long: str) -> str:
        space, _, local = long.rpartition(" ")
        family = next((short for part, short in FAMILIES.items() if part in space), "")
        return f"{family}:{local}" if family else local

    def start(long: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MOST_DEEP:
            raise ValueError("nested too deep")
        if long not in short:
            short[long] = known(long)
        handler.start(short[long], {known(key): value for key, value in attributes.items()} if attributes else {})

    def end(long: str) -> None:
        nonlocal depth
        depth -= 1
        handler.end(short[long])

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, handler.data
    parser.StartDoctypeDeclHandler = _refusing(name)
    while piece := file.read(READ_BYTES):
        parser.Parse(piece, False)
        yield
    parser.Parse(b"", True)
    yield


def _refusing(name: str) -> Callable[..., None]:
    def refuse(*_values: object) -> None:
        raise InvalidInput(
            "{name} holds definitions that documents do not need and that can do harm. Save it anew and add that.",
            name=name,
        )

    return refuse


class Found:
    """Keeps the attributes of some elements; for files that are lists of them."""

    def __init__(self, *names: str) -> None:
        self.elements: list[tuple[str, Attributes]] = []
        self._names = names

    def start(self, name: str, attributes: Attributes) -> None:
        """Keep an element of those names."""
        if name in self._names:
            self.elements.append((name, attributes))

    def end(self, name: str) -> None:
        """Need nothing."""

    def data(self, text: str) -> None:
        """Need nothing."""


def is_on(attributes: Attributes, name: str) -> bool:
    """Return whether a switch is on, which it is by being there (ISO 29500-1, §22.9.2.7)."""
    return attributes.get(name, "true") not in ("0", "false", "off")
