"""Times as people type them: a date, a time, or how long ago."""

import re
from datetime import UTC, datetime, timedelta

import click

_UNITS = {"min": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,6})\s*(min|h|d|w)")


class Moment(click.ParamType[datetime]):
    """A time: 2026-01-31, 2026-01-31T14:00 (this machine's zone, if none is said), 90min, 12h, 7d.

    The last ones are how long ago.
    """

    name = "time"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the time that a text means."""
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        ago = _AGO.fullmatch(text)
        try:
            if ago:
                passed = timedelta(**{_UNITS[ago[2]]: int(ago[1])})
                return datetime.now(UTC) - passed
            return datetime.fromisoformat(text).astimezone()
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is no time: write 2026-01-31, 2026-01-31T14:00 or 7d.", param, ctx)
