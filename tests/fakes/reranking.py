"""A reranking model that counts the words which a question and a text have in common."""

import json
import re

from tests.fakes.provider import Received, Reply

WORD = re.compile(r"\w+")


def words(text: str) -> set[str]:
    """Return the words of a text."""
    return set(WORD.findall(text.lower()))


def reranked(request: Received) -> dict[str, object]:
    """Return the order of the texts, the worst one first: the scores say what it is."""
    asked = request.json()
    scores = [len(words(asked["query"]) & words(text)) - 5.0 for text in asked["documents"]]
    places = sorted(range(len(scores)), key=lambda place: scores[place])[-asked["top_n"] :]
    results = [{"index": place, "relevance_score": scores[place]} for place in places]
    return {"results": results, "usage": {"total_tokens": 7 * len(scores)}}


def reranking_reply(request: Received) -> Reply:
    """Answer a request to `/rerank`."""
    if not request.path.endswith("/rerank"):
        return Reply([b'{"error": {"message": "no such path"}}'], status=404)
    return Reply([json.dumps(reranked(request)).encode()], headers={"Content-Type": "application/json"})
