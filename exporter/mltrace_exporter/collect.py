"""Runs that programs on this machine left when they ended. In: mltrace's folder. Out: requests.

They go to our own door, as if the programs had lived on: what is recorded has come one way.
"""

import logging
import threading
from pathlib import Path

from mltrace_otel.delivery.courier import Courier, Outcome, Patience, deliver_left
from mltrace_otel.delivery.spool import Spool
from mltrace_otel.settings import read_settings, read_spool_settings

_LOOK_EVERY_S = 5.0
_log = logging.getLogger(__name__)


def collect(home: Path, endpoint: str) -> None:
    """Send to ``endpoint`` what ended programs left in ``home``, in a thread, until we end."""
    spool = Spool(read_spool_settings({"MLTRACE_HOME": str(home)}))
    settings = read_settings({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    courier = Courier(lambda: settings, spool.set_aside)
    threading.Thread(
        target=_collect, args=(spool, courier), name="mltrace-collect", daemon=True
    ).start()


def _collect(spool: Spool, courier: Courier) -> None:
    patience, never = Patience(), threading.Event()
    while True:
        for outcome in deliver_left(spool.adopt, courier):
            if outcome.is_settled:
                patience = Patience()
                _tell(outcome, spool)
            else:
                patience.wait(outcome.answer, never)
        never.wait(_LOOK_EVERY_S)


def _tell(outcome: Outcome, spool: Spool) -> None:
    if outcome.rejected:
        _log.warning(
            "%d records of runs were not recorded: %s. Kept aside: %s",
            outcome.rejected,
            outcome.reason.rstrip("."),
            spool.rejected,
        )
