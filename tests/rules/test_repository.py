"""What the repository promises: its files, its README, its dependencies."""

import re
import subprocess
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from llm_ui.config import ENV_PREFIX, Config
from llm_ui.models import ProviderKind
from llm_ui.providers.registry import ADAPTERS

ROOT = Path(__file__).parents[2]
TOP_LEVEL = {
    "llm_ui", "tests", "assets", "panel_serve.py", "alembic.ini", "pyproject.toml", "README.md", "LICENSE",
    "CONTRIBUTING.md", "requirements.txt", "requirements-test.txt", "deploy",
}  # fmt: skip
INSTALLED_LIMIT_MB = 450
FORBIDDEN = re.compile(r"esm\.sh|jsdelivr|unpkg\.com|cdnjs|files\.pythonhosted|pypi\.org|--index-url|/work/")


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def readme_block(name: str) -> str:
    text = (ROOT / "README.md").read_text()
    found = re.findall(rf"<!-- {name} -->\n```sh\n(.+?)\n```", text, re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_top_level_holds_only_what_was_agreed() -> None:
    found = {name.split("/")[0] for name in tracked()}

    assert {name for name in found if not name.startswith(".")} <= TOP_LEVEL


def test_the_readme_has_one_command_to_run_and_one_to_test() -> None:
    assert "\n" not in readme_block("run")
    assert "\n" not in readme_block("test")
    assert readme_block("run").endswith("llm-ui serve")
    assert "pytest" in readme_block("test")


def test_every_setting_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text()

    rows = dict(re.findall(r"^\| `(LLM_UI_\w+)` \| .*? \| (.+) \|$", text, re.MULTILINE))

    assert rows == {ENV_PREFIX + name.upper(): field.description for name, field in Config.model_fields.items()}


def test_every_dependency_says_why_it_is_there() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    block = text.split("dependencies = [", 1)[1].split("\n]", 1)[0]

    without = [line for line in block.splitlines() if line.strip() and "# " not in line]

    assert without == []


def test_the_locks_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.txt", "requirements-test.txt"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert "://" not in text


def test_no_tracked_file_names_an_outside_host_or_a_place_of_a_machine() -> None:
    own = {"tests/rules/test_repository.py"}
    hits = []
    for name in tracked():
        path = ROOT / name
        if (
            name not in own
            and path.is_file()
            and path.suffix not in (".png", ".jpg", ".mo")
            and FORBIDDEN.search(path.read_text())
        ):
            hits.append(name)

    assert hits == []


def test_every_kind_of_provider_has_an_adapter() -> None:
    assert set(ADAPTERS) == set(ProviderKind) - {ProviderKind.AUTO}


def test_the_installed_product_is_small() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    queue, sizes = [Requirement(line) for line in declared], {}
    while queue:
        wanted = queue.pop()
        if wanted.name.lower() in sizes:
            continue
        found = distribution(wanted.name)
        sizes[wanted.name.lower()] = sum(file.size or 0 for file in found.files or ())
        for line in found.requires or ():
            needed = Requirement(line)
            extras = [{"extra": extra} for extra in ("", *wanted.extras)]
            if needed.marker is None or any(needed.marker.evaluate(extra) for extra in extras):
                queue.append(needed)

    assert sum(sizes.values()) / 1e6 < INSTALLED_LIMIT_MB
