"""Where people who get an alert find more: the panel, and a page for each alert."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mltrace_exporter.errors import NotFound
from mltrace_exporter.monitoring.definitions import BURN, DEFINITIONS

RUNBOOKS_PATH = "/runbooks"


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses that links begin with.

    Attributes:
        panel: of the panel, without a slash at its end.
        runbooks: of the pages of alerts; the exporter itself has them.
    """

    panel: str = ""
    runbooks: str = RUNBOOKS_PATH


NO_LINKS = Links()
"""Those of a server that does not know its address: they begin at its root."""


@cache
def read_runbook(alert: str) -> str:
    """Return the page of an alert, in Markdown.

    Raises:
        NotFound: there is no such alert.
    """
    if alert not in {BURN, *(each.name for each in DEFINITIONS)}:
        raise NotFound(f"There is no alert {alert!r}.")
    return files(__package__).joinpath("runbooks", f"{alert}.md").read_text()
