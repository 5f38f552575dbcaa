"""What goes wrong with a Grafana, each as one sentence that says what to do."""

from mltrace_otel.errors import MltraceError


class GrafanaError(MltraceError):
    """Grafana was not asked, or answered something else than was hoped for."""


class GrafanaUnreachable(GrafanaError):  # noqa: N818 - named for what is wrong
    """Nothing answers, or what answers is broken or no Grafana."""


class GrafanaRefused(GrafanaError):  # noqa: N818
    """Grafana answered that this may not be.

    Attributes:
        status: of HTTP.
    """

    def __init__(self, sentence: str, status: int) -> None:
        self.status = status
        super().__init__(sentence)
