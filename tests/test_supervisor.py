"""`llm-ui serve` as a whole: it restarts what crashes, drains, and leaves nothing behind."""

import asyncio
import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import numpy as np
import psutil
import pytest

from llm_ui import supervisor
from llm_ui.contract import ChatRequest, CompleteEvent, TokenEvent
from llm_ui.errors import ConfigurationError, DatabaseDown
from llm_ui.kit.http import new_client
from llm_ui.llm_client import LLMClient
from llm_ui.models import ProviderKind
from llm_ui.providers.base import Embedded, Endpoint, Texts, Timeouts
from llm_ui.providers.embedding import embedder
from llm_ui.services.secrets import load_secrets
from llm_ui.supervisor import EMBEDDER, MODULES, Child
from tests.fakes import bert
from tests.fakes.postgresql import free_port
from tests.product import FakeProvider, Product, running, wait_until

ANSWER = {"pieces": 40, "delay_ms": 50}
"""Two seconds: long enough to stop the product in the middle, short enough to be let finish."""
ENDLESS = {"pieces": 100_000, "delay_ms": 50}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("supervisor")
    model = bert.make(folder / "all-tiny")
    with running(Product(folder / "data", embedding_folder=str(model), embedding_port=str(free_port()))) as product:
        yield product


@pytest.fixture
def stopped(tmp_path: Path) -> Product:
    """A product that does not run yet."""
    return Product(tmp_path / "data")


def test_everything_is_ready_and_said_once(product: Product) -> None:
    wait_until(lambda: "LLM UI is ready" in product.log(), "the product to say that it is ready")
    wait_until(lambda: "/setup?token=" in product.log(), "the link that sets it up, which another process says")

    told = product.log()
    assert told.count(f"LLM UI is ready: {product.url}") == 1
    assert told.count("/setup?token=") == 1
    assert httpx2.get(f"{product.url}/login", trust_env=False).status_code in (200, 303)


@pytest.mark.parametrize("module", MODULES)
def test_a_killed_process_is_back_and_the_others_stay(product: Product, module: str) -> None:
    before = {name: product.child(name).pid for name in MODULES}

    os.kill(before[module], signal.SIGKILL)
    wait_until(lambda: product.child(module).pid != before[module], f"{module} to be back")
    product.wait_ready()

    after = {name: product.child(name).pid for name in MODULES}
    assert {name for name in MODULES if before[name] != after[name]} == {module}


def embedding_url(product: Product) -> str:
    """Return where the embedding model of this computer is asked; waits until it answers."""
    url = f"http://127.0.0.1:{product.environment['LLM_UI_EMBEDDING_PORT']}/v1"

    def answers() -> bool:
        with contextlib.suppress(httpx2.HTTPError):
            return httpx2.get(f"{url}/models", trust_env=False).json()["data"][0]["id"] == "all-tiny"
        return False

    wait_until(answers, "the embedding model", 60)
    return url


async def embedded(url: str, *texts: str) -> Embedded:
    """Ask the embedding model as the LLM API does."""
    async with new_client() as http:
        return await embedder(ProviderKind.OPENAI).embed(
            http, Endpoint(url, None), Texts("all-tiny", texts), Timeouts(5, 20, 20, 30)
        )


async def test_the_embedding_model_of_this_computer_is_asked_as_any_other(product: Product) -> None:
    url = await asyncio.to_thread(embedding_url, product)
    texts = ["the heron stands in the reeds.", *["a heron"] * 6, "low"]

    made = await embedded(url, *texts)

    assert made.vectors[1:7] == (made.vectors[1],) * 6
    assert [len(vector) for vector in made.vectors] == [bert.WIDTH] * 8
    assert made.input_tokens == 9 + 6 * 4 + 3
    alone = [(await embedded(url, text)).vectors[0] for text in (texts[0], "low")]
    assert alone == [pytest.approx(made.vectors[0], abs=1e-5), pytest.approx(made.vectors[-1], abs=1e-5)]


