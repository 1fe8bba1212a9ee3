"""The list of faults names tests that there are."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_every_fault_of_the_list_has_its_tests() -> None:
    rows = [line for line in (TESTS / "faults/README.md").read_text().splitlines() if line.startswith("| F")]

    assert len(rows) > 25
    for row in rows:
        named = re.findall(r"`([\w/.]+)(?:::(\w+))?`", row)
        assert named, row
        for path, test in named:
            assert f"def {test}" in (TESTS / path).read_text(), (path, test)
