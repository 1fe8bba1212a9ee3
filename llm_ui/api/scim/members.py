"""Who is in a group, read and told apart from the rest of it.

There may be many thousands. As objects of a schema they would be made, checked and written all at once, which holds up
whoever else is answered by the process; as ids they are a few milliseconds, and a change of one needs no other.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from scim2_models import InvalidPathException, InvalidValueException, NoTargetException

from llm_ui.kit.ids import UserId
from llm_ui.services.directory_groups import Members

MEMBERS = "members"
PATH = re.compile(
    r"(?:urn:ietf:params:scim:schemas:core:2\.0:group:)?members(?:\[\s*value\s+eq\s+\"([^\"]*)\"\s*\])?", re.IGNORECASE
)
NOBODY: frozenset[UserId] = frozenset()


def of_whole(body: dict[str, Any]) -> tuple[dict[str, Any], Members]:
    """Return a group that is told as a whole without its members, and these. Raises `InvalidValueException`."""
    rest, told = _without(body)
    return rest, Members(whole=_ids(told))


def of_patch(body: dict[str, Any]) -> tuple[dict[str, Any] | None, Members]:
    """Return what a PATCH does beside members, None: nothing; and what it does to them (RFC 7644 §3.5.2).

    Raises `InvalidValueException`, `InvalidPathException` and `NoTargetException`.
    """
    name = next((key for key in body if key.lower() == "operations"), None)
    if name is None or not isinstance(body[name], list):
        return body, Members()
    others, members = [], Members()
    for operation in body[name]:
        rest, members = _done(operation, members) if isinstance(operation, dict) else (operation, members)
        others += [] if rest is None else [rest]
    return ({**body, name: others} if others or not body[name] else None), members


def shown(ids: Iterable[UserId], base: str) -> list[dict[str, str]]:
    """Return members as they are told."""
    return [{"value": str(each), "$ref": f"{base}/Users/{each}"} for each in sorted(ids)]


def _done(operation: dict[str, Any], members: Members) -> tuple[dict[str, Any] | None, Members]:
    """Return what is left of one operation, and what is done to members after it."""
    told = {key.lower(): value for key, value in operation.items()}
    verb, path, value = str(told.get("op", "")).lower(), told.get("path"), told.get("value")
    if path is None and isinstance(value, dict):
        rest, of_members = _without(value)
        if len(rest) == len(value):
            return operation, members
        left = {**operation, next(key for key in operation if key.lower() == "value"): rest} if rest else None
        return left, _changed(members, verb, _ids(of_members))
    if not isinstance(path, str) or not path.lower().rpartition(":")[2].startswith(MEMBERS):
        return operation, members
    found = PATH.fullmatch(path.strip())
    if found is None:
        raise InvalidPathException(detail='Members are told by their id alone: members[value eq "…"].')
    if found[1] is None:
        # Without a value all of them are meant: there is nobody else then.
        is_all = verb == "remove" and value is None
        return None, Members(whole=NOBODY) if is_all else _changed(members, verb, _ids(value))
    if verb != "remove":
        raise NoTargetException(detail="A member is nothing but an id: add or remove it.")
    return None, _changed(members, verb, _ids([found[1]]))


def _changed(members: Members, verb: str, ids: frozenset[UserId]) -> Members:
    match verb:
        case "add":
            return _plus(members, ids)
        case "remove":
            return _minus(members, ids)
        case "replace":
            return Members(whole=ids)
    raise InvalidValueException(detail="An operation is add, remove or replace.")


def _plus(members: Members, ids: frozenset[UserId]) -> Members:
    if members.whole is not None:
        return Members(whole=members.whole | ids)
    return Members(coming=members.coming | ids, going=members.going - ids)


def _minus(members: Members, ids: frozenset[UserId]) -> Members:
    if members.whole is not None:
        return Members(whole=members.whole - ids)
    return Members(coming=members.coming - ids, going=members.going | ids)


def _without(told: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    rest = {key: value for key, value in told.items() if key.lower().rpartition(":")[2] != MEMBERS}
    return rest, next((value for key, value in told.items() if key not in rest), None)


def _ids(told: Any) -> frozenset[UserId]:
    """Return the ids of members, of which one may stand alone. Raises `InvalidValueException`."""
    listed: Sequence[Any] = told if isinstance(told, list) else [] if told is None else [told]
    return frozenset(_id(each) for each in listed)


def _id(told: Any) -> UserId:
    value = (
        next((value for key, value in told.items() if key.lower() == "value"), None) if isinstance(told, dict) else told
    )
    try:
        return UserId(UUID(value))
    except (ValueError, TypeError, AttributeError):
        raise InvalidValueException(detail=f"There is nobody of the id {value!r} to be a member.") from None
