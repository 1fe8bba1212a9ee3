"""Tables for spreadsheet programs."""

import csv
import io

import pytest

from llm_ui.kit.spreadsheet import csv_lines


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "＝1", '=cmd|"/c calc"!A1'])
def test_what_would_be_a_formula_is_text(text: str) -> None:
    assert list(csv.reader(io.StringIO(csv_lines([[text]]), newline=""))) == [["'" + text]]


def test_all_else_is_as_it_was() -> None:
    written = csv_lines([["a, b", 'say "x"', "two\nlines", None, -3, 1.5, True]])

    assert written == '"a, b","say ""x""","two\nlines","",-3,1.5,True\r\n'
