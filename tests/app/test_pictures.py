"""One's own picture, over HTTP."""

import io

from PIL import Image
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse

from tests.app.browser import Browser
from tests.app.conftest import Workspace


def photo(form: str = "JPEG", size: tuple[int, int] = (900, 300)) -> bytes:
    """A picture with what a camera writes into it; its left half is red."""
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    exif = Image.Exif()
    exif[0x010E] = "taken at the harbour"
    written = io.BytesIO()
    image.save(written, form, exif=exif)
    return written.getvalue()


async def upload(browser: Browser, data: bytes, name: str = "me.jpg") -> HTTPResponse:
    await browser.get("/account")
    headers = browser._sent({"X-XSRFToken": browser.csrf, "X-File-Name": name})
    request = HTTPRequest(browser.origin + "/picture/upload", "POST", headers, data, request_timeout=20)
    return await AsyncHTTPClient().fetch(request, raise_error=False)


async def test_a_picture_is_drawn_anew_small_and_without_what_the_camera_wrote(workspace: Workspace) -> None:
    ann, bob = await workspace.signed_in("ann"), await workspace.signed_in("bob")
    data = photo()
    assert b"harbour" in data
    before = (await ann.get("/picture")).body

    assert (await upload(ann, data)).code == 201

    page = await ann.get("/picture")
    assert page.headers["Content-Type"] == "image/webp"
    assert b"harbour" not in page.body
    with Image.open(io.BytesIO(page.body)) as shown:
        assert (shown.format, shown.size, dict(shown.getexif())) == ("WEBP", (192, 192), {})
    assert (await ann.get("/picture", **{"If-None-Match": page.headers["ETag"]})).code == 304
    assert b">B</text>" in (await bob.get("/picture")).body
    await ann.submit("/account", {"action": "forget_picture"})
    assert (await ann.get("/picture")).body == before


async def test_what_is_no_picture_is_refused_in_a_sentence(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    cut = photo("PNG")[:200]

    for data, name in (
        (b"<svg/>", "a.svg"), (cut, "cut.png"), (b"", "empty"), (b"%PDF-1.7\n\0", "b"),
        (photo("JPEG")[:400] + b"\xff\xd9", "c.jpg"),
    ):  # fmt: skip
        answer = await upload(ann, data, name)
        assert answer.code == 400, name
        assert name.encode() in answer.body
    assert b"</text>" in (await ann.get("/picture")).body


async def test_a_bomb_is_refused_before_it_is_unpacked(workspace: Workspace) -> None:
    ann = await workspace.signed_in("ann")
    bomb = photo("PNG", (16, 16))
    bomb = bomb[:16] + (9_000).to_bytes(4) + (9_000).to_bytes(4) + bomb[24:]

    answer = await upload(ann, bomb, "bomb.png")

    assert answer.code == 413
