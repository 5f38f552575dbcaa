"""What can go wrong in the exporter, as a tree.

ExporterError
├── SettingsError       the settings make no sense; the message says what to change
├── MalformedRequest    the sender's request cannot be read; sending it again cannot help
├── RequestTooLarge     the sender's request is over the limit; sending it again cannot help
├── UnsupportedEncoding the sender's request is in an encoding or compression we do not read
├── Forbidden           the server was not started to allow this
├── Unavailable         overload or database loss; the same request can pass later
└── NotFound            a run, component, tag or output that nobody has recorded

Three tables turn these into answers: `receive.replies`, `api.problems` and the panel's error page.
"""


class ExporterError(Exception):
    """Root of the exporter's errors. ``retryable`` says whether the same request can pass later."""

    retryable = False


class SettingsError(ExporterError):
    """The settings make no sense."""


class MalformedRequest(ExporterError):  # noqa: N818 - named for what happened, as HTTP does
    """The request cannot be read."""


class RequestTooLarge(ExporterError):  # noqa: N818
    """The request is over the size limit."""


class UnsupportedEncoding(ExporterError):  # noqa: N818
    """The request is written or compressed in a way that is not read here."""


class Forbidden(ExporterError):  # noqa: N818
    """The server was not started to allow this."""


class Unavailable(ExporterError):  # noqa: N818
    """The exporter cannot take the request now."""

    retryable = True

    def __init__(self, message: str, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotFound(ExporterError):  # noqa: N818
    """Nobody has recorded what was asked for."""
