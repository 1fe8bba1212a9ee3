"""Nothing that people, models and providers write acts anywhere: with the content security policy and without it."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from llm_ui.contract import Source
from llm_ui.contract.steps import Step
from llm_ui.kit.clock import now
from llm_ui.kit.ids import AgentId, ChatId, DocumentId, MessageId, ModelId, ProjectId, ProviderId, RunId, uuid7
from llm_ui.kit.reading import BlockKind
from llm_ui.models import (
    Agent,
    AiModel,
    AiProvider,
    Base,
    ChatHistory,
    ChatMessage,
    Document,
    DocumentPage,
    DocumentStage,
    MessageRole,
    MessageStatus,
    Project,
    ProjectColor,
    ProjectIcon,
    ProjectMember,
    ProjectRole,
    ProviderKind,
    Run,
    RunStatus,
    SavedPrompt,
    User,
)
from tests.browser.conftest import Watch, ask, new_chat, pick_model, sign_in
from tests.browser.guard import Guard
from tests.browser.test_admin import open_admin
from tests.browser.test_sidebar import choose
from tests.product import FakeProvider, Product
from tests.security.xss_corpus import corpus, lines, message

NewContext = Callable[..., BrowserContext]
SNIPPET_CHARS = 170
"""Of what is shown around a word that was searched for."""
TITLE_CHARS = 600
SOON = 100
"""Tenths of a second that an image may take to fail."""
PROVIDER_CHARS = 6_000


def grouped(size: int) -> list[str]:
    """Return the one-line texts of the corpus joined to lines of about that length."""
    groups = [""]
    for line in lines():
        if len(groups[-1]) + len(line) > size and groups[-1]:
            groups.append("")
        groups[-1] += f" {line}"
    return groups


def plant(product: Product, rows: Callable[[User], list[Base]]) -> None:
    """Put rows of bob into the database."""
    engine = create_engine(f"sqlite:///{product.folder / 'llm-ui.db'}")
    with Session(engine) as session:
        bob = session.scalars(select(User).where(User.name == "bob")).one()
        for row in rows(bob):
            session.add(row)
            # One by one: no relationships tell which goes first.
            session.flush()
        session.commit()
    engine.dispose()


def a_chat(owner: User, title: str, answers: list[str], *, error: str | None = None) -> list[Base]:
    """Return a chat with one question and these answers, one after the other; each failed if there is an error."""
    chat = ChatHistory(id=ChatId(uuid7()), user_id=owner.id, title=title, last_message_at=now() - timedelta(1))
    question = a_message(chat, 0, MessageRole.USER, "?")
    rows: list[Base] = [chat, question]
    parent = question.id
    for position, text in enumerate(answers, 1):
        answer = a_message(chat, position, MessageRole.ASSISTANT, text if error is None else "x")
        answer.parent_id = parent
        run = Run(
            id=RunId(uuid7()),
            user_id=owner.id,
            chat_id=chat.id,
            question_id=question.id,
            answer_id=answer.id,
            model_name=text,
            provider_name=text,
            idempotency_key=str(answer.id),
            lease_owner="",
            heartbeat_at=now(),
            status=RunStatus.COMPLETED,
        )
        if error is not None:
            answer.status, run.status, run.error_message = MessageStatus.FAILED, RunStatus.FAILED, f"{error}: {text}"
        rows += [answer, run]
        parent = answer.id
    chat.active_leaf_id, chat.next_position = parent, len(answers) + 1
    return rows


def a_message(chat: ChatHistory, position: int, role: MessageRole, text: str) -> ChatMessage:
    return ChatMessage(
        id=MessageId(uuid7()), chat_id=chat.id, position=position, role=role, status=MessageStatus.COMPLETE, text=text
    )


def a_project(owner: User) -> list[Base]:
    """Return a project whose documents, one of them not to be read, are named after the corpus and hold it."""
    names = grouped(SNIPPET_CHARS)
    project = Project(id=ProjectId(uuid7()), owner_id=owner.id, name="Hostile", instructions=message()[:20_000])
    rows: list[Base] = [project, ProjectMember(project_id=project.id, user_id=owner.id, role=ProjectRole.OWNER)]
    for number, name in enumerate([*names, "all.md"]):
        document = Document(
            id=DocumentId(uuid7()), project_id=project.id, user_id=owner.id, name=name, media_type=name[:100],
            size_bytes=1, sha256=f"{number:064x}", stage=DocumentStage.READY, page_count=1, chunk_count=1,
        )  # fmt: skip
        if number < len(names):
            document.stage, document.error_message, document.remark = DocumentStage.FAILED, name, name
        rows.append(document)
    blocks = [{"kind": kind.value, "text": text} for text in lines() for kind in BlockKind]
    rows.append(DocumentPage(document_id=document.id, number=1, blocks=blocks))
    sources = [
        Source(
            number=number, document_id=document.id, name=name, page=1, page_to=2, place=1, passage=1, text=name
        ).model_dump(mode="json")
        for number, name in enumerate(names, 1)
    ]  # fmt: skip
    chat, question, answer, run = a_chat(owner, "Cited", [" ".join(f"[{number + 1}]" for number in range(len(names)))])
    assert isinstance(answer, ChatMessage)
    answer.citations = sources
    return [*rows, chat, question, answer, run]


def an_agent(owner: User, text: str) -> Agent:
    """Return an agent of which everything that can be written is the text, shared with everybody."""
    return Agent(
        id=AgentId(uuid7()), owner_id=owner.id, name=text, description=text, color=ProjectColor.BLUE,
        icon=ProjectIcon.BOOK, instructions=text, model_name=text, documents=[], starters=[text], is_shared=True,
    )  # fmt: skip


def a_worked_out_answer(owner: User) -> list[Base]:
    """Return a chat whose answer used tools that are called, asked and answer as the corpus says."""
    texts = grouped(SNIPPET_CHARS)
    rows = a_chat(owner, "Worked out", [" ".join(texts)])
    answer, run = rows[2:]
    assert isinstance(answer, ChatMessage)
    assert isinstance(run, Run)
    names = ("search_documents", "read_document", "calculate", "current_time", None)
    answer.steps = [
        Step(
            number=number, round=1, at=len(" ".join(texts[:number])), name=name or text,
            arguments={"query": text, "document": text, "expression": text, "time_zone": text, text: text},
            state="failed" if number % 3 == 0 else "done", result=text, ms=1,
        ).model_dump(mode="json")
        for number, (text, name) in enumerate(((text, name) for text in texts for name in names), 1)
    ]  # fmt: skip
    run.agent_id, run.agent_name = AgentId(uuid7()), message()[:80]
    return rows


def a_provider(number: int, text: str) -> list[Base]:
    """Return a provider named so, with models named after parts of it."""
    provider = AiProvider(
        id=ProviderId(uuid7()),
        kind=ProviderKind.OPENAI,
        name=text,
        name_key=str(number),
        base_url=f"http://127.0.0.1:1/{text}",
        last_tested_at=now(),
        last_test_error=text,
    )
    parts = [text[at : at + TITLE_CHARS] for at in range(0, len(text), TITLE_CHARS)]
    models = [
        AiModel(id=ModelId(uuid7()), provider_id=provider.id, name=f"w {part}", display_name=part) for part in parts
    ]
    return [provider, *models]


@pytest.fixture(scope="module")
def hostile(product: Product) -> Iterator[Product]:
    """The product with providers that send back what they are sent, and everything named after the corpus."""
    fakes = [FakeProvider(json.dumps(script)) for script in ({"echo": 37}, {"refuse": True})]
    for name, fake in zip(("echo", "refuse"), fakes, strict=True):
        product.add_provider(name, fake.url, name)

    def rows(bob: User) -> list[Base]:
        planted: list[Base] = []
        for title in grouped(TITLE_CHARS):
            planted += a_chat(bob, title, [])[:1]
        planted += a_chat(bob, "Found", [f"needle {text}" for text in grouped(SNIPPET_CHARS)])
        planted += a_chat(bob, "Failed", grouped(300), error="said")
        for text in grouped(SNIPPET_CHARS):
            planted.append(SavedPrompt(owner_id=bob.id, name=text, text=f"{text} {{{{{text[:30]}}}}}"))
            planted.append(an_agent(bob, text))
        planted += a_worked_out_answer(bob)
        planted += a_project(bob)
        for number, text in enumerate(grouped(PROVIDER_CHARS)):
            planted += a_provider(number, text)
        return planted

    plant(product, rows)
    yield product
    for fake in fakes:
        fake.stop()


@pytest.fixture(params=["with the policy", "without"])
def guard(request: pytest.FixtureRequest, new_context: NewContext, hostile: Product) -> Guard:
    return Guard(new_context(bypass_csp=request.param == "without", accept_downloads=True))


def test_everything_that_is_said(guard: Guard, hostile: Product, tmp_path: Path) -> None:
    page = guard.page()
    sign_in(page, hostile, "bob")
    new_chat(page)
    pick_model(page, "echo")
    say(page, message())
    end = f"x{len(corpus()) - 1}x"
    expect(page.get_by_role("button", name="Edit answer")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("article", name="Assistant")).to_contain_text(end)
    guard.check(page, "question and answer as it streamed")
    title = page.get_by_role("heading", level=1).inner_text()

    page.reload()
    expect(page.get_by_role("article", name="Assistant")).to_contain_text(end)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("math")).not_to_have_count(0)
    guard.check(page, "question and stored answer")
    page.get_by_role("button", name="What the model saw").click()
    expect(page.get_by_role("dialog")).to_contain_text("Your message")
    guard.check(page, "what the model saw")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Edit answer").click()
    guard.check(page, "the editor")
    page.get_by_role("button", name="Cancel").click()

    exported = export(page, tmp_path)
    choose(page, title, "Share …")
    page.get_by_role("button", name="Create link").click()
    page.goto(page.get_by_role("textbox", name="Link").input_value())
    expect(page.get_by_role("article", name="Answer")).to_contain_text(end)
    guard.check(page, "the shared page")
    page.goto(exported.as_uri())
    expect(page.locator("body")).to_contain_text(end)
    guard.check(page, "the exported file")


def say(page: Page, text: str) -> None:
    """Send a question as if it were pasted: typing so long a text takes Chromium a minute."""
    box = page.get_by_role("textbox", name="Message")
    box.evaluate("(box, text) => { box.value = text; box.dispatchEvent(new Event('input')) }", text)
    box.press("Enter")


def export(page: Page, folder: Path) -> Path:
    """Return the open chat as a file of HTML."""
    chat = page.url.rpartition("/")[2]
    taken = page.request.get(f"{page.url.partition('/c/')[0]}/export/{chat}.html")
    assert taken.ok
    path = folder / "chat.html"
    path.write_bytes(taken.body())
    return path


def test_everything_that_has_a_name(guard: Guard, hostile: Product, watch: Watch) -> None:
    page = guard.page()
    sign_in(page, hostile, "bob")
    chats = page.locator("#chats li")
    expect(chats.nth(30)).to_be_attached()
    guard.check(page, "titles in the list, models in the picker")
    chats.nth(20).get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("xss")
    guard.check(page, "the heading")
    assert "xss" in page.title()

    page.get_by_role("link", name="Failed").click()
    expect(page.locator(".remark").first).to_contain_text("xss")
    guard.check(page, "what providers said when they refused")
    page.get_by_role("link", name="Found").click()
    expect(page.get_by_role("article", name="Assistant").last).to_contain_text("needle")
    guard.check(page, "models in figures")

    page.keyboard.press("Control+k")
    page.keyboard.type("needle")
    found = page.get_by_role("dialog").get_by_role("listitem")
    expect(found.first).to_be_visible()
    more = page.get_by_role("dialog").get_by_role("button", name="More")
    while more.is_visible():
        before = found.count()
        more.click()
        expect(found.nth(before)).to_be_attached()
    guard.check(page, "what a search finds")
    page.keyboard.press("Escape")

    page.get_by_role("textbox", name="Message").click()
    page.keyboard.type("/")
    expect(page.get_by_role("listbox", name="Prompts")).to_be_visible()
    guard.check(page, "prompts behind the slash")
    page.get_by_role("listbox", name="Prompts").get_by_role("option").first.click()
    guard.check(page, "a prompt that is filled in")
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="Message").fill("/none")
    page.get_by_role("option", name="Your prompts …").click()
    guard.check(page, "the library of prompts")
    page.keyboard.press("Escape")
    page.get_by_role("textbox", name="Message").fill("@")
    expect(page.get_by_role("listbox", name="Models")).to_be_visible()
    guard.check(page, "models behind the at sign")


def test_everything_in_documents(guard: Guard, hostile: Product) -> None:
    page = guard.page()
    sign_in(page, hostile, "bob")
    page.get_by_role("button", name="Hostile").click()
    documents = page.get_by_role("list", name="Documents")
    expect(documents).to_contain_text("Could not be read")
    expect(page.locator("#messages, main").first).to_contain_text("xss")
    guard.check(page, "a project and its documents")
    page.get_by_role("textbox", name="Message").fill("#")
    page.get_by_role("searchbox", name="Find documents").fill("all.md")
    documents.get_by_role("button", name="all.md").first.click()
    beside = page.get_by_role("complementary", name="all.md")
    expect(beside).to_contain_text("xss")
    guard.check(page, "a page of a document")

    page.goto(hostile.url)
    page.get_by_role("link", name="Cited").click()
    chips = page.locator(".cite")
    expect(chips.nth(20)).to_be_visible()
    chips.first.focus()
    expect(page.get_by_role("tooltip")).to_contain_text("xss")
    for at in range(0, chips.count(), 40):
        # Each is drawn while it has the focus; what acted is remembered.
        page.evaluate(
            "(at) => [...document.querySelectorAll('.cite')].slice(at, at + 40).map((one) => one.focus())", at
        )
        guard.check(page, "passages that are cited")


def test_everything_of_agents_and_tools(guard: Guard, hostile: Product) -> None:
    page = guard.page()
    sign_in(page, hostile, "bob")
    page.get_by_role("link", name="Worked out").click()
    steps = page.locator("details.step")
    expect(steps.nth(20)).to_be_visible()
    page.evaluate("document.querySelectorAll('details.step').forEach((one) => { one.open = true })")
    expect(steps.locator("pre").nth(20)).to_contain_text("xss")
    guard.check(page, "what tools were asked and gave")

    new_chat(page)
    page.get_by_role("textbox", name="Message").fill("@")
    named = page.get_by_role("option").filter(has_text="xss")
    expect(named.first).to_be_visible()
    guard.check(page, "agents behind the at sign")
    page.get_by_role("textbox", name="Message").fill("")
    page.get_by_role("button", name="Agent: none").click()
    guard.check(page, "agents beside the model")
    page.get_by_role("button", name="Agents …").click()
    agents = page.get_by_role("dialog", name="Agents")
    expect(agents.get_by_role("listitem").first).to_contain_text("xss")
    guard.check(page, "the list of agents")
    agents.get_by_text("Edit", exact=True).first.click()
    expect(page.get_by_role("textbox", name="Starters")).to_have_value(re.compile("xss"))
    guard.check(page, "an agent that is changed")
    page.keyboard.press("Escape")
    agents.get_by_role("button", name="Close", exact=True).click()
    page.get_by_role("button", name="Agent: none").click()
    page.locator("#agent-menu button").filter(has_text="xss").first.click()
    expect(page.locator("#start .agent-start button").filter(has_text="xss").first).to_be_visible()
    guard.check(page, "what an agent offers to ask")
    page.get_by_label("Chat settings").click()
    page.get_by_role("button", name="What models are told …").click()
    expect(page.get_by_role("dialog", name="What models are told")).to_contain_text("xss")
    guard.check(page, "what models are told")


def test_a_refusal_of_a_provider(guard: Guard, hostile: Product) -> None:
    page = guard.page()
    sign_in(page, hostile, "bob")
    new_chat(page)
    pick_model(page, "refuse")
    for text in grouped(250)[:6]:
        ask(page, text)
        expect(page.get_by_role("button", name="Retry").last).to_be_visible()
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    guard.check(page, "what the provider says")


def test_the_administration(guard: Guard, hostile: Product) -> None:
    page = guard.page()
    sign_in(page, hostile, "ada")
    for name in ("Providers", "Models"):
        open_admin(page, hostile, name)
        expect(page.get_by_role("row").filter(has_text="xss").first).to_be_visible()
        guard.check(page, name)


@pytest.mark.parametrize("policy", [True, False])
def test_a_hole_is_found(new_context: NewContext, product: Product, watch: Watch, policy: bool) -> None:
    watch.allowed |= {"", "x"}
    guard = Guard(new_context(bypass_csp=not policy))
    page = guard.page()
    sign_in(page, product, "bob")
    page.evaluate("document.body.append(document.createElement('p'))")
    page.evaluate("(html) => { document.body.lastChild.innerHTML = html }", "<img src=x onerror=xss()>")
    with pytest.raises(AssertionError, match="handler"):
        guard.check(page, "a hole")
    # That an image cannot be had takes a busy machine a while.
    for _ in range(SOON):
        if not policy and not guard.harm:
            page.wait_for_timeout(100)
    assert policy != bool(guard.harm)
