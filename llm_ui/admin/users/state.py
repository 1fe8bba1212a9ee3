"""What the users page shows and what an administrator can do on it."""

from llm_ui.admin.listing.state import ListState
from llm_ui.admin.users.listing import USERS


class UsersState(ListState):
    """The accounts."""

    listing = USERS
