"""What the whole workspace of one open page shows."""

import param

from llm_ui.models import Role
from llm_ui.ui.page import PageContext


class AppState(param.Parameterized):
    """The frame around the pages. Held by Python only: nothing here is synced to the browser."""

    current_page = param.String(default="/", doc="Path of the page that is open.")
    user_name = param.String(default="", doc="Name of whoever is signed in.")
    is_admin = param.Boolean(default=False, doc="Whether the link to the administration is shown.")

    @classmethod
    def of(cls, context: PageContext) -> "AppState":
        """Return the state of a page that was just opened."""
        return cls(user_name=context.name, is_admin=context.role is Role.ADMIN)
