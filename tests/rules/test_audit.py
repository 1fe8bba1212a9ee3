"""Whatever writes to the database is in the audit log, or is listed here with why it is not."""

import ast
from pathlib import Path

SERVICES = Path(__file__).parents[2] / "llm_ui" / "services"
OWN = "what people do with chats, prompts and preferences of their own is their own business"
WORK = "the product's own bookkeeping, which nobody decides"
NOTED = "the caller writes the entry, for it knows what it is for"
NOT_AUDITED = {
    "attachments": OWN, "branches": OWN, "chats": OWN, "feedback": OWN, "follow_ups": OWN, "memories": OWN,
    "summaries": OWN, "tags": OWN, "turns": OWN, "import_agents": OWN, "imports": OWN, "projects.move": OWN,
    "projects.let_memory_in": OWN, "prompts.save_personal": OWN, "library.used": WORK, "jobs": OWN,
    "retrieval.judge": OWN, "retrieval.change": OWN, "retrieval.remove": OWN, "sharing.continue_link": OWN,
    "budgets.reserve": WORK, "budgets.settle": WORK, "directories.touch": WORK,
    "budgets.release_lost": WORK, "calibrations": WORK, "cached_answers.keep": WORK, "cached_answers.purge": WORK,
    "cached_answers.forget": NOTED, "cached_answers.unpair": OWN,
    "document_copies": WORK, "embedding": WORK, "ingestion": WORK, "seed": WORK, "documents.retry": WORK,
    "fetches.retry": WORK, "fetches.remove": WORK, "fetches.claim": WORK, "fetches.beat": WORK,
    "fetches.finish": WORK, "fetches.fail": WORK, "fetches.release": WORK, "prompt_versions.note": NOTED,
    "providers.mark_key_refused": WORK, "providers.record_test": WORK, "retention.expire_chats": NOTED,
    "retention.purge_sessions": NOTED, "retention.purge_bin": NOTED, "retention.purge_agents": NOTED,
    "retention.purge_links": NOTED, "retention.purge_jobs": NOTED, "retention.purge_unsent": NOTED,
    "settings.store": WORK, "sign_in.touch": WORK, "sign_in.revoke_all": NOTED, "projects.take_away": NOTED,
    "budgets.give_back": WORK, "payers.limited": WORK, "teams.forget_limits": NOTED,
    "team_accounts": NOTED,
    "project_members.part_strangers": NOTED,
    "budgets.set_of_key": NOTED, "keys.touch": WORK, "retrieval.take_in": NOTED,
    "model_copies.paste_models": WORK, "evaluations": WORK, "rollups": WORK, "bulk": WORK,
    "retention.purge_account_links": NOTED,
    "user_import.carry_out": NOTED, "users.insert": NOTED, "users.require_another": WORK,
    "users.require_admin_beside": WORK,
    "users.new_setup_token": WORK, "sign_in.renew_hash": WORK, "audit_chain.note_verified": WORK,
    "clock_jobs.begin": WORK, "clock_jobs.end": WORK, "processes": WORK, "logs": WORK, "alerts.claim": WORK,
    "alerts.look": WORK, "alerts.next_unsent": WORK, "alerts.note_sent": WORK, "alert_mail.signing_secret": WORK,
    "documents.begin_anew": NOTED, "retention.purge_monitoring": NOTED, "backups.claim": WORK, "backups.beat": WORK,
    "backups.finish": WORK, "backups.fail": WORK, "filters.count": WORK, "provider_health": WORK,
    "erasures.write": NOTED, "erasures.verify": WORK, "auto_abilities.refresh": WORK, "experiment_results.note": WORK,
}  # fmt: skip
"""Functions, or all of a module, and why they write no entry."""


def writers() -> dict[str, set[str]]:
    """Return the functions that may write, and which of our functions each calls."""
    found = {}
    for path in sorted(SERVICES.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.AsyncFunctionDef) and node.args.args and "Session" in kinds(node):
                found[f"{path.stem}.{node.name}"] = {called(path.stem, call) for call in ast.walk(node)}
    return found


def kinds(node: ast.AsyncFunctionDef) -> set[str]:
    return {ast.unparse(each.annotation) for each in node.args.args[:1] if each.annotation is not None}


def called(module: str, node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    name = ast.unparse(node.func)
    return name if "." in name else f"{module}.{name}"


def audited(found: dict[str, set[str]]) -> set[str]:
    """Return those that write an entry, or call one that does."""
    told = {"audit.record"}
    while more := {name for name, calls in found.items() if calls & told} - told:
        told |= more
    return told


def test_every_change_is_in_the_audit_log_or_says_why_not() -> None:
    found = writers()
    told = audited(found)

    forgotten = {
        name for name in found
        if name not in told and name not in NOT_AUDITED and name.split(".")[0] not in NOT_AUDITED
        and not name.split(".")[1].startswith("_")
    }  # fmt: skip
    stale = {
        name for name in NOT_AUDITED if name in told or not any(f"{each}.".startswith(f"{name}.") for each in found)
    }

    assert forgotten == set()
    assert stale == set()


def test_a_change_without_an_entry_would_be_found() -> None:
    assert audited({"a.one": {"audit.record"}, "a.two": {"a.one"}, "a.three": {"b.four"}}) == {
        "audit.record", "a.one", "a.two",
    }  # fmt: skip
