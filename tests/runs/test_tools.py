"""The tools themselves: what they give, and what they say when they cannot."""

import re
from contextlib import suppress
from typing import Any, cast, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.contract.steps import ToolName
from llm_ui.errors import LLMUIError
from llm_ui.kit.arithmetic import ArithmeticRefused, calculate
from llm_ui.runs.tools.base import Around, Given, Limits
from llm_ui.runs.tools.registry import TOOLS, named, offered

LIMITS = Limits(1_000, 1)


async def use(name: ToolName, arguments: dict[str, Any], time_zone: str = "") -> Given:
    """Use a tool that looks at no database."""
    nothing = cast("Any", None)
    around = Around(nothing, nothing, nothing, nothing, None, time_zone, nothing)
    return await TOOLS[name].use(around, LIMITS, arguments)


def test_each_name_has_its_tool() -> None:
    assert set(TOOLS) == set(get_args(ToolName))
    assert all(tool.spec.name == name for name, tool in TOOLS.items())
    assert [tool.name for tool in named(["calculate", "gone"])] == ["calculate"]
    assert [tool.name for tool in offered({"calculate"}, has_documents=False)] == ["current_time"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("47 * 89", "4183"),
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "1/3 ≈ 0.333333333333"),
        ("(1.5 + 2) * 3 ^ 2", "31.5"),
        ("2 ** 100", "1267650600228229401496703205376"),
        ("-7 // 2", "-4"),
        ("1/1024", "0.0009765625"),
    ],
)
async def test_arithmetic_is_exact(expression: str, value: str) -> None:
    assert (await use("calculate", {"expression": expression})).text == f"{expression} = {value}"


@pytest.mark.parametrize(
    "arguments",
    [
        {}, {"expression": 7}, {"expression": ""}, {"expression": "9 ** 9 ** 9"}, {"expression": "1 / 0"},
        {"expression": "__import__('os')"}, {"expression": "(" * 500}, {"expression": "1" * 5_000},
        {"expression": "\0"}, {"expression": None},
    ],
)  # fmt: skip
async def test_what_cannot_be_calculated_is_said_in_a_sentence(arguments: dict[str, Any]) -> None:
    with pytest.raises(LLMUIError) as refused:
        await use("calculate", arguments)

    assert len(refused.value.message) < 400


@given(st.text(max_size=60))
def test_no_expression_breaks_the_parser(expression: str) -> None:
    with suppress(ArithmeticRefused):
        calculate(expression)


async def test_the_time_is_that_of_the_person() -> None:
    told = (await use("current_time", {}, "Asia/Kolkata")).text

    assert re.fullmatch(r"[A-Z][a-z]+day, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+05:30, Asia/Kolkata", told)


@pytest.mark.parametrize("time_zone", ["", "Mars/Olympus", "../../etc/passwd", "\0", "/etc/localtime"])
async def test_where_the_person_is_may_be_unknown(time_zone: str) -> None:
    assert (await use("current_time", {}, time_zone)).text.endswith("+00:00, UTC; where the person is, is not known")


async def test_a_time_zone_that_is_none_is_refused() -> None:
    with pytest.raises(LLMUIError, match="There is no time zone Mars/Olympus"):
        await use("current_time", {"time_zone": "Mars/Olympus"})


@pytest.mark.parametrize("page", [0, -1, 1.5, "two", True, 10**9, float("nan"), [1]])
async def test_a_page_is_a_number(page: object) -> None:
    with pytest.raises(LLMUIError, match='"page" is a whole number'):
        await use("read_document", {"document": "birds.txt", "page": page})
