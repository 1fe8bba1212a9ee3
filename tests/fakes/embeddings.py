"""An embedding model that knows a handful of things under many names: texts about the same thing have near vectors."""

import contextlib
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.fakes.provider import Received, Reply
from tests.fakes.reranking import reranked

THINGS = (
    {"heron", "herons", "wader", "reiher", "bird"},
    {"boat", "ship", "vessel", "tug"},
    {"money", "price", "costs", "euro", "invoice"},
    {"doctor", "physician", "hospital"},
)
"""What it knows; a text about none of these lies apart from all."""
DIMENSIONS = len(THINGS) + 1


def vector(text: str) -> list[float]:
    """Return the text's vector; the last direction is that of texts about nothing it knows."""
    words = {word.strip(".,:?!“”").lower() for word in text.split()}
    about = [float(len(words & names)) for names in THINGS]
    return [*about, 0.0 if any(about) else 1.0]


def embeddings_reply(request: Received) -> Reply:
    """Answer a request of any protocol that has embeddings."""
    return Reply([json.dumps(body(request)).encode()], headers={"Content-Type": "application/json"})


def body(request: Received) -> dict[str, object]:
    """Return the vectors as the protocol of the request has them."""
    asked = request.json()
    if "batchEmbedContents" in request.path:
        texts = [one["content"]["parts"][0]["text"] for one in asked["requests"]]
        return {"embeddings": [{"values": vector(text)} for text in texts]}
    vectors = list(map(vector, asked["input"]))
    if request.path.endswith("/api/embed"):
        return {"embeddings": vectors, "prompt_eval_count": 3 * len(vectors)}
    data = [{"index": index, "embedding": one} for index, one in enumerate(vectors)]
    return {"data": data[::-1], "usage": {"prompt_tokens": 3 * len(vectors)}}


def failing_at(calls: set[int], status: int = 503) -> Callable[[Received], Reply]:
    """Return a model that fails at these calls, counted from 1."""
    made = iter(range(1, 10_000))

    def answered(request: Received) -> Reply:
        if next(made) in calls:
            error = b'{"error": {"message": "not now"}}'
            return Reply([error], status=status, headers={"Content-Type": "application/json"})
        return embeddings_reply(request)

    return answered


class _Handler(BaseHTTPRequestHandler):
    """Lists three models: one makes no embeddings although it is called so, one puts texts in order."""

    def do_GET(self) -> None:
        """List the models."""
        self._tell({"data": [{"id": "things-embed"}, {"id": "broken-embed"}, {"id": "word-reranker"}]})

    def do_POST(self) -> None:
        """Answer with vectors."""
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        request = Received("POST", self.path, {}, sent)
        if self.path.endswith("/rerank"):
            self._tell({} if b"embed" in sent else reranked(request))
        else:
            self._tell({} if b"broken-embed" in sent else body(request))

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def _tell(self, told: object) -> None:
        content = json.dumps(told).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Serve the model in a thread, under OpenAI's protocol; gives the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
