from tests.fakes.provider import FakeProvider, answer, reply
from llm_ui.contract import ChatRequest

async def test_smoke(api, client_of, a_user, add_model):
    async with FakeProvider(reply("openai", answer("openai", ["Hello ", "wörld"], reasoning=["hm "]))) as fake:
        model = await add_model(fake.base_url("openai"), "fake")
        c = client_of(a_user)
        async for n in c.chat_stream(ChatRequest(idempotency_key="k"*10, text="hi there", model_id=model)):
            print(n)
        async for n in c.chat_stream(ChatRequest(idempotency_key="k"*11, text="What is 4*5?")):
            print(n)
            e = n.event
