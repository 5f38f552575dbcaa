"""A lineage by component."""

from collections import defaultdict

from rich.console import Group, RenderableType
from rich.text import Text

from mltrace_otel.cli.render.layout import Name, table
from mltrace_otel.cli.render.words import count, printable, warnings
from mltrace_otel.contract.api import ComponentTrace


def render_collapsed(trace: ComponentTrace, way: str) -> RenderableType:
    """Return the components of a lineage, nearest first.

    Args:
        trace: the lineage.
        way: where its runs are, "upstream" or "downstream".
    """
    title = Text(printable(trace.output or f"run {trace.run_id}"), style="bold", overflow="fold")
    others = count(len(trace.nodes) - 1, "other component")
    title.append(f"  last written by run {trace.run_id}, {others} {way}", style="not bold")
    reads: defaultdict[str, list[str]] = defaultdict(list)
    for edge in trace.edges:
        reads[edge.consumer].append(edge.producer)
    built = table(">Depth", "Component", ">Runs", "Reads from")
    for node in trace.nodes:
        producers = ", ".join(printable(name) for name in reads[node.component]) or "-"
        row = (str(node.depth), Name(node.component), f"{node.run_count:,}", Text(producers))
        built.add_row(*row)
    changed = [
        f"what {edge.consumer} read from {edge.producer} had been changed outside"
        for edge in trace.edges
        if edge.content_changed_outside
    ]
    cut = ["The lineage is larger than what is shown."] if trace.truncated else []
    return Group(title, built, *warnings([*changed, *cut]))
