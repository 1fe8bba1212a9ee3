"""What providers keep of a conversation: the same beginning from question to question, marked where that is wanted."""

from decimal import Decimal

import pytest
from sqlalchemy import select, update

from llm_ui.config import Config
from llm_ui.db import Database
from llm_ui.models import AiModel, UsageLog
from llm_ui.services.access import Actor
from tests.api.conftest import AddModel, RunningApi
from tests.api.test_answers import ClientOf, asking, everything, started
from tests.fakes.provider import FakeProvider, answer, reply

MARK = b',"cache_control":{"type":"ephemeral"}'
COUNTED = b'"usage":{"input_tokens":1000,"cache_read_input_tokens":4000,"cache_creation_input_tokens":2000'
"""In the place of seven tokens; the protocol counts the three apart."""


@pytest.fixture
def database_config(sqlite_config: Config) -> Config:
    """SQLite only: what is sent is the same with both."""
    return sqlite_config


def parts(body: bytes) -> tuple[bytes, bytes]:
    """Return the messages of a request and all that is beside them, as they were sent but without the marks."""
    ahead, _, rest = body.replace(MARK, b"").partition(b'"messages":[')
    end = min(rest.index(after) for after in (b'],"stream"', b'],"max_tokens"') if after in rest)
    return rest[:end], ahead + rest[end:]


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
async def test_the_next_question_begins_with_all_of_the_one_before(
    api: RunningApi, client_of: ClientOf, a_user: Actor, add_model: AddModel, protocol: str
) -> None:
    client = client_of(a_user)
    async with FakeProvider(reply(protocol, answer(protocol, ["so it is"]))) as fake:
        model_id = await add_model(fake.base_url(protocol), "fake", protocol)
        first = started(await everything(client, asking("one", model_id=model_id)))
        await everything(client, asking("two", chat_id=first.chat_id))

    bodies = [request.body for request in fake.requests if b'"messages"' in request.body]
    (before, beside), (after, beside_after) = map(parts, bodies)
    assert after.startswith(before)
    assert beside == beside_after
    assert b"so it is" in after[len(before) :]
    if protocol == "anthropic":
        sent = [request.json() for request in fake.requests]
        assert [[len(one.get("content", "")) for one in body["messages"]] for body in sent] == [[1], [1, 1, 1]]
        for body in sent:
            marked = [index for index, one in enumerate(body["messages"]) if "cache_control" in one["content"][-1]]
            assert marked == [len(body["messages"]) - 1]
            assert all("cache_control" in block for block in body.get("system", ()))
    else:
        assert not any(b"cache_control" in body for body in bodies)


async def test_what_a_provider_has_kept_and_keeps_has_its_own_price(
    api: RunningApi, database: Database, client_of: ClientOf, a_user: Actor, add_model: AddModel
) -> None:
    chunks = [
        chunk.replace(b" ", b"").replace(b'"usage":{"input_tokens":7', COUNTED) if b"message_start" in chunk else chunk
        for chunk in answer("anthropic", ["so"])
    ]
    chunks[0] = chunks[0].replace(b"event:", b"event: ").replace(b"data:", b"data: ")
    async with FakeProvider(reply("anthropic", chunks)) as fake:
        model_id = await add_model(fake.base_url("anthropic"), "fake", "anthropic")
        prices = {"input_usd_per_mtok": 10, "cached_input_usd_per_mtok": 1, "output_usd_per_mtok": 50}
        async with database.writing() as session:
            values = {name: Decimal(price) for name, price in prices.items()}
            await session.execute(update(AiModel).where(AiModel.id == model_id).values(**values))
        await everything(client_of(a_user), asking(model_id=model_id))

    async with database.reading() as session:
        booked = (await session.scalars(select(UsageLog))).one()
    assert (booked.input_tokens, booked.cached_tokens, booked.output_tokens) == (7000, 4000, 1)
    # A thousand at $10, two thousand that are kept at a quarter more, four thousand that were kept at $1, one at $50.
    assert booked.cost_usd == Decimal("0.01") + Decimal("0.025") + Decimal("0.004") + Decimal("0.00005")
