"""The one verifier: invariants that hold in a database after any fault, checked from outside the product's code.

The numbers are those of the reliability list: I1 a stored question, I2 an answer row from the start, I3 legal ends,
I4 one row per submit, I7 each run booked once, I8 a sound database.
"""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

ENDS = {"completed", "stopped", "failed", "interrupted"}
MESSAGE_OF_RUN = {
    "completed": "complete",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted",
    "queued": "streaming",
    "running": "streaming",
}


@dataclass
class Verdict:
    """What is wrong with a database; empty when nothing is."""

    problems: list[str] = field(default_factory=list)

    def expect(self, holds: bool, problem: str) -> None:
        """Note the problem unless the condition holds."""
        if not holds:
            self.problems.append(problem)


def verify(path: Path, *, is_quiet: bool = True) -> Verdict:
    """Check the database at the path. `is_quiet` says that nothing runs any more, so that every run must have ended."""
    verdict = Verdict()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        connection.row_factory = sqlite3.Row
        _check_file(connection, verdict)
        _check_runs(connection, verdict, is_quiet=is_quiet)
        _check_messages(connection, verdict, is_quiet=is_quiet)
        _check_bookings(connection, verdict, is_quiet=is_quiet)
    connection.close()
    return verdict


def _check_file(connection: sqlite3.Connection, verdict: Verdict) -> None:
    for (line,) in connection.execute("PRAGMA quick_check"):
        verdict.expect(line == "ok", f"I8 quick_check: {line}")
    for row in connection.execute("PRAGMA foreign_key_check"):
        verdict.problems.append(f"I8 foreign key: {tuple(row)}")


def _check_runs(connection: sqlite3.Connection, verdict: Verdict, *, is_quiet: bool) -> None:
    for run in connection.execute("SELECT * FROM runs"):
        name = f"run {run['id']}"
        if is_quiet:
            verdict.expect(run["status"] in ENDS, f"I3 {name} is still {run['status']}")
        verdict.expect(run["status"] in MESSAGE_OF_RUN, f"I3 {name} has the state {run['status']}")
        question = connection.execute("SELECT * FROM chat_messages WHERE id = ?", [run["question_id"]]).fetchone()
        answer = connection.execute("SELECT * FROM chat_messages WHERE id = ?", [run["answer_id"]]).fetchone()
        verdict.expect(question is not None and bool(question["text"]), f"I1 {name} has no question")
        verdict.expect(answer is not None, f"I2 {name} has no answer row")
        if answer is not None:
            expected = MESSAGE_OF_RUN.get(run["status"])
            verdict.expect(answer["status"] == expected, f"I3 {name} is {run['status']}, its answer {answer['status']}")
        if run["status"] in ENDS:
            verdict.expect(run["finished_at"] is not None, f"I3 {name} ended without a time")
        if run["status"] == "completed":
            verdict.expect(bool(run["finish_reason"]), f"I3 {name} completed without a reason of the provider")
    for row in connection.execute("SELECT answer_id FROM runs GROUP BY answer_id HAVING count(*) > 1"):
        verdict.problems.append(f"I4 answer {row[0]} has two runs")


def _check_messages(connection: sqlite3.Connection, verdict: Verdict, *, is_quiet: bool) -> None:
    for message in connection.execute("SELECT * FROM chat_messages WHERE status = 'streaming'"):
        runs = connection.execute("SELECT count(*) FROM runs WHERE answer_id = ?", [message["id"]]).fetchone()[0]
        verdict.expect(runs == 1, f"I2 message {message['id']} streams without a run")
        verdict.expect(not is_quiet, f"I3 message {message['id']} is still streaming")
    orphans = """
        SELECT id FROM chat_messages WHERE role = 'assistant' AND origin <> 'import'
        AND id NOT IN (SELECT answer_id FROM runs)
    """
    for row in connection.execute(orphans):
        verdict.problems.append(f"I2 answer {row[0]} has no run")
    outside = """
        SELECT child.id FROM chat_messages child JOIN chat_messages parent ON parent.id = child.parent_id
        WHERE parent.chat_id <> child.chat_id OR parent.position >= child.position
    """
    for row in connection.execute(outside):
        verdict.problems.append(f"I8 message {row[0]} hangs under a wrong parent")
    lost = """
        SELECT id FROM chat_histories chat WHERE active_leaf_id IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM chat_messages m WHERE m.id = chat.active_leaf_id AND m.chat_id = chat.id)
    """
    for row in connection.execute(lost):
        verdict.problems.append(f"I8 chat {row[0]} shows a message that is not there")


def _check_bookings(connection: sqlite3.Connection, verdict: Verdict, *, is_quiet: bool) -> None:
    unbooked = "SELECT id FROM runs WHERE finished_at IS NOT NULL AND id NOT IN (SELECT run_id FROM usage_logs)"
    for row in connection.execute(unbooked):
        verdict.problems.append(f"I7 run {row[0]} ended and is not booked")
    early = "SELECT run_id FROM usage_logs WHERE run_id NOT IN (SELECT id FROM runs WHERE finished_at IS NOT NULL)"
    # Scripts that speak the protocols of providers have calls without a run.
    early += " AND key_id IS NULL"
    if is_quiet:
        for row in connection.execute(early):
            verdict.problems.append(f"I7 booking {row[0]} has no ended run")
