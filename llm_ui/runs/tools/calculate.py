"""Exact arithmetic."""

from collections.abc import Mapping

from llm_ui.errors import InvalidInput
from llm_ui.kit.arithmetic import ArithmeticRefused, calculate
from llm_ui.kit.text import one_line
from llm_ui.providers.base import ToolSpec
from llm_ui.runs.tools.base import Around, Field, Given, Limits, schema, text_of


class Calculate:
    """Works out an expression by our own parser; nothing is ever executed."""

    needs_documents = False
    spec = ToolSpec(
        "calculate",
        "Work out an arithmetic expression exactly. Use it for every calculation that is more than a single digit.",
        schema(
            expression=Field(
                "string", "Numbers with a decimal point, + - * / % ^ and brackets, such as (1.5 + 2) * 3 ^ 2.",
                is_required=True,
            )
        ),
    )  # fmt: skip

    async def use(self, around: Around, limits: Limits, arguments: Mapping[str, object]) -> Given:
        """Return the value, with a decimal point whatever language is spoken."""
        del around, limits
        expression = text_of(arguments, "expression")
        try:
            return Given(f"{expression} = {calculate(expression)}")
        except ArithmeticRefused as refused:
            raise InvalidInput(
                "{expression} cannot be calculated: {why}", expression=one_line(expression, 80), why=str(refused)
            ) from None
