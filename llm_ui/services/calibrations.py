"""What was learnt of how providers count the tokens of their models."""

from sqlalchemy import bindparam, update
from sqlalchemy.exc import IntegrityError

from llm_ui.db import Session
from llm_ui.kit.calibration import Calibration
from llm_ui.kit.ids import ModelId
from llm_ui.models import ModelCalibration

LEARNT = (
    update(ModelCalibration)
    .where(ModelCalibration.model_id == bindparam("known_id"))
    .values(ratio=bindparam("learnt_ratio"), samples=bindparam("learnt_samples"))
    .returning(ModelCalibration.model_id)
    .execution_options(synchronize_session=False)
)
"""Put together once: it is a part of each answer."""


async def keep(session: Session, model_id: ModelId, learnt: Calibration) -> None:
    """Write down what is known of a model now.

    Of runs that end together the last one wins: the others' counts are lost, which a running figure does not mind.
    """
    values = {"ratio": learnt.ratio, "samples": learnt.samples}
    known = {"known_id": model_id, **{f"learnt_{name}": value for name, value in values.items()}}
    if await session.scalar(LEARNT, known) is not None:
        return
    try:
        async with session.begin_nested():
            session.add(ModelCalibration(model_id=model_id, **values))
    except IntegrityError:
        # Another run of the model ended first, or the model is gone.
        return
