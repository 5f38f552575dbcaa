"""The kinds of panels that our dashboards have, each with the same looks wherever it stands."""

from collections.abc import Sequence

from mltrace_dashboards.asking import ask_prometheus
from mltrace_dashboards.fields import (
    BAD_ABOVE_ZERO,
    PLAIN,
    UNKNOWN,
)
from mltrace_dashboards.model import Json, Panel, Row, Strip, Target

_NO_LEGEND: Json = {"showLegend": False, "displayMode": "list", "placement": "bottom", "calcs": []}
_LEGEND: Json = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
_REDUCE: Json = {"calcs": ["lastNotNull"], "fields": "", "values": False}


def show_stat(  # noqa: PLR0913 - what differs between numbers
    title: str,
    description: str,
    expression: Target | str,
    *,
    unit: str = "short",
    thresholds: Json = BAD_ABOVE_ZERO,
    links: Sequence[Json] = (),
    no_value: str = "none",
) -> Panel:
    """Return one number, coloured; a text is a PromQL query for its newest value."""
    target = ask_prometheus(expression, instant=True) if isinstance(expression, str) else expression
    return Panel(
        kind="stat",
        title=title,
        description=description,
        targets=[target],
        options={
            "reduceOptions": _REDUCE,
            "colorMode": "value",
            "graphMode": "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "textMode": "value",
            "wideLayout": True,
        },
        defaults={
            "unit": unit,
            "noValue": no_value,
            "thresholds": thresholds,
            "color": {"mode": "thresholds"},
            "links": list(links),
        },
    )


def show_words(title: str, description: str, target: Target, field: str) -> Panel:
    """Return what stands in one field, as text."""
    panel = show_stat(title, description, target, unit="none", thresholds=PLAIN)
    options = {**panel.options, "reduceOptions": {**_REDUCE, "fields": f"/^{field}$/"}}
    return Panel(panel.kind, title, description, panel.targets, options, panel.defaults)


def show_series(  # noqa: PLR0913 - what differs between graphs
    title: str,
    description: str,
    targets: Sequence[Target],
    *,
    unit: str = "short",
    bars: bool = False,
    points: bool = False,
    overrides: Sequence[Json] = (),
    links: Sequence[Json] = (),
    lowest: float | None = 0,
) -> Panel:
    """Return values over time: lines, stacked bars, or points.

    Args:
        title: what it shows.
        description: what question it answers.
        targets: its queries.
        unit: of the values.
        bars: whether they are counts, which are stacked.
        points: whether each value stands for itself.
        overrides: how single series are shown.
        links: where values lead.
        lowest: where the axis begins; None where values may be negative.
    """
    custom = {
        "drawStyle": "bars" if bars else "points" if points else "line",
        "fillOpacity": 60 if bars else 8,
        "lineWidth": 1,
        "pointSize": 6,
        "showPoints": "always" if points else "auto",
        "spanNulls": False,
        "stacking": {"mode": "normal" if bars else "none", "group": "A"},
    }
    defaults: dict[str, object] = {
        "unit": unit,
        "color": {"mode": "palette-classic"},
        "custom": custom,
        "links": list(links),
    }
    if lowest is not None:
        defaults["min"] = lowest
    return Panel(
        kind="timeseries",
        title=title,
        description=description,
        targets=targets,
        options={
            "legend": _LEGEND,
            "tooltip": {"mode": "single" if points else "multi", "sort": "desc"},
        },
        defaults=defaults,
        overrides=overrides,
    )


def show_table(
    title: str,
    description: str,
    target: Target,
    *,
    overrides: Sequence[Json] = (),
    transformations: Sequence[Json] = (),
) -> Panel:
    """Return rows."""
    return Panel(
        kind="table",
        title=title,
        description=description,
        targets=[target],
        options={"showHeader": True, "cellHeight": "sm"},
        defaults={
            "noValue": "",
            "unit": "none",
            "custom": {"align": "auto", "filterable": True, "inspect": True},
        },
        overrides=overrides,
        transformations=transformations,
    )


def show_states(
    title: str, description: str, target: Target, mappings: Sequence[Json], *, legend: bool = True
) -> Panel:
    """Return what state something was in, over time."""
    return Panel(
        kind="state-timeline",
        title=title,
        description=description,
        targets=[target],
        options={
            "showValue": "never",
            "mergeValues": True,
            "rowHeight": 0.85,
            "alignValue": "center",
            "legend": _LEGEND if legend else _NO_LEGEND,
            "tooltip": {"mode": "single", "sort": "none"},
        },
        defaults={
            "mappings": list(mappings),
            "color": {"mode": "fixed", "fixedColor": UNKNOWN},
            "custom": {"fillOpacity": 75, "lineWidth": 0, "spanNulls": True},
        },
    )


def show_heatmap(title: str, description: str, target: Target, unit: str = "short") -> Panel:
    """Return the distribution of a classic histogram over time; ``unit`` is that of the values."""
    return Panel(
        kind="heatmap",
        title=title,
        description=description,
        targets=[target],
        options={
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": "short"},
            "color": {
                "mode": "scheme",
                "scheme": "Blues",
                "steps": 64,
                "exponent": 0.5,
                "fill": "dark-blue",
                "reverse": False,
                "scale": "exponential",
            },
            "exemplars": {"color": "rgba(255,0,255,0.7)"},
            "filterValues": {"le": 1e-9},
            "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
            "rowsFrame": {"layout": "auto"},
            "showValue": "never",
            "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": True},
            "legend": {"show": True},
        },
        defaults={
            "unit": unit,
            "custom": {"hideFrom": {"viz": False, "legend": False, "tooltip": False}},
        },
    )


def show_bars(  # noqa: PLR0913 - what differs between bars
    title: str,
    description: str,
    target: Target,
    *,
    unit: str,
    thresholds: Json,
    links: Sequence[Json] = (),
) -> Panel:
    """Return one bar a series, coloured by thresholds."""
    return Panel(
        kind="bargauge",
        title=title,
        description=description,
        targets=[target],
        options={
            "reduceOptions": _REDUCE,
            "displayMode": "basic",
            "orientation": "horizontal",
            "showUnfilled": True,
            "valueMode": "color",
            "namePlacement": "auto",
            "minVizHeight": 16,
            "minVizWidth": 8,
            "maxVizHeight": 32,
            "sizing": "auto",
        },
        defaults={
            "unit": unit,
            "min": 0,
            "noValue": "none",
            "thresholds": thresholds,
            "color": {"mode": "thresholds"},
            "links": list(links),
        },
    )


def show_graph(
    title: str, description: str, nodes: Target, edges: Target, overrides: Sequence[Json]
) -> Panel:
    """Return a graph of nodes and edges.

    The menu of a node, or an edge, has the links of all its fields: an override gives them to one.
    """
    return Panel(
        kind="nodeGraph",
        title=title,
        description=description,
        targets=[nodes, edges],
        options={
            "zoomMode": "cooperative",
            "layoutAlgorithm": "layered",
            "nodes": {"arcs": []},
            "edges": {},
        },
        overrides=overrides,
    )


def show_text(title: str, text: str) -> Panel:
    """Return a paragraph in Markdown."""
    return Panel(
        kind="text",
        title=title,
        description="What this dashboard answers, and how to read it.",
        options={"mode": "markdown", "content": text},
    )


def tell(text: str) -> Row:
    """Return the last row of every dashboard: what it answers, and how to read it."""
    return Row("About", [Strip(6, [(24, show_text("About this dashboard", text))])], collapsed=True)