def test_the_embedding_model_speaks_the_protocol(product: Product) -> None:
    url = embedding_url(product)

    def ask(**body: object) -> httpx2.Response:
        return httpx2.post(f"{url}/embeddings", json={"model": "all-tiny", **body}, trust_env=False, timeout=20)

    whole = ask(input="a heron").json()
    packed = ask(input=["a heron"], encoding_format="base64").json()["data"][0]["embedding"]

    assert np.frombuffer(base64.b64decode(packed), "<f4") == pytest.approx(whole["data"][0]["embedding"], abs=1e-6)
    assert whole["usage"] == {"prompt_tokens": 4, "total_tokens": 4}
    refused = ask(input=[])
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith("input")


def test_a_killed_embedding_model_is_back(product: Product) -> None:
    url = embedding_url(product)
    before = product.child(EMBEDDER).pid

    os.kill(before, signal.SIGKILL)
    wait_until(lambda: product.child(EMBEDDER).pid != before, "the embedding model to be started again")

    embedding_url(product)
    assert asyncio.run(embedded(url, "low")).input_tokens == 3


def test_a_folder_without_a_model_starts_nothing(product: Product, stopped: Product, tmp_path: Path) -> None:
    done = serve(Product(stopped.folder, embedding_folder=str(tmp_path)))

    assert done.returncode == 1
    assert "LLM_UI_EMBEDDING_FOLDER" in done.stderr
    assert "holds no config.json, vocab.txt, model.safetensors" in done.stderr


def test_pages_and_answers_do_without_an_embedding_model_that_cannot_be_read(tmp_path: Path) -> None:
    model = bert.make(tmp_path / "all-tiny")
    (model / "model.safetensors").write_bytes(b"torn")

    with running(Product(tmp_path / "data", embedding_folder=str(model), embedding_port=str(free_port()))) as product:
        wait_until(lambda: "no whole safetensors file" in product.log(), "the embedding model to say why", 60)

        assert product.is_ready()


def test_a_second_one_on_the_same_folder_is_refused(product: Product) -> None:
    second = Product(product.folder)

    done = serve(second)

    assert done.returncode == 1
    assert done.stderr.startswith(f"llm-ui: LLM UI runs already on {product.folder}.")
    assert len(done.stderr.splitlines()) == 1
    assert product.is_ready()


