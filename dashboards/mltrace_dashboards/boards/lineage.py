"""Lineage: the runs behind an output."""

from mltrace_dashboards.asking import ask_postgres
from mltrace_dashboards.choices import COMPONENT, OUTPUT, SOURCES
from mltrace_dashboards.fields import (
    BAD_ABOVE_ZERO,
    PLAIN,
    link_component,
    link_run,
    show_field,
)
from mltrace_dashboards.model import Dashboard, Row, Strip
from mltrace_dashboards.panels import show_graph, show_stat, show_table, tell

_NODES = "mltrace_ro.lineage_nodes(${output:sqlstring})"
_EDGES = "mltrace_ro.lineage_edges(${output:sqlstring})"

_RUNS = show_stat(
    "Runs behind it",
    "Runs that the output was made by, directly or not. 1,500 at most are shown, nearest first.",
    ask_postgres(f"SELECT count(*) AS runs FROM {_NODES}"),
    thresholds=PLAIN,
)
_FAILED = show_stat(
    "Failed runs behind it",
    "Of these runs, those that failed or a test of which failed. They are red in the graph.",
    ask_postgres(f"SELECT count(*) FILTER (WHERE color = 'red') AS failed FROM {_NODES}"),
    thresholds=BAD_ABOVE_ZERO,
)
_CHANGED = show_stat(
    "Contents changed outside",
    "Things whose content somebody altered between the run that wrote them and the run that read"
    " them. Their edges are red.",
    ask_postgres(f"SELECT count(*) FILTER (WHERE color = 'red') AS changed FROM {_EDGES}"),
    thresholds=BAD_ABOVE_ZERO,
)
_GRAPH = show_graph(
    "Lineage",
    "Every run upstream of the run that last wrote the chosen output. A click on a run leads to its"
    " page and to its component's history. Larger lineages are cut at 1,500 runs, nearest first.",
    ask_postgres(f"SELECT * FROM {_NODES}", ref="nodes"),
    ask_postgres(f"SELECT * FROM {_EDGES}", ref="edges"),
    [
        # Only nodes have a title, and only edges a source and a target.
        show_field("title", links=[link_run("id"), link_component("title")]),
        show_field("source", links=[link_run("source", "Open the run that wrote")]),
        show_field("target", links=[link_run("target", "Open the run that read")]),
    ],
)
_TABLE = show_table(
    "The same runs as a table",
    "The runs of the graph, those that failed first.",
    ask_postgres(
        "SELECT id AS run_id, title AS component, subtitle AS started, mainstat AS ended,"
        " secondarystat AS took, color AS state, detail__partition AS partition,"
        f" left(detail__git_hash, 8) AS git_hash, detail__owner AS owner FROM {_NODES}"
        " ORDER BY color = 'red' DESC, subtitle DESC"
    ),
    overrides=[
        show_field("run_id", displayName="run", links=[link_run()], custom__width=90),
        show_field("component", links=[link_component()]),
        show_field("git_hash", displayName="commit", custom__width=100),
        show_field(
            "state",
            mappings=[
                {
                    "type": "value",
                    "options": {
                        "green": {"index": 0, "text": "ok", "color": "green"},
                        "red": {"index": 1, "text": "failed", "color": "red"},
                        "yellow": {"index": 2, "text": "to be looked at", "color": "yellow"},
                    },
                }
            ],
            custom__cellOptions={"type": "color-background", "mode": "basic"},
            custom__width=130,
        ),
    ],
)
_READ = show_table(
    "What was read from where",
    "The edges of the graph. Filled if the run that wrote the output depends on another.",
    ask_postgres(
        "SELECT target, mainstat AS read, source, secondarystat AS known_by,"
        f" CASE WHEN color = 'red' THEN 'failed' ELSE 'none' END AS changed FROM {_EDGES}"
        " ORDER BY target::bigint DESC, source::bigint DESC"
    ),
    overrides=[
        show_field("target", displayName="run", links=[link_run("target")]),
        show_field("source", displayName="read from run", links=[link_run("source")]),
        show_field("known_by", displayName="known by"),
        show_field(
            "changed",
            displayName="content changed outside",
            mappings=[
                {
                    "type": "value",
                    "options": {
                        "failed": {"index": 0, "text": "yes", "color": "red"},
                        "none": {"index": 1, "text": "no", "color": "text"},
                    },
                }
            ],
            custom__cellOptions={"type": "color-text"},
        ),
    ],
)

DASHBOARD = Dashboard(
    uid="mltrace-lineage",
    title="mltrace / Lineage",
    description="The runs behind an output: everything that it was made by and from.",
    rows=[
        Row(
            "",
            [
                Strip(4, [(8, _RUNS), (8, _FAILED), (8, _CHANGED)]),
                Strip(18, [(24, _GRAPH)]),
                Strip(12, [(24, _TABLE)]),
            ],
        ),
        Row("Edges", [Strip(12, [(24, _READ)])], collapsed=True),
        tell(
            "Choose a component and one of its newest outputs, or type the name of any output. The"
            " graph shows the run that last wrote it and every run upstream: green ended well, red"
            " failed or a test of it failed, yellow is still running or was aborted. A red edge"
            " means that somebody changed the content between writing and reading. The time range"
            " has no effect here."
        ),
    ],
    variables=[*SOURCES, COMPONENT, OUTPUT],
)
