"""The demo: arithmetic that is exact and bounded, quotes, and its label on every answer."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_ui.kit.arithmetic import ArithmeticRefused, evaluate, find_expression
from llm_ui.kit.http import new_client
from llm_ui.kit.i18n import speak
from llm_ui.providers.base import Endpoint, Finish, Prompt, PromptMessage, TextDelta, Timeouts
from llm_ui.providers.demo import LABEL, DemoAdapter, answer, cited

ARTICLE = (
    "Herons stand still for hours. They eat fish, frogs and sometimes mice. Most herons nest in colonies near water. "
    "A grey heron weighs about two kilograms. Its wingspan reaches almost two metres. "
    "Young herons leave the nest in July."
)


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("What is 47 * 89?", "4,183"),
        ("2+3*4", "14"),
        ("(2 + 3) * 4 =", "20"),
        ("1,000 + 24", "1,024"),
        ("7 / 2", "3.5"),
        ("what is 2 ^ 10", "1,024"),
        ("10 % 3", "1"),
        ("-5 + 3", "-2"),
    ],
)
def test_arithmetic_is_answered(question: str, value: str) -> None:
    assert f"**{value}**" in answer(question, [])


@pytest.fixture
def german() -> Iterator[None]:
    speak("de")
    yield
    speak("en")


@pytest.mark.parametrize(
    ("question", "value"),
    [
        ("Was ist 47 * 89?", "4.183"),
        ("1.000 + 24", "1.024"),
        ("1.234,5 * 2", "2.469"),
        ("7 / 2", "3,5"),
        ("1,5 + 1.5", "3"),
        ("0.125 * 8", "1"),
        ("1.000.000 / 3", "333.333,333333"),
    ],
)
def test_numbers_are_read_and_written_as_the_reader_does(german: None, question: str, value: str) -> None:
    assert answer(question, []).endswith(f"= **{value}**")


def test_it_speaks_the_readers_language(german: None) -> None:
    label = "*Eingebaute Demo, kein Sprachmodell.*"

    assert answer("Guten Tag", []).startswith(f"{label}\n\nHallo! ")
    assert "| Ein anderes Modell wählen |" in answer("Was geht hier?", [])
    assert "teilt durch null" in answer("1 / 0", [])
    assert "mehr als 200 Stellen" in answer("9 ^ 999999", [])
    assert "Die Sätze des Textes, die am besten passen:" in answer(f"Wie schwer ist a heron? {ARTICLE}", [])
    assert cited("Wozu dienen Quarks?", [(1, ARTICLE)]) == f"{label}\n\nKeine Quelle belegt das."
    assert "> Ein Storch wiegt 3 kg. [1]" in cited(
        "Was wiegt ein Storch?", [(1, "Es war Juli. Ein Storch wiegt 3 kg.")]
    )


@pytest.mark.parametrize("question", ["9 ^ 999999", "1 / 0", "2 ^ 0.5"])
def test_arithmetic_it_cannot_do_is_said(question: str) -> None:
    assert "cannot calculate" in answer(question, [])


@given(st.text(alphabet="0123456789+-*/^%(). ", max_size=60))
def test_no_expression_crashes_it(text: str) -> None:
    expression = find_expression(text)
    if expression is not None:
        try:
            evaluate(expression)
        except ArithmeticRefused:
            return


def test_dates_and_versions_are_no_arithmetic() -> None:
    assert find_expression("In 1969 3 people flew") is None


def test_it_quotes_the_sentences_that_answer() -> None:
    assert "two kilograms" in answer("How much does a grey heron weigh?", [ARTICLE])
    assert "two kilograms" in answer(f"How much does a grey heron weigh? {ARTICLE}", [])


@pytest.mark.parametrize("question", ["hello", "What is 2 + 2?", ARTICLE, "what can I do here?"])
def test_every_answer_says_what_it_is(question: str) -> None:
    assert answer(question, []).startswith(LABEL)


async def test_it_streams_the_whole_answer_and_keeps_the_limit() -> None:
    prompt = Prompt("demo", "", (PromptMessage("user", "hello"),))
    short = Prompt("demo", "", (PromptMessage("user", "hello"),), max_tokens=5)
    limits = Timeouts(1, 1, 1, 1)
    async with new_client() as http:
        whole = [delta async for delta in DemoAdapter().stream(http, Endpoint("", None), prompt, limits)]
        cut = [delta async for delta in DemoAdapter().stream(http, Endpoint("", None), short, limits)]

    assert "".join(delta.text for delta in whole if isinstance(delta, TextDelta)) == answer("hello", [])
    assert whole[-1] == Finish("stop")
    assert cut[-1] == Finish("length")


def test_it_cites_a_row_of_a_table_as_well_as_a_sentence() -> None:
    passages = [(1, "Herons stand still for hours."), (2, "bird | weight\nheron | 2 kg\nstork | 3 kg")]

    assert "> stork | 3 kg [2]" in cited("Which weight has the stork?", passages)
    assert "No source supports this." in cited("Wozu dienen Quarks?", passages)
