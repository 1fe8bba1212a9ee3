"""What the whole workspace of one open page shows."""

import param


class AppState(param.Parameterized):
    """The frame around the pages. Held by Python only: nothing here is synced to the browser."""

    current_page = param.String(default="/", doc="Path of the page that is open.")
    user_name = param.String(default="", doc="Name of whoever is signed in.")
    is_admin = param.Boolean(default=False, doc="Whether the link to the administration is shown.")
