"""The dashboards as Grafana reads them, and the page about them."""

from mltrace_dashboards.catalogue import DASHBOARDS
from mltrace_dashboards.files import render_dashboards, write_json
from mltrace_dashboards.model import Dashboard

_DASHBOARD_PAGE = """\
# Dashboards

<!-- Written by docs/generate.py from dashboards/mltrace_dashboards: change it there. -->

What each Grafana dashboard answers. [Bring them into Grafana](../how-to/grafana.md) says how to get
them. All are in one folder, with a menu that leads from each to the others at the same time range.
"""


def render_dashboard_page() -> str:
    """Return the page about the dashboards."""
    return "\n".join([_DASHBOARD_PAGE, *map(_render_board, DASHBOARDS)])


def render_dashboard(name: str) -> str:
    """Return a dashboard as Grafana reads it."""
    return write_json(render_dashboards()[name])


def _render_board(board: Dashboard) -> str:
    *shown, about = board.list_panels()
    rows = [
        f"| {panel.title} | {panel.kind} | {panel.description.replace('|', chr(92) + '|')} |"
        for panel in shown
    ]
    chosen = [str(each["label"]) for each in board.variables if each["type"] in {"query", "custom"}]
    choices = f"Choose: {', '.join(chosen)}.\n\n" if chosen else ""
    return f"## {board.title}\n\n{about.options['content']}\n\n{choices}" + "\n".join(
        ["| panel | kind | what it shows |", "| --- | --- | --- |", *rows, ""]
    )
