"""What counts as found: passages are told by what they say, however their document is cut."""

from dataclasses import replace

import pytest

from llm_ui.documents.retrieve import Passage
from llm_ui.documents.trial import Said, exam_of
from llm_ui.kit.ids import CaseId, ChunkId, DocumentId, uuid7
from llm_ui.services.retrieval import Case

RENT = "The rent is due on the third day of each month. It is paid by transfer to the account of the owner."
NOTICE = "Notice is given three months before the end of a quarter, in writing. An e-mail is not enough."
LEASE, OTHER = DocumentId(uuid7()), DocumentId(uuid7())


@pytest.mark.parametrize(
    ("passage", "wanted", "is_so"),
    [
        (RENT, RENT, True),
        (f"Before it. {RENT} And after.", RENT, True),
        ("the rent is DUE on the third day of each month", RENT, True),
        (RENT, "Rent is due on the third day", True),
        (NOTICE, RENT, False),
        (f"{NOTICE} {RENT[:20]}", RENT, False),
        (NOTICE, "", True),
        (NOTICE, "e-mail", True),
        (NOTICE, "mails", False),
        ("", RENT, False),
    ],
)
def test_what_is_wanted_is_known_by_its_words(passage: str, wanted: str, *, is_so: bool) -> None:
    assert Said(passage).covers(Said(wanted)) is is_so


def a_case(question: str, passage: str, *, is_wanted: bool = True, document: DocumentId = LEASE) -> Case:
    return Case(CaseId(uuid7()), question, document, "lease.md", passage, is_wanted)


def found(text: str, document: DocumentId = LEASE) -> Passage:
    return Passage(ChunkId(1), document, "lease.md", False, 0, "", text, 1, 1, 9, 1.0)


def test_what_is_found_is_named_by_the_cases_that_it_is() -> None:
    rent, notice = a_case("What holds?", RENT), a_case("What holds?", NOTICE)
    bad, other = a_case("What holds?", "Dogs are allowed.", is_wanted=False), a_case("Never?", RENT, is_wanted=False)

    exam = exam_of([rent, notice, bad, other])

    assert exam.gains == {"What holds?": {str(rent.id): 1, str(notice.id): 1}}
    assert list(exam.questions) == ["What holds?", "Never?"]
    passages = [found(RENT, OTHER), found(RENT[:60]), found(RENT), found("Dogs are allowed."), found(NOTICE)]
    assert exam.names("What holds?", passages) == ["at 0", str(rent.id), str(bad.id), str(notice.id)]
    assert exam.names("What holds?", [found(f"{RENT}\n\n{NOTICE}")]) == [str(rent.id), str(notice.id)]


def test_a_case_without_words_is_any_passage_of_its_document() -> None:
    case = replace(a_case("What holds?", ""), document_id=OTHER)

    exam = exam_of([case])

    assert exam.names("What holds?", [found(RENT), found(NOTICE, OTHER)]) == ["at 0", str(case.id)]
