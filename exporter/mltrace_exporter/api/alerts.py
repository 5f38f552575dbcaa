"""The route about what somebody should look at now."""

import time
from typing import Annotated

from fastapi import APIRouter, Query, Request

from mltrace_exporter.api.examples import answers
from mltrace_exporter.api.parameters import Text
from mltrace_exporter.errors import Unavailable
from mltrace_exporter.monitoring.firing import find_alerts
from mltrace_exporter.monitoring.poller import Poller
from mltrace_otel.contract.api import Alert

router = APIRouter(tags=["monitoring"])


@router.get("/alerts", responses=answers(list[Alert]))
def list_alerts(
    request: Request,
    owner: Annotated[Text | None, Query(description="Only those of this owner.")] = None,
) -> list[Alert]:
    """List the alerts that fire now, the most severe first.

    They are those of the rules for Prometheus, evaluated on what the exporter last read from its
    database. Whether Prometheus reaches the exporter is not among them.
    """
    poller: Poller = request.app.state.poller
    snapshot = poller.tell().snapshot
    if not snapshot.taken_s:
        raise Unavailable("The database has not been read yet. Ask again in a moment.")
    alerts = find_alerts(snapshot, time.time(), poller.links)
    return [alert for alert in alerts if owner is None or alert.owner == owner]
