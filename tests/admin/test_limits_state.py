"""The page of limits, as an administrator acts on it."""

from llm_ui.admin.limits import rows
from llm_ui.admin.limits.state import LimitsState
from llm_ui.kit.ids import UserId
from llm_ui.models import QuotaKind, Role
from llm_ui.services import quotas
from llm_ui.services.access import Actor
from llm_ui.ui.page import Backend
from tests.admin.conftest import ContextOf


async def test_a_role_gets_limits_that_hold_at_once(
    context_of: ContextOf, backend: Backend, an_admin: Actor, a_user: Actor
) -> None:
    async def most(user_id: UserId) -> int:
        async with backend.database.reading() as session:
            return await quotas.most(session, (), user_id, QuotaKind.DAY_TOKENS)

    state = LimitsState(context_of(an_admin))
    await state.load()

    await state.open_form("user")
    state.fill({"day_tokens": "5 000"})
    await state.save()
    assert (state.sheet, state.error) == ("limits", "A limit is a whole number, such as 5000; 0 is no limit.")
    state.fill({"day_tokens": "5000"})
    await state.save()

    assert (state.sheet, state.error) == ("", "")
    everybody, *roles = rows.roles(state.listed)
    shown = {one["id"]: one["cells"]["day_tokens"] for one in roles}
    assert (everybody["cells"]["day_tokens"], everybody["actions"]) == ("None", [])
    assert (shown[str(rows.id_of(Role.USER))], shown[str(rows.id_of(Role.ADMIN))]) == ("5,000", "–")
    assert (await most(a_user.user_id), await most(an_admin.user_id)) == (5_000, 0)
    await state.open_form("nobody")
    assert state.error == "There is no such role. Reload the page."
