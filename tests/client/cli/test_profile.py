from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from builders import make_profile, make_run
from calling import Mltrace
from summarising import make_categorical, make_numeric

from mltrace_exporter.model import MetricValue
from mltrace_otel.contract.api import MetricHistory, RunProfile
from mltrace_otel.profiles.merging import summarise_numbers
from mltrace_otel.profiles.shapes import Column, ColumnKind

Record = Callable[..., None]

DELAYS = make_numeric("delay", [*(float(n) for n in range(1, 200)), None])
CARRIERS = make_categorical("carrier", ["UA"] * 3 + ["DL"])
WHEN = [datetime(2026, 1, day, tzinfo=UTC).timestamp() for day in (1, 2, 3)]


def record_run(record: Record) -> None:
    days = Column("day", ColumnKind.DATETIME, 3, 0, summarise_numbers(WHEN))
    tails = make_categorical("tail", [f"N{n}" for n in range(100)])
    wrote = make_profile(DELAYS, CARRIERS, days, tails, rows=1000, looked_at=200, pointer="p.csv")
    read = make_profile(CARRIERS, variable="flights", direction="input")
    metrics = (MetricValue("mae", 1.5), MetricValue("return", float("nan"), is_output=True))
    record(make_run("predict", profiles=(wrote, read), metrics=metrics))


def test_columns_are_shown_with_their_distribution(mltrace: Mltrace, record: Record) -> None:
    record_run(record)

    shown = mltrace.show("profile", "1", COLUMNS="120")

    head, name, titles, delay, carrier, day, tail = shown.splitlines()[:7]
    assert head == "predictions  output of 1,000 rows, of which 200 were looked at"
    assert name == "p.csv"
    assert titles.split() == ["Column", "Kind", "Nulls", "Min", "Median", "Max", "Distribution"]
    assert delay.split()[:6] == ["delay", "numeric", "<1%", "1", "100.8", "199"]
    assert set(delay.split()[6]) <= set("▁▂▃▄▅▆▇█")
    assert carrier.rstrip().endswith("  UA 75%, DL 25%")
    assert day.split()[3:6] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert tail.rstrip().endswith(" distinct")
    assert "flights  input of 4 rows" in shown


def test_one_variable_is_shown_alone(mltrace: Mltrace, record: Record) -> None:
    record_run(record)

    assert "predictions" not in mltrace.show("profile", "1", "flights")
    unknown = mltrace("profile", "1", "nothing")
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "mltrace: Run 1 told of no distribution of 'nothing': it told of flights, predictions.\n",
    )


def test_json_is_what_the_api_answers(mltrace: Mltrace, record: Record) -> None:
    record_run(record)

    profiles = msgspec.json.decode(mltrace.show("profile", "1", "--json"), type=list[RunProfile])
    metrics = msgspec.json.decode(
        mltrace.show("metrics", "predict", "--json"), type=list[MetricHistory]
    )

    assert profiles[0].profile.columns[0] == DELAYS
    assert [each.name for each in metrics] == ["mae", "return"]


def test_a_run_shows_in_short_what_it_wrote(mltrace: Mltrace, record: Record) -> None:
    record_run(record)

    shown = mltrace.show("inspect", "1")

    assert "Distributions (2)" in shown
    assert "predictions  output of 1,000 rows, of which 200 were looked at and 4 columns" in shown
    assert "mltrace profile 1" in shown
    assert "mae = 1.5" in shown
    assert "return = not finite · given" in shown


def test_metrics_are_shown_over_runs(mltrace: Mltrace, record: Record) -> None:
    for minute, value in enumerate([4.0, float("nan"), 1.0, 2.5]):
        record(make_run("train", minute, metrics=(MetricValue("mae", value),)))

    titles, mae = mltrace.show("metrics", "train").splitlines()[:2]

    assert titles.split() == ["Metric", "Newest", "Least", "Greatest", "Course"]
    assert mae.split() == ["mae", "2.5", "1", "4", "█", "▁▅"]


def test_a_metric_that_stands_alone_is_a_distribution_over_runs(
    mltrace: Mltrace, record: Record
) -> None:
    for minute in range(40):
        record(make_run("predict", minute, metrics=(MetricValue("return", minute, True),)))  # noqa: FBT003 - a named tuple

    shown = mltrace.show("metrics", "predict", "return", "--limit=1000")

    assert "Over 40 runs" in shown
    assert "median 20, nine of ten from 2 to 38" in shown
    assert "Over" not in mltrace.show("metrics", "predict", "return", "--limit=10")


def test_where_nothing_was_told_there_is_advice(mltrace: Mltrace, record: Record) -> None:
    record(make_run("plain"))

    assert "MLTRACE_PROFILES" in mltrace.show("profile", "1")
    assert "mltrace_otel.log_metric" in mltrace.show("metrics", "plain")
    assert mltrace("profile", "99").returncode == 1
    assert mltrace("metrics", "nobody").returncode == 1


def test_names_cannot_move_the_cursor(mltrace: Mltrace, record: Record) -> None:
    evil = make_categorical("a\x1b[2J", ["b\x1b[31m", "\n"])
    record(make_run("c", profiles=(make_profile(evil, variable="v\x1b"),)))

    assert "\x1b" not in mltrace.show("profile", "1") + mltrace.show("inspect", "1")
