"""What the states of all admin pages share: one way to act, one place for errors and confirmations."""

import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Concatenate, ParamSpec, TypeVar

import param

from llm_ui.errors import LLMUIError, NotFound
from llm_ui.kit.i18n import told
from llm_ui.llm_client import UserClient
from llm_ui.services.access import Actor
from llm_ui.ui.page import PageContext


class AdminState(param.Parameterized):
    """Base of the admin pages' states: which form is open, what was refused, what was done."""

    sheet = param.String(default="", doc="Which form is open beside the page; empty for none.")
    error = param.String(default="", doc="One sentence about what was refused; what was typed stays.")
    said = param.String(default="", doc="One sentence that confirms what was done.")
    is_busy = param.Boolean(default=False, doc="Whether an action is on its way.")

    fields: ClassVar[tuple[str, ...]] = ()
    """The parameters that the page's forms may set; a browser names them, so nothing else is touched."""

    def __init__(self, context: PageContext) -> None:
        super().__init__()
        self.context = context

    def llm(self, actor: Actor) -> UserClient:
        """Return the LLM API's client that speaks for the person."""
        return self.context.backend.llm.signed_in(actor.user_id, self.context.session_id)

    def fill(self, typed: Mapping[str, str | list[str]]) -> None:
        """Take over what a form holds, as far as it may be set by a form."""
        for name in self.fields:
            value = typed.get(name)
            if isinstance(value, type(getattr(self, name))):
                setattr(self, name, value)

    async def quietly(self, read: Callable[[Actor], Awaitable[None]]) -> None:
        """Read again without a sign of work, unless something is being done; what fails is read the next time."""
        if self.is_busy:
            return
        try:
            await read(await self.context.actor())
        except LLMUIError:
            return

    def close(self) -> None:
        """Close the form."""
        self.param.update(sheet="", error="")


S = TypeVar("S", bound=AdminState)
P = ParamSpec("P")
T = TypeVar("T")


def required(chosen: T | None) -> T:
    """Return what a form is about. Raises `NotFound` when a browser acts without having opened one."""
    if chosen is None:
        raise NotFound("Nothing is chosen. Close the form and open it again.")
    return chosen


def action(method: Callable[Concatenate[S, Actor, P], Awaitable[None]]) -> Callable[Concatenate[S, P], Awaitable[None]]:
    """Make a method something a person can do: whoever acts is looked up anew, a refusal becomes `error`.

    What a browser holds gives no rights, so the method is handed the actor as the database knows them at this moment.
    """

    async def act(self: S, /, *args: P.args, **kwargs: P.kwargs) -> None:
        self.param.update(is_busy=True, error="", said="")
        try:
            await method(self, await self.context.actor(), *args, **kwargs)
        except LLMUIError as refusal:
            self.error = told(refusal.message)
        finally:
            self.is_busy = False

    functools.update_wrapper(act, method)
    return act
