import re

from llm_ui.kit import assets


def test_a_script_is_named_with_all_that_it_imports() -> None:
    first, *others = assets.modules("chat_view.js")

    assert first == "chat_view.js"
    imported = {
        name for each in (first, *others) for name in re.findall(r'"\./([\w.]+\.js)"', assets.files()[each].decode())
    }
    assert set(others) == imported
    assert len(others) == len(set(others)) > 20
