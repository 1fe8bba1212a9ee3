"""Exports of other products as they really look: whole files of any number of chats, always the same for a seed."""

import io
import json
import random
import zipfile
from typing import Any
from uuid import UUID

TEXT = (
    "the a of to in is that it with for on as at by from this which be are was model river table query index café "
    "naïve 東京 answer question because however list value number token stream budget window context 🙂 code test"
)
WORDS = TEXT.split()
START_S = 1_700_000_000
DAY_S = 86_400


def _uuid(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _said(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize() + "."


def chatgpt_chat(seed: int, turns: int = 6, words: int = 90) -> dict[str, Any]:
    """A conversation: hidden instructions, turns with a tool and thoughts, a second answer, the last one shown."""
    chance = random.Random(seed)
    at = START_S + seed * DAY_S / 7
    nodes: dict[str, dict[str, Any]] = {}

    def add(parent: str | None, role: str, content: dict[str, Any], **more: Any) -> str:
        nonlocal at
        at += 7.25
        key = _uuid(chance)
        message = {
            "id": key, "author": {"role": role, "name": None, "metadata": {}}, "create_time": at, "update_time": None,
            "content": content, "status": "finished_successfully", "end_turn": True, "weight": 1.0,
            "metadata": {"model_slug": "gpt-4o", "message_type": "next"}, "recipient": "all", "channel": None, **more,
        }  # fmt: skip
        nodes[key] = {"id": key, "message": message, "parent": parent, "children": []}
        if parent is not None:
            nodes[parent]["children"].append(key)
        return key

    def text(count: int) -> dict[str, Any]:
        return {"content_type": "text", "parts": [_said(chance, count)]}

    root = "client-created-root"
    nodes[root] = {"id": root, "message": None, "parent": None, "children": []}
    hidden = {"is_visually_hidden_from_conversation": True}
    last = add(root, "system", {"content_type": "text", "parts": [""]}, metadata=hidden, create_time=None)
    for turn in range(turns):
        picture = {"content_type": "image_asset_pointer", "asset_pointer": "file-service://file-x", "width": 10}
        asked = (
            text(words // 4) if turn % 3 else {"content_type": "multimodal_text", "parts": [picture, _said(chance, 9)]}
        )
        question = last = add(last, "user", asked)
        if turn % 2:
            call = {"content_type": "code", "language": "unknown", "text": "search('x')"}
            last = add(last, "assistant", call, recipient="web.run")
            last = add(last, "tool", {"content_type": "tether_browsing_display", "result": "…"})
        else:
            thoughts = [{"summary": "Thinking", "content": _said(chance, 12)}]
            last = add(last, "assistant", {"content_type": "thoughts", "thoughts": thoughts})
        last = add(last, "assistant", text(words))
        if turn == 1:
            last = add(question, "assistant", text(words))
    return {
        "title": f"{_said(chance, 4)} {seed}", "create_time": START_S + seed * DAY_S / 7, "update_time": at,
        "mapping": nodes, "moderation_results": [], "current_node": last, "plugin_ids": None,
        "conversation_id": str(UUID(int=seed + 1)), "conversation_template_id": None, "gizmo_id": None,
        "is_archived": seed % 50 == 49, "safe_urls": [], "default_model_slug": "gpt-4o", "id": str(UUID(int=seed + 1)),
    }  # fmt: skip


def open_webui_chat(seed: int, turns: int = 6, words: int = 90) -> dict[str, Any]:
    """A chat: a tree under `history`, the shown branch once more as a list, a second answer in it."""
    chance = random.Random(seed)
    at = START_S + seed * DAY_S // 7
    tree: dict[str, dict[str, Any]] = {}

    def add(parent: str | None, role: str, content: str, **more: Any) -> str:
        nonlocal at
        at += 7
        key = _uuid(chance)
        tree[key] = {
            "id": key, "parentId": parent, "childrenIds": [], "role": role, "content": content, "timestamp": at, **more,
        }  # fmt: skip
        if parent is not None:
            tree[parent]["childrenIds"].append(key)
        return key

    last = None
    for turn in range(turns):
        question = add(last, "user", _said(chance, words // 4), models=["llama3.2:latest"])
        thought = f'<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n&gt; {_said(chance, 9)}\n</details>\n'  # noqa: E501
        about = {"model": "llama3.2:latest", "modelName": "Llama 3.2", "done": True, "modelIdx": 0}
        last = add(question, "assistant", (thought if turn % 2 else "") + _said(chance, words), **about)
        if turn == 1:
            last = add(question, "assistant", _said(chance, words), **about)
    branch, up = [], last
    while up is not None:
        branch.append(tree[up])
        up = tree[up]["parentId"]
    title = f"{_said(chance, 4)} {seed}"
    inner = {
        "id": "", "title": title, "models": ["llama3.2:latest"], "params": {}, "tags": [], "files": [],
        "timestamp": (START_S + seed * DAY_S // 7) * 1000, "history": {"messages": tree, "currentId": last},
        "messages": branch[::-1],
    }  # fmt: skip
    return {
        "id": str(UUID(int=seed + 1)), "user_id": str(UUID(int=7)), "title": title, "chat": inner, "updated_at": at,
        "created_at": START_S + seed * DAY_S // 7, "share_id": None, "archived": seed % 50 == 49, "pinned": False,
        "meta": {"tags": []}, "folder_id": None,
    }  # fmt: skip


def librechat_chat(seed: int, turns: int = 6, words: int = 90, *, is_tree: bool = False) -> dict[str, Any]:
    """A conversation with a second answer; as a list of messages, or as a tree of children."""
    chance = random.Random(seed)
    minute = 0
    listed: list[dict[str, Any]] = []

    def add(parent: str, sender: str, **said: Any) -> str:
        nonlocal minute
        minute += 1
        key = _uuid(chance)
        listed.append({
            "messageId": key, "parentMessageId": parent, "conversationId": str(UUID(int=seed + 1)), "sender": sender,
            "isCreatedByUser": sender == "User", "error": False, "unfinished": False, "endpoint": "anthropic",
            "createdAt": f"2025-03-{1 + seed % 28:02}T{minute // 60:02}:{minute % 60:02}:00.000Z", **said,
        })  # fmt: skip
        return key

    last = "00000000-0000-0000-0000-000000000000"
    for turn in range(turns):
        question = add(last, "User", text=_said(chance, words // 4))
        parts = [{"type": "think", "think": _said(chance, 9)}, {"type": "text", "text": _said(chance, words)}]
        said = {"text": "", "content": parts} if turn % 2 else {"text": _said(chance, words)}
        last = add(question, "Claude", model="claude-sonnet-4", **said)
        if turn == 1:
            last = add(question, "Claude", model="claude-sonnet-4", text=_said(chance, words))
    whole = {
        "conversationId": str(UUID(int=seed + 1)), "endpoint": "anthropic", "title": f"{_said(chance, 4)} {seed}",
        "exportAt": "12:00:00 GMT+0000", "branches": True, "recursive": is_tree, "options": {},
    }  # fmt: skip
    if not is_tree:
        return {**whole, "messages": listed}
    by_id = {one["messageId"]: {**one, "children": []} for one in listed}
    roots = []
    for one in by_id.values():
        above = by_id.get(one["parentMessageId"])
        (roots if above is None else above["children"]).append(one)
    return {**whole, "messagesTree": roots}


def as_json(chats: list[dict[str, Any]]) -> bytes:
    """The file that all chats together make."""
    return json.dumps(chats, ensure_ascii=False).encode()


def chatgpt_zip(chats: list[dict[str, Any]]) -> bytes:
    """The archive that ChatGPT sends."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("chat.html", "<html>…</html>")
        archive.writestr("user.json", json.dumps({"id": "user-x", "email": "ann@example.org"}))
        archive.writestr("message_feedback.json", "[]")
        archive.writestr("shared_conversations.json", json.dumps([{"id": "x", "conversation_id": "y", "title": "z"}]))
        archive.writestr("conversations.json", as_json(chats))
    return content.getvalue()
