"""Which chat an address means."""

from uuid import UUID

import pytest

from llm_ui.chat.open_chat import chat_of

ID = "0193a3f0-0000-7000-8000-000000000001"


def test_the_path_of_a_chat_names_it() -> None:
    assert chat_of(f"/c/{ID}") == chat_of(f"/c/{ID}/") == UUID(ID)


@pytest.mark.parametrize("path", ["/", "/temporary", "/c/", "/c/12", f"/c/{'-' * 36}", f"/c/{ID}x", f"/x/{ID}"])
def test_other_paths_name_none(path: str) -> None:
    assert chat_of(path) is None
