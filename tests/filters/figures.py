"""How much the filters find of what they are for, and of what is harmless: over the texts of this folder."""

from dataclasses import dataclass
from pathlib import Path

from llm_ui.runs.filters.base import Detector, apart
from llm_ui.runs.filters.injection import Injection
from llm_ui.runs.filters.pii import PersonalData
from llm_ui.runs.filters.secrets import Secrets

HERE = Path(__file__).parent
DETECTORS: dict[str, Detector] = {"injection": Injection(), "pii": PersonalData(), "secrets": Secrets()}


@dataclass(frozen=True)
class Figures:
    """Of one filter."""

    found: int
    attempts: int
    false: int
    harmless: int


def lines(name: str) -> list[str]:
    return (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def marked() -> list[tuple[str, str]]:
    """Return texts that hold something, with the sort of it."""
    pairs = (line.split("\t", 1) for line in lines("marked"))
    return [(what, text.replace("\\n", "\n")) for what, text in pairs]


def sorts(detector: Detector, text: str) -> list[str]:
    return [found.what for found in apart(detector.find(text))]


def missed() -> list[str]:
    """Return the attacks that are not found, and what is marked and not found as what it is."""
    attacks = [text for text in lines("attacks") if not sorts(DETECTORS["injection"], text)]
    return attacks + [f"{what}: {text}" for what, text in marked() if not _is_found(what, text)]


def false_alarms() -> list[str]:
    return [f"{name}: {text}" for name, one in DETECTORS.items() for text in lines("benign") if sorts(one, text)]


def _is_found(what: str, text: str) -> bool:
    return any(sorts(one, text) == [what] for one in DETECTORS.values())


def measure() -> dict[str, Figures]:
    """Return the figures of each filter that is made of patterns."""
    harmless, wrong = len(lines("benign")), false_alarms()
    alarms = {name: sum(line.startswith(f"{name}: ") for line in wrong) for name in DETECTORS}
    attacks = lines("attacks")
    found = {"injection": (sum(bool(sorts(DETECTORS["injection"], text)) for text in attacks), len(attacks))}
    for name in ("pii", "secrets"):
        known = {"pii": ("email", "phone", "iban", "card", "tax_id", "ssn", "ip")}.get(name)
        of_kind = [(what, text) for what, text in marked() if (what in known if known else what not in PII)]
        found[name] = sum(_is_found(what, text) for what, text in of_kind), len(of_kind)
    return {name: Figures(*found[name], alarms[name], harmless) for name in DETECTORS}


PII = ("email", "phone", "iban", "card", "tax_id", "ssn", "ip")
