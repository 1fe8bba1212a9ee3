"""What is asked of the documents, and whether it builds on what was said before."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from llm_ui.contract import MAX_LOOKED_UP_CHARS, ChatRequest, PreviewRequest, TemporaryRequest
from llm_ui.db import ReadSession
from llm_ui.kit.ids import ChatId, MessageId, ProjectId
from llm_ui.models import MessageRole
from llm_ui.services.access import Actor
from llm_ui.services.messages import Said, last_said

SHORT_WORDS = 5
"""A question of fewer words, such as "And for the second one?", builds on what was said before."""
TURNS = 6
"""Messages before the question that the helper model is shown, a note between two of them counted."""
LANGUAGES = {
    "en": (
        "it its that this these those they them their he him his she her there then former latter same other others one"
        " ones second third previous above again also instead"
    ),
    "de": (
        "es er sie ihn ihm ihr ihre ihren ihrer sein seine seinen dies diese dieser dieses diesen diesem dort dann dazu"
        " davon daran darin dafür damit dabei jene jener jenes derselbe dieselbe dasselbe andere anderen anderer zweite"
        " zweiten dritte dritten vorige vorigen nochmal auch stattdessen"
    ),
    "es": "ello ella ellos ellas eso esto esa ese esos esas",
    "fr": "il elle ils elles cela ceci celui celle ceux lui leur",
}
REFERRING = frozenset(" ".join(LANGUAGES.values()).split())
"""Words that may stand for something that was said before."""
WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked, and after what."""

    question: str
    before: tuple[Said, ...] = ()
    """What was said before, newest first."""

    def builds_on_it(self) -> bool:
        """Return whether the question may be about something that was said before."""
        return bool(self.before) and (
            _says_little(self.question)
            or not REFERRING.isdisjoint(WORD.findall(self.question[:MAX_LOOKED_UP_CHARS].casefold()))
        )

    def plain(self) -> str:
        """Return what is searched for without a helper model: with the question before where this one says little."""
        before = next((one.text for one in self.before if one.role is MessageRole.USER), None)
        return self.question if before is None or not _says_little(self.question) else f"{self.question}\n{before}"


Worded = Callable[[Actor, ProjectId, Query], Awaitable[str | None]]
"""Says what to search for instead of a question; None: nothing else."""


def _says_little(question: str) -> bool:
    return len(question.split()) < SHORT_WORDS


async def query_of(
    session: ReadSession, actor: Actor, request: ChatRequest | PreviewRequest | TemporaryRequest
) -> Query:
    """Return what a request asks, and what was said before."""
    if isinstance(request, TemporaryRequest):
        earlier = reversed(request.earlier[-TURNS:])
        return Query(request.text, tuple(Said(MessageRole(one.role), one.text) for one in earlier))
    named = None
    if isinstance(request, ChatRequest):
        named = request.regenerate_of or request.continue_of or request.edit_of
    if named is not None:
        said = await last_said(session, actor, message_id=MessageId(named), most=TURNS + 3)
        at = next((at for at, one in enumerate(said) if one.role is MessageRole.USER), len(said))
        asked = "".join(one.text for one in said[at : at + 1])
        is_edited = isinstance(request, ChatRequest) and request.edit_of is not None
        return Query(request.text if is_edited else asked, said[at + 1 :])
    if request.chat_id is None:
        return Query(request.text)
    return Query(request.text, await last_said(session, actor, chat_id=ChatId(request.chat_id), most=TURNS))
