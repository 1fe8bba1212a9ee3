"""The zip archive that is made piece by piece, read by the standard library's own reader."""

import io
import os
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from llm_ui.kit.zip_stream import ZipFile, ZipStream

AT = datetime(2026, 3, 1, 12, 30, 42, tzinfo=UTC)
FAR = 5 * 2**30
"""Beyond 32 bits; what lies before is a hole that takes no room on the disk."""


def made(files: dict[str, bytes], at: datetime = AT) -> zipfile.ZipFile:
    stream = ZipStream()
    sent = bytearray()
    for name, content in files.items():
        file = ZipFile(name, at)
        for start in range(0, len(content), 1_000):
            file.write(content[start : start + 1_000])
        sent += stream.add(file)
    return zipfile.ZipFile(io.BytesIO(bytes(sent) + stream.end()))


def test_what_went_in_comes_out() -> None:
    files = {"a.txt": b"a" * 100_000, "chats/Zoë – 42.json": b"{}", "empty": b""}

    with made(files) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == files
        assert {info.date_time for info in found.infolist()} == {(2026, 3, 1, 12, 30, 42)}
        assert found.getinfo("a.txt").compress_size < 1_000


def test_nothing_is_an_archive_too() -> None:
    with made({}) as found:
        assert found.namelist() == []


def test_more_files_than_the_old_format_counts() -> None:
    with made({f"{number}.txt": b"x" for number in range(70_000)}) as found:
        assert len(found.namelist()) == 70_000
        assert found.read("69999.txt") == b"x"


def test_files_that_begin_beyond_what_the_old_format_counts(tmp_path: Path) -> None:
    stream = ZipStream()
    stream._offset = FAR
    with (tmp_path / "far.zip").open("wb") as written:
        written.seek(FAR)
        for name in ("first", "second"):
            file = ZipFile(name, AT)
            file.write(name.encode())
            written.write(stream.add(file))
        written.write(stream.end())

    with zipfile.ZipFile(tmp_path / "far.zip") as found:
        assert found.testzip() is None
        assert found.read("second") == b"second"


def test_a_year_that_the_format_cannot_hold_is_the_nearest() -> None:
    with made({"old": b""}, datetime(1970, 1, 1, tzinfo=UTC)) as found:
        assert found.getinfo("old").date_time == (1980, 1, 1, 0, 0, 0)


def streamed(files: dict[str, list[bytes]], written: io.BufferedIOBase, stream: ZipStream) -> None:
    for name, pieces in files.items():
        for piece in stream.stream(ZipFile(name, AT), pieces):
            written.write(piece)
    small = ZipFile("small", AT)
    small.write(b"beside")
    written.write(stream.add(small) + stream.end())


def test_a_file_that_is_streamed_comes_out_as_it_went_in() -> None:
    files = {"a.pdf": [b"a" * 100_000, b"", b"b" * 99], "empty": [], "Zoë/größe.md": [b"x"]}
    written = io.BytesIO()

    streamed(files, written, ZipStream())

    with zipfile.ZipFile(written) as found:
        assert found.testzip() is None
        assert {name: found.read(name) for name in found.namelist()} == {
            **{name: b"".join(pieces) for name, pieces in files.items()}, "small": b"beside",
        }  # fmt: skip


def test_of_what_is_streamed_nothing_is_kept() -> None:
    stream, held = ZipStream(), os.urandom(1_000_000)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]

    sent = sum(len(piece) for piece in stream.stream(ZipFile("large", AT), (held for _ in range(20))))

    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert (sent > 20_000_000, peak < 8_000_000) == (True, True)


def test_a_file_larger_than_the_old_format_counts(tmp_path: Path) -> None:
    stream, file = ZipStream(), ZipFile("large", AT)
    # As if so much had come before.
    file.size = FAR
    with (tmp_path / "large.zip").open("wb") as written:
        for piece in stream.stream(file, [b"more"]):
            written.write(piece)
        written.write(stream.end())

    with zipfile.ZipFile(tmp_path / "large.zip") as found:
        (info,) = found.infolist()
        assert (info.file_size, info.compress_size < 99) == (FAR + 4, True)
