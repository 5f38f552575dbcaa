"""All dashboards, in the order of their menu."""

from mltrace_dashboards.boards import (
    component,
    exporter,
    lineage,
    outputs,
    overview,
    review,
    staleness,
    tests,
)
from mltrace_dashboards.model import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (
    overview.DASHBOARD,
    component.DASHBOARD,
    tests.DASHBOARD,
    staleness.DASHBOARD,
    outputs.DASHBOARD,
    lineage.DASHBOARD,
    review.DASHBOARD,
    exporter.DASHBOARD,
)
