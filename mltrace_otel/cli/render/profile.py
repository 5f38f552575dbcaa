"""Distributions of a run's variables, and a component's metrics, for a terminal."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mltrace_otel.cli.render.bars import draw_histogram, draw_series
from mltrace_otel.cli.render.layout import Fitted, Name, lines, section, shorten, table
from mltrace_otel.cli.render.words import command, count, printable
from mltrace_otel.contract.api import Metric, MetricHistory, ProfileSummary, RunProfile
from mltrace_otel.profiles.histograms import count_values
from mltrace_otel.profiles.shapes import TOP_VALUES, Column, ColumnKind, Values
from mltrace_otel.profiles.summaries import Summary

_NARROW, _WIDE = 12, 24
_WIDE_SCREEN = 110
_VALUES_SHOWN = 3
_VALUE_WIDTH = 12
_LEAST_SHARE = 0.01
_SPREAD_OF = 20
_LEAST_S, _MOST_S = -62_135_596_800, 253_402_300_799  # what datetime knows: the years 1 to 9999


def render_profiles(profiles: Sequence[RunProfile], _now: datetime) -> RenderableType:
    """Return a table of columns for each variable."""
    if not profiles:
        return lines(
            "It told of no distribution. Tables, arrays and lists of numbers that a function "
            "writes have one, unless MLTRACE_PROFILES or its component says otherwise."
        )
    parts = [part for each in profiles for part in _show(each)]
    return Group(*parts, section("Next", command("inspect", str(profiles[0].run_id))))


def _show(found: RunProfile) -> Iterator[RenderableType]:
    profile = found.profile
    yield _head(found.variable, found.direction, profile.rows, profile.looked_at)
    if found.pointer and found.pointer != found.variable:
        yield Text(printable(found.pointer), style="dim", overflow="fold")
    if profile.columns:
        yield Fitted(lambda width: _tabulate(found, width))
    if profile.columns_left_out:
        yield Text(f"and {count(profile.columns_left_out, 'more column')}", style="dim")
    yield ""


def _head(variable: str, direction: str, rows: int, looked_at: int) -> Text:
    head = Text(printable(variable), style="bold", overflow="fold")
    sampled = f", of which {looked_at:,} were looked at" if looked_at < rows else ""
    head.append(f"  {printable(direction)} of {count(rows, 'row')}{sampled}", style="not bold")
    return head


def _tabulate(found: RunProfile, width: int) -> Table:
    built = table("Column", "Kind", ">Nulls", ">Min", ">Median", ">Max", "Distribution")
    bars = _WIDE if width >= _WIDE_SCREEN else _NARROW
    for column, summary in zip(found.profile.columns, found.summaries, strict=True):
        built.add_row(
            Name(column.name),
            column.kind,
            _share(summary.null_ratio),
            *(_number(each, column) for each in (summary.minimum, summary.p50, summary.maximum)),
            _draw(column, summary, bars),
        )
    return built


def _draw(column: Column, summary: Summary, width: int) -> Text:
    """Return bars of numbers; of what is told apart the frequent values, or how many there are."""
    if column.values is None:
        bars = "" if column.numbers is None else draw_histogram(column.numbers.histogram, width)
        return Text(bars, no_wrap=True)
    distinct = summary.distinct or 0
    few = distinct <= TOP_VALUES
    words = _list_values(column.values, column.count) if few else f"{distinct:,} distinct"
    return Text(words, no_wrap=True, overflow="ellipsis")


def _list_values(values: Values, total: int) -> str:
    shown = values.top[:_VALUES_SHOWN]
    named = [
        f"{shorten(printable(value), _VALUE_WIDTH)} {_share(number / total)}"
        for value, number in shown
    ]
    return ", ".join([*named, *(["…"] if values.other or len(values.top) > len(shown) else [])])


def _share(share: float | None) -> str:
    if share is None:
        return "-"
    return "0" if share == 0 else "<1%" if share < _LEAST_SHARE else f"{share:.0%}"


def _number(value: float | None, column: Column) -> str:
    if value is None:
        return "-"
    if column.kind is ColumnKind.DATETIME and _LEAST_S < value < _MOST_S:
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d}"
    return f"{value:.4g}"


def list_summaries(profiles: Sequence[ProfileSummary]) -> Iterator[Text]:
    """Yield a line for each profile of a run."""
    for each in profiles:
        line = _head(each.variable, each.direction, each.rows, each.looked_at)
        line.append(f" and {count(len(each.columns) + each.columns_left_out, 'column')}")
        worst = max(each.columns, key=lambda column: column.null_ratio or 0, default=None)
        if worst is not None and worst.null_ratio:
            words = f" · {_share(worst.null_ratio)} of {printable(worst.name)} missing"
            line.append(words, style="dim")
        yield line


def list_metrics(metrics: Sequence[Metric]) -> Iterator[Text]:
    """Yield a line for each metric of a run."""
    for each in metrics:
        line = Text(f"{printable(each.name)} = {_tell(each.value)}", overflow="fold")
        if each.is_output:
            line.append(" · given", style="dim")
        yield line


def _tell(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.6g}"


def render_metrics(metrics: Sequence[MetricHistory], _now: datetime) -> RenderableType:
    """Return a table of metrics, each with its course over runs."""
    if not metrics:
        return lines(
            "None of its newest runs logged or gave a number. mltrace_otel.log_metric(name, value) "
            "logs one."
        )
    newest = max(each.points[0].run_id for each in metrics)
    return Group(
        Fitted(lambda width: _tabulate_metrics(metrics, max(10, width // 3))),
        Text("From old to new, each between its least and its greatest value", style="dim"),
        *_show_spread(metrics),
        section("Next", command("inspect", str(newest))),
    )


def _show_spread(metrics: Sequence[MetricHistory]) -> Iterator[RenderableType]:
    """Yield how the values of a metric that stands alone are distributed over runs."""
    if len(metrics) != 1:
        return
    values = sorted(point.value for point in metrics[0].points if point.value is not None)
    if len(values) >= _SPREAD_OF:
        low, median, high = (_tell(values[len(values) * share // 100]) for share in (5, 50, 95))
        bars = draw_histogram(count_values(values), _WIDE)
        words = f"median {median}, nine of ten from {low} to {high}"
        yield section(f"Over {len(values):,} runs", lines(bars, words))


def _tabulate_metrics(metrics: Sequence[MetricHistory], width: int) -> Table:
    built = table("Metric", ">Newest", ">Least", ">Greatest", "Course")
    for each in metrics:
        values = [point.value for point in each.points]
        known = [value for value in values if value is not None]
        built.add_row(
            Name(each.name),
            _tell(values[0]),
            *(_tell(edge) for edge in (min(known, default=None), max(known, default=None))),
            Text(draw_series(values[:width][::-1]), no_wrap=True),
        )
    return built