def test_nothing_is_restored_under_a_running_product(product: Product, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    product.command("db", "backup", str(copy))

    done = subprocess.run(
        [sys.executable, "-m", "llm_ui.cli.main", "db", "restore", str(copy)],
        env=product.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 1
    assert "Stop it" in done.stderr


def test_doctor_finds_the_running_product_well(product: Product) -> None:
    ports = {"LLM_UI_PORT": str(product.config.port), "LLM_UI_API_PORT": str(product.config.api_port)}

    done = subprocess.run(
        [sys.executable, "-m", "llm_ui.cli.main", "doctor"],
        env={**product.environment, **ports}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert f"Pages: running at {product.url}" in done.stdout
    assert "LLM API: running at" in done.stdout
    assert "Embedding model all-tiny: running at" in done.stdout


def test_a_taken_port_starts_nothing(product: Product, stopped: Product) -> None:
    stopped.config = product.config

    done = serve(stopped)

    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"llm-ui: Port {product.config.port} on 127.0.0.1, for the pages, is taken. Choose another one with --port."
    ]


def serve(product: Product) -> subprocess.CompletedProcess[str]:
    """Run `llm-ui serve` that is expected to end by itself."""
    ports = ["--port", str(product.config.port), "--api-port", str(product.config.api_port)]
    return subprocess.run(
        [sys.executable, "-m", "llm_ui.cli.main", "serve", *ports],
        env=product.environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def is_alive(process: psutil.Process) -> bool:
    """Return whether the process still does anything."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_killed_it_leaves_no_process_behind(stopped: Product) -> None:
    stopped.start()
    # The worker starts last, and nobody waits for it.
    wait_until(lambda: len(stopped.processes()) == 1 + len(MODULES), "every process")
    everyone = stopped.processes()

    everyone[0].kill()

    # A dead process whose new parent has not looked after it yet still counts as running.
    wait_until(lambda: not any(map(is_alive, everyone)), "every process to end", 10)
    stopped.stop()


def test_panel_serve_is_the_same(stopped: Product) -> None:
    root = Path(__file__).parents[1]
    told = [
        subprocess.run([sys.executable, *command, "--help"], capture_output=True, text=True, check=True).stdout
        for command in ([str(root / "panel_serve.py")], ["-m", "llm_ui.cli.main", "serve"])
    ]

    assert told[0] == told[1]
    assert "--api-port" in told[0]


@dataclass
class Answering:
    """A running product and what its person sees of one answer."""

    product: Product
    said: str = ""
    is_complete: bool = False
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, then: Callable[[], int]) -> int:
        """Ask; when the answer has begun call `then`, which ends the product, and return its exit code."""
        following = asyncio.create_task(self._follow())
        await self.has_begun.wait()
        code = await asyncio.to_thread(then)
        # Nothing can come any more; the client would wait for the product to be back.
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        return code

    async def _follow(self) -> None:
        llm = LLMClient(self.product.config.llm_api_url, load_secrets(self.product.config).signer)
        client = llm.signed_in(*self.product.sign_in("ann"))
        request = ChatRequest(idempotency_key="only-once", text="Go", model_id=self.product.model("fake"))
        try:
            async for numbered in client.chat_stream(request):
                if isinstance(numbered.event, TokenEvent):
                    self.said += numbered.event.token
                    self.has_begun.set()
                self.is_complete = isinstance(numbered.event, CompleteEvent)
        finally:
            await llm.aclose()


@contextlib.contextmanager
def answering(folder: Path, script: dict[str, int], **settings: str) -> Iterator[Answering]:
    provider = FakeProvider(json.dumps(script))
    product = Product(folder, **settings)
    product.add_person("ann")
    product.add_provider("Fake", provider.url, "fake")
    with running(product):
        yield Answering(product)
    provider.stop()


async def test_an_answer_is_let_finish_and_seen_to_its_end(tmp_path: Path) -> None:
    with answering(tmp_path / "data", ANSWER) as ours:
        code = await ours.ask(ours.product.stop)

    assert code == 0
    assert ours.is_complete
    assert ours.product.answers() == [("complete", ours.said)]


async def test_an_answer_that_takes_longer_is_kept_as_far_as_it_came(tmp_path: Path) -> None:
    with answering(tmp_path / "data", ENDLESS, drain_s="1") as ours:
        code = await ours.ask(ours.product.stop)

    assert code == 0
    ((status, text),) = ours.product.answers()
    assert status == "interrupted"
    assert text.startswith(ours.said)


async def test_ctrl_c_once_more_does_not_wait(tmp_path: Path) -> None:
    with answering(tmp_path / "data", ENDLESS) as ours:
        code = await ours.ask(lambda: press_ctrl_c_twice(ours.product))

    assert code == 0
    assert "told to hurry" in ours.product.log()


def press_ctrl_c_twice(product: Product) -> int:
    """Press it, see that the product waits for the answer, press it again; return the exit code."""
    parent, *_ = product.processes()
    parent.send_signal(signal.SIGINT)
    ready = f"{product.config.llm_api_url}/readyz"
    wait_until(lambda: httpx2.get(ready, trust_env=False).status_code == 503, "the LLM API to drain")
    parent.send_signal(signal.SIGINT)
    return product.stop(limit_s=10)


@pytest.fixture
def lifeline() -> Iterator[int]:
    reading_end, writing_end = os.pipe()
    yield reading_end
    os.close(reading_end)
    os.close(writing_end)


async def test_a_process_that_never_starts_is_given_up(lifeline: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.01)
    child = Child("llm_ui.no_such_module", lifeline)

    with pytest.raises(ConfigurationError, match=r"llm_ui\.no_such_module ended 8 times in a row"):
        await child.keep()


async def test_a_process_asked_to_end_while_it_is_made_ends(lifeline: int) -> None:
    child = Child("llm_ui.worker", lifeline)
    keeping = asyncio.create_task(child.keep())
    await asyncio.sleep(0)

    async with asyncio.timeout(20):
        await child.end()
        await keeping


async def test_a_process_that_waits_for_the_database_is_never_given_up(
    lifeline: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE_S", 0.01)
    (tmp_path / "unlucky.py").write_text(f"raise SystemExit({DatabaseDown.exit_code})")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    child = Child("unlucky", lifeline)
    caplog.set_level("WARNING")

    keeping = asyncio.create_task(child.keep())
    async with asyncio.timeout(20):
        while caplog.messages.count("process.crashed") <= supervisor.CRASHES:
            await asyncio.sleep(0.02)

    assert not keeping.done()
    await child.end()
    await keeping
