"""What we tell the program's log. In: warnings. Out: log records, and never an exception."""

import logging
from contextlib import suppress
from typing import Any


class _Guarded(logging.LoggerAdapter[logging.Logger]):
    """A logger that survives the program's handlers, some of which raise on purpose."""

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:  # noqa: ANN401 - as in logging
        """Log a message; if that fails, there is nobody to tell."""
        kwargs.setdefault("stacklevel", 3)
        with suppress(Exception):
            super().log(level, msg, *args, **kwargs)


log = _Guarded(logging.getLogger("mltrace_otel"), {})
