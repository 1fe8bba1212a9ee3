"""What is told when a model does not answer and another one is asked in its place."""

from typing import Literal

from llm_ui.contract.base import Wire


class AnsweredBy(Wire):
    """Who answers."""

    model_name: str
    provider_name: str
    auto_name: str = ""
    """The Auto model that has picked the model; empty: a person or a script has."""
    instead_of: str = ""
    """The model that was asked first; empty: this one was."""
    broke_off: bool = False
    """Whether it had begun to answer, and the other one goes on."""
    limit_note: str = ""
    """Why a limit let nobody but a cheaper model answer, or which one was passed; empty: neither."""


class StandInEvent(AnsweredBy):
    """Another model is asked, or a limit was passed that only warns."""

    type: Literal["stand_in"] = "stand_in"


class Likely(Wire):
    """Who is likely to answer."""

    likely_model: str = ""
    """The model that an Auto model would pick now, by whose price is reckoned; empty: the model answers itself."""
