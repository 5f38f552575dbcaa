"""Numbers that say how well a run did. In: a name and a number. Out: on the run that goes on."""

from mltrace_otel import current
from mltrace_otel.errors import SetupError
from mltrace_otel.notices import log


def log_metric(name: str, value: float) -> None:
    """Record a number with the run that the program is in, such as a loss or a share of errors.

    What is logged again under the same name replaces what was logged before. Nothing is raised:
    where there is no run, or what is given is no number, a warning says so.

    Args:
        name: what was measured; the same in each run, so that it is a series.
        value: the number. NaN and infinities are kept as such.
    """
    going_on = current.get_run()
    if going_on is None:
        log.warning("log_metric(%r, ...) is of no effect outside of a component's run.", name)
        return
    try:
        going_on.run.log_metric(name, value)
    except SetupError as error:
        log.warning("%s", error)
