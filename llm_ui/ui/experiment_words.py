"""What an answer got in experiments, in words."""

from collections.abc import Sequence

from llm_ui.kit.i18n import gettext as _
from llm_ui.kit.i18n import told
from llm_ui.services.experiment_rules import Assigned
from llm_ui.services.experiments import AS_IT_IS
from llm_ui.ui.names import shown_name


def facts(found: Sequence[Assigned]) -> list[tuple[str, str]]:
    """Return each experiment with the variant that the answer got, or why it took no part."""
    return [(_("Experiment {name}").format(name=one.experiment), line(one)) for one in found]


def line(one: Assigned) -> str:
    """Return what an answer got, in a line."""
    if not one.variant:
        return _("took no part: {reason}").format(reason=told(one.aside))
    name = variant(one.variant, one.name)
    return _("{variant}, which was promoted").format(variant=name) if one.is_promoted else name


def variant(key: str, name: str) -> str:
    """Return what a variant is called."""
    shown = _("As it is") if name == AS_IT_IS else shown_name(name)
    return _("Variant {key}: {name}").format(key=key.upper(), name=shown)
