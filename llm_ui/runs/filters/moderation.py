"""Asking a provider's moderation endpoint; what it said of a text is remembered for a while, for texts come again."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import httpx2

from llm_ui.db import Database
from llm_ui.errors import ContentBlocked, LLMUIError
from llm_ui.kit.encryption import Sealer
from llm_ui.kit.ids import ProviderId
from llm_ui.observability.logging import get_logger
from llm_ui.providers.base import Image
from llm_ui.providers.moderation import moderate
from llm_ui.runs.endpoints import endpoint_of
from llm_ui.runs.filters.guard import MOST_TEXTS
from llm_ui.runs.filters.stops import UNREACHABLE
from llm_ui.services.access import SYSTEM
from llm_ui.services.filters import Rule
from llm_ui.services.providers import provider_target

log = get_logger(__name__)

MOST_CHARS = 30_000
"""Of one text, from its beginning and its end: what providers take, and more than anybody reads."""
REMEMBERED = 2_000
SEES = "omni"
"""In the names of models that judge pictures, such as omni-moderation-latest."""


class Moderation:
    """Asks providers. One in each process."""

    def __init__(self, database: Database, sealer: Sealer, http: httpx2.AsyncClient) -> None:
        self._database = database
        self._sealer = sealer
        self._http = http
        self._known: OrderedDict[bytes, frozenset[str]] = OrderedDict()

    async def flagged(self, rule: Rule, texts: Sequence[str]) -> list[frozenset[str]]:
        """Return of each text the categories that are flagged; of those that are too old to be asked for, none.

        Raises `ContentBlocked` when the provider does not answer and nothing may go through then.
        """
        keys = [_key(rule, text) for text in texts]
        unknown = {key: _clipped(text) for key, text in zip(keys, texts, strict=True) if key not in self._known}
        asked = dict(list(unknown.items())[-MOST_TEXTS:])
        if asked and rule.options.provider_id is not None:
            await self._ask(rule, rule.options.provider_id, asked)
        said = [self._known.get(key, frozenset()) for key in keys]
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return said

    async def flagged_picture(self, rule: Rule, image: Image) -> frozenset[str]:
        """Return what is flagged of a picture; nothing where the rule's model takes none. Raises as `flagged` does."""
        if rule.options.provider_id is None or SEES not in rule.options.model.lower():
            return frozenset()
        key = _key(rule, image.data)
        if key not in self._known:
            await self._ask(rule, rule.options.provider_id, {key: image})
        return self._known.get(key, frozenset())

    async def _ask(self, rule: Rule, provider_id: ProviderId, asked: Mapping[bytes, str | Image]) -> None:
        """Remember what a provider flags. Raises `ContentBlocked` when it does not answer and nothing may go on."""
        try:
            async with self._database.reading() as session:
                target = await provider_target(session, SYSTEM, provider_id)
            endpoint = endpoint_of(self._sealer, target)
            found = await moderate(self._http, endpoint, rule.options.model, list(asked.values()))
        except LLMUIError as error:
            log.warning("moderation.failed", code=error.code, closed=rule.options.fails_closed)
            if rule.options.fails_closed:
                raise ContentBlocked(UNREACHABLE) from error
            return
        self._known.update(zip(asked, found, strict=True))


def _key(rule: Rule, text: str) -> bytes:
    named = f"{rule.options.provider_id} {rule.options.model}\0{text}"
    return hashlib.blake2b(named.encode(errors="surrogatepass"), digest_size=16).digest()


def _clipped(text: str) -> str:
    half = MOST_CHARS // 2
    return text if len(text) <= MOST_CHARS else f"{text[:half]} {text[-half:]}"
