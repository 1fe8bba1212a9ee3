"""What time it is."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from llm_ui.errors import InvalidInput
from llm_ui.kit.clock import now
from llm_ui.providers.base import ToolSpec
from llm_ui.runs.tools.base import Around, Field, Given, Limits, schema, text_of


class CurrentTime:
    """Tells day and time where the person is, or in another time zone."""

    needs_documents = False
    spec = ToolSpec(
        "current_time",
        "Tell today's date, the day of the week and the time, in the time zone of the person who asks.",
        schema(time_zone=Field("string", "Another time zone by its IANA name, such as Asia/Tokyo.")),
    )

    async def use(self, around: Around, limits: Limits, arguments: Mapping[str, object]) -> Given:
        """Return the time; of a person whose time zone nobody knows in UTC, and it says so."""
        del limits
        wanted = text_of(arguments, "time_zone") if arguments.get("time_zone") else ""
        # In a thread: time zones are read from files.
        zone = await asyncio.to_thread(zone_of, wanted or around.time_zone)
        if zone is None and wanted:
            raise InvalidInput("There is no time zone {name}. IANA names look like Europe/Berlin.", name=wanted)
        at = now().astimezone(zone or UTC)
        told = f"{at:%A}, {at.isoformat(sep=' ', timespec='seconds')}"
        return Given(f"{told}, {zone}" if zone else f"{told}, UTC; where the person is, is not known")


def zone_of(name: str) -> tzinfo | None:
    """Return the time zone of that name; None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
