"""What people call their browsers."""

import pytest

from llm_ui.kit.user_agent import described


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 "
         "Safari/537.36 Edg/150.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
         "Version/18.0 Mobile/15E148 Safari/604.1", "Safari on iPhone"),
        ("curl/8.9", "curl/8.9"),
        ("", "Unknown browser"),
    ],
)  # fmt: skip
def test_browsers_are_called_what_people_call_them(user_agent: str, name: str) -> None:
    assert described(user_agent) == name
