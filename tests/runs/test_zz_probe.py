import asyncio, json
import httpx2, pytest
from sqlalchemy import func, select
from uuid import uuid4
from llm_ui.contract import *
from llm_ui.models import *
from llm_ui.kit.ids import *
from tests.api.conftest import *
from tests.fakes.provider import *
from tests.fakes.provider import _openai
from tests.conftest import *

async def ev(client, request):
    return [n async for n in client.chat_stream(request)]

async def test_a_nul_answer(api, database, client_of, a_user, add_model):
    async with FakeProvider(reply("openai", answer("openai", ["a\x00b ", "\ud83d", "\ude00", " end \ud800"]))) as fake:
        m = await add_model(fake.base_url("openai"), "fake")
        e = await ev(client_of(a_user), ChatRequest(idempotency_key="k"*10, text="hi", model_id=m))
    print(e[-1])
    print([n.event.token for n in e if isinstance(n.event, TokenEvent)])
    assert e[-1].event.type == "complete"

async def test_b_same_key_old_chat(api, database, client_of, a_user):
    c = client_of(a_user)
    first = (await ev(c, ChatRequest(idempotency_key="k"*10, text="2+2?")))[0].event
    r = ChatRequest(idempotency_key="k"*11, text="2+3?", chat_id=first.chat_id)
    found = await asyncio.gather(*(ev(c, r) for _ in range(30)), return_exceptions=True)
    print([f for f in found if isinstance(f, BaseException)][:3])
    assert all(isinstance(f, list) for f in found)

async def test_c_two_questions(api, database, client_of, a_user):
    c = client_of(a_user)
    first = (await ev(c, ChatRequest(idempotency_key="k"*10, text="2+2?")))[0].event
    rs = [ChatRequest(idempotency_key=f"k12345{i}", text="hello", chat_id=first.chat_id) for i in range(10)]
    found = await asyncio.gather(*(ev(c, r) for r in rs), return_exceptions=True)
    print([getattr(f, "code", "ok") if isinstance(f, BaseException) else "ok" for f in found])
    assert {f.code for f in found if isinstance(f, BaseException)} == {"conflict"}

async def test_d_unknown_prompt(api, database, client_of, a_user):
    with pytest.raises(Exception) as e:
        await ev(client_of(a_user), ChatRequest(idempotency_key="k"*10, text="hi", system_prompt_id=uuid4()))
    print(repr(e.value), e.value.code)
    assert e.value.code == "not_found"

async def test_e_nul_key(api, database, client_of, a_user):
    with pytest.raises(Exception) as e:
        await ev(client_of(a_user), ChatRequest(idempotency_key="k\x00"*10, text="hi"))
    print(repr(e.value), e.value.code)
    assert e.value.code == "invalid_input"

async def test_f_big(api, database_config, client_of, a_user):
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False, timeout=20) as http:
        h = {**client_of(a_user).headers(), "Content-Type": "application/json"}
        body = json.dumps({"idempotency_key": "k"*9, "text": "x"*17_000_000}).encode()
        r = await http.post("/v1/chat", content=body, headers=h)
        print(r.status_code, r.text, r.headers)
        async def chunks():
            for i in range(0, len(body), 100_000):
                yield body[i:i+100_000]
        r2 = await http.post("/v1/chat", content=chunks(), headers=h)
        print(r2.status_code, r2.text)
        r3 = await http.post("/v1/chat", content=b'{"a', headers=h)
        print(r3.status_code, r3.text, r3.headers)
        for m, p in (("GET","/nope"),("DELETE","/v1/models"),("GET","/v1/runs/xx"),("GET", "/v1/runs/%s/events" % uuid4()), ("GET","/docs"),("GET","/openapi.json"),("GET","/v1/openapi.json")):
            x = await http.request(m, p, headers=h); print(m, p, x.status_code, x.text[:150], x.headers.get("x-request-id"))
        x = await http.get("/v1/runs/%s/events" % uuid4(), headers={**h, "Last-Event-ID": "abc"}); print(x.status_code, x.text)
        deep = b'{"idempotency_key":"kkkkkkkkk","text":' + b"["*100000
        x = await http.post("/v1/chat", content=deep, headers=h); print(x.status_code, x.text[:200])
        x = await http.post("/v1/chat", content=b'{"idempotency_key":"kkkkkkkkk","text":"\xff\xfe"}', headers=h); print(x.status_code, x.text[:200])
        x = await http.post("/v1/chat", content=b'{"idempotency_key":"kkkk\\ud800kkkkk","text":"x"}', headers=h); print(x.status_code, x.text[:200])
        x = await http.post("/v1/chat", content=b'{"idempotency_key":"kkkkkkkkk","text":"x", "temperature": NaN}', headers=h); print(x.status_code, x.text[:200])
        x = await http.post("/v1/chat", content=b'{"idempotency_key":"kkkkkkkkk","text":"x", "temperature": 1e400, "nope\\ud800": 1}', headers=h); print(x.status_code, x.text[:300])
    assert (r.status_code, r2.status_code) == (413, 413)

async def test_g_500(api, database_config, client_of, a_user, monkeypatch):
    import llm_ui.api.routes.models as m
    async def boom(*a): raise RuntimeError("boom secret")
    monkeypatch.setattr(m, "list_models", boom)
    async with httpx2.AsyncClient(base_url=database_config.llm_api_url, trust_env=False, timeout=20) as http:
        r = await http.get("/v1/models", headers=client_of(a_user).headers())
    print(r.status_code, r.text, r.headers)
    assert "x-request-id" in r.headers
