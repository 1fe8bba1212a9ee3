"""What is told when a model does not answer and another one is asked in its place."""

from typing import Literal

from llm_ui.contract.base import Wire


class StandInEvent(Wire):
    """Another model is asked."""

    type: Literal["stand_in"] = "stand_in"
    model_name: str
    provider_name: str
    instead_of: str
    """The model that was asked first."""
    broke_off: bool = False
    """Whether it had begun to answer, and the other one goes on."""
