"""Reading fields of JSON that a stranger sent: whatever has the wrong type reads as absent."""

import math


def obj(value: object) -> dict[str, object]:
    """Return the value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def array(parent: dict[str, object], name: str) -> list[object]:
    """Return the array of that name, else an empty one."""
    value = parent.get(name)
    return value if isinstance(value, list) else []


def text(parent: dict[str, object], name: str) -> str:
    """Return the string of that name, else an empty one."""
    value = parent.get(name)
    return value if isinstance(value, str) else ""


def count(parent: dict[str, object], name: str) -> int | None:
    """Return the whole, non-negative number of that name, else None."""
    value = parent.get(name)
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
    return value if is_count and isinstance(value, int) else None


def numbers(parent: dict[str, object], name: str) -> tuple[float, ...]:
    """Return the array of finite numbers of that name; an empty one when any of it is none."""
    found = array(parent, name)
    is_whole = all(isinstance(each, int | float) and math.isfinite(each) for each in found)
    return tuple(float(each) for each in found if isinstance(each, int | float)) if is_whole else ()
