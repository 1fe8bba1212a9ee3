"""The product installed from its wheel: assets, templates and migrations are inside, and any folder will do."""

import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.product import START_LIMIT_S, Product, wait_until

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with the wheel in it; all other packages are those of the tests."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / "bin" / "python"
    purelib = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = subprocess.run([python, "-c", purelib], check=True, capture_output=True, text=True).stdout.strip()
    # A path of its own wins over those of the .pth file, so the wheel's package is found and not the checkout's.
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", place, wheel]
    subprocess.run(install, check=True, capture_output=True)
    (Path(place) / "packages.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture
def product(installed: Path, tmp_path: Path) -> Iterator[Product]:
    """The installed product, running in an empty folder."""
    product = Product(tmp_path / "data")
    ports = ["--port", str(product.config.port), "--api-port", str(product.config.api_port)]
    environment = {name: value for name, value in product.environment.items() if name != "PYTHONPATH"}
    with product.log_path.open("ab") as log:
        process = subprocess.Popen(
            [installed, "-m", "llm_ui.cli.main", "serve", *ports],
            cwd=tmp_path, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_until(product.is_ready, f"the product; its log:\n{product.log()[-2000:]}", START_LIMIT_S)
        yield product
    finally:
        process.terminate()
        code = process.wait(30)
    assert code == 0


@pytest.mark.timeout(180)
def test_it_runs_in_any_folder(installed: Path, product: Product, tmp_path: Path) -> None:
    where = [installed, "-c", "import llm_ui; print(llm_ui.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, check=True, capture_output=True, text=True).stdout

    assert str(installed.parents[1]) in found
    with httpx2.Client(base_url=product.url, trust_env=False) as http:
        page = http.get("/login")
        # Nobody is there yet: whoever comes is told how the first administrator is made.
        assert page.status_code in (200, 303)
        style = next(part for part in page.text.split('"') if part.startswith("/assets/") and part.endswith(".css"))
        assert http.get(style).status_code == 200
    assert (tmp_path / "data" / "llm-ui.db").stat().st_size > 0
    assert "/setup?token=" in product.log()
