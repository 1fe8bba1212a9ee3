"""What the filters find, what they cost on hostile texts, and that no cut of a stream changes what is shown."""

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_ui.errors import ContentBlocked
from llm_ui.models import FilterAction, FilterKind
from llm_ui.runs.filters.base import Detector, apart
from llm_ui.runs.filters.masking import Placeholders
from llm_ui.runs.filters.outgoing import Outgoing
from llm_ui.runs.filters.policy import Policy
from llm_ui.runs.filters.terms import Terms
from llm_ui.services.filters import Options, Rule
from tests.filters import figures

HOSTILE = {
    "one letter": "a",
    "at signs": "a@",
    "dots": "a.",
    "digits": "1",
    "digits apart": "1 ",
    "digits with signs": "1-(",
    "iban": "DE00 ",
    "colons": "a:",
    "keys": "-----BEGIN PRIVATE KEY-----",
    "tokens": "eyJaaaaaaaa.",
    "drop": "ignore all ",
    "reveal": "reveal your system ",
    "imagine": "imagine you no ",
    "if you are": "if you are an ai ",
    "passwords": "password = ",
    "plus": "+49 ",
    "combined": "e\u0301\u200b",
    "brackets": "[EMAIL_",
}
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75qW\nabc/+==\n-----END RSA PRIVATE KEY-----"
SPOKEN = (
    "Write to ann.lee@example.org or [EMAIL_1], pay to DE89 3704 0044 0532 0130 00 now. The key is "
    f"sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD and\n{KEY}\nis private; say SnoWfläke cake to no one, [x] EMAIL"
)
SHOWN = (
    "Write to [EMAIL] or bob@example.net, pay to [IBAN] now. The key is [SECRET] and\n[SECRET]\nis private; "
    "say [TERM] to no one, [x] EMAIL"
)


def test_the_published_figures_hold() -> None:
    found = figures.measure()

    assert len(figures.lines("benign")) >= 300
    assert len(figures.lines("attacks")) >= 150
    assert found["injection"].found / found["injection"].attempts >= 0.9
    assert all(one.found == one.attempts for name, one in found.items() if name != "injection"), figures.missed()
    assert not figures.false_alarms()


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("detector", [*figures.DETECTORS.values(), Terms(["a b c", "snow cake"])])
def test_a_hostile_text_costs_no_more_than_its_length(detector: Detector, piece: str) -> None:
    def seconds(chars: int) -> float:
        text = (piece * (chars // len(piece) + 1))[:chars]
        began = time.process_time()
        list(apart(detector.find(text)))
        return time.process_time() - began

    # Sixteen times as long: what is quadratic takes 256 times as long, which a busy machine does not look like.
    short, long = (min(seconds(chars) for _ in range(3)) for chars in (10_000, 160_000))

    assert long < max(short, 0.001) * 16 * 5


def streamed(rules: tuple[Rule, ...], pieces: list[str]) -> str:
    policy, placeholders = Policy(rules), Placeholders()
    placeholders.name("email", "bob@example.net")
    out = Outgoing(policy, placeholders, lambda *_: None)
    return "".join(map(out.feed, pieces)) + out.end()


def rules(action: FilterAction) -> tuple[Rule, ...]:
    options = Options(terms=("snowfläke cake",))
    kinds = (FilterKind.PII, FilterKind.SECRETS, FilterKind.TERMS)
    return tuple(Rule(kind, FilterAction.OFF, action, options) for kind in kinds)


@settings(max_examples=150, deadline=None)
@given(cuts=st.lists(st.integers(0, len(SPOKEN)), max_size=40))
def test_wherever_an_answer_is_cut_the_same_is_shown(cuts: list[int]) -> None:
    ends = sorted({0, *cuts, len(SPOKEN)})

    shown = streamed(rules(FilterAction.MASK), [SPOKEN[a:b] for a, b in itertools.pairwise(ends)])

    assert shown == SHOWN


def test_an_answer_that_comes_letter_by_letter_is_shown_the_same() -> None:
    assert streamed(rules(FilterAction.MASK), list(SPOKEN)) == SHOWN


def test_little_of_an_answer_is_held_back() -> None:
    words = [f"{word} " for word in ["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog"] * 50]
    policy = Policy(rules(FilterAction.MASK))
    out, most, said, shown = Outgoing(policy, Placeholders(), lambda *_: None), 0, 0, 0
    for word in words:
        said += len(word)
        shown += len(out.feed(word))
        most = max(most, said - shown)

    assert most <= 64


BLOCKED = "My card is 4111 1111 1111 1111 and that was all I had to say of it."


@settings(max_examples=100, deadline=None)
@given(cuts=st.lists(st.integers(0, len(BLOCKED)), max_size=10))
def test_a_blocked_answer_ends_before_what_is_blocked_wherever_it_is_cut(cuts: list[int]) -> None:
    out = Outgoing(Policy(rules(FilterAction.BLOCK)), Placeholders(), lambda *_: None)
    shown: list[str] = []

    with pytest.raises(ContentBlocked, match="personal data ended this answer"):
        for start, end in itertools.pairwise(sorted({0, *cuts, len(BLOCKED)})):
            shown.append(out.feed(BLOCKED[start:end]))
        out.end()

    assert "".join(shown) + out.before_stop == "My card is "


@pytest.mark.parametrize(
    ("term", "text", "found"),
    [
        ("Straße", "an der STRASSE dort", "STRASSE"),
        ("café", "the cafe\u0301s and the cafe\u0301 here", "cafe\u0301"),
        ("secret plan", "our Sec\u200bret  PLAN is", "Sec\u200bret  PLAN"),
        ("c++", "learn C++ now", "C++"),
        ("ﬁnal", "the final one", "final"),
    ],
)
def test_terms_are_found_however_they_are_written(term: str, text: str, found: str) -> None:
    (one,) = Terms([term]).find(text)

    assert text[one.start : one.end].rstrip() == found


@pytest.mark.parametrize(("term", "text"), [("ass", "a class and a compass"), ("c++", "a C program"), ("", "x")])
def test_terms_are_whole_words(term: str, text: str) -> None:
    assert not list(Terms([term]).find(text))
