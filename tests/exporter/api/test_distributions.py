import math
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
import sqlalchemy as sa
from builders import at, make_profile, make_run
from summarising import make_categorical, make_numeric

from mltrace_exporter.model import MetricValue
from mltrace_otel.contract.api import Run, RunProfile

Record = Callable[..., None]

DELAYS = make_numeric("delay", [1.0, 2.0, None, -4.0])
CARRIERS = make_categorical("carrier", ["UA", "DL", "UA", "AA"])


def test_a_run_tells_how_its_outputs_were_distributed(api: httpx.Client, record: Record) -> None:
    given = make_profile(DELAYS, CARRIERS, pointer="p.parquet", rows=8, looked_at=4)
    record(make_run("predict", 3, profiles=(given,)))
    run_id = api.get("/api/runs").json()["items"][0]["id"]

    answer = api.get(f"/api/runs/{run_id}/profiles")
    (found,) = msgspec.json.decode(answer.content, type=list[RunProfile])

    assert (found.run_id, found.started_at) == (run_id, at(3))
    assert (found.direction, found.variable, found.pointer) == (
        "output",
        "predictions",
        "p.parquet",
    )
    assert (found.profile.rows, found.profile.looked_at) == (8, 4)
    assert found.profile.columns == (DELAYS, CARRIERS)
    assert [each.name for each in found.summaries] == ["delay", "carrier"]
    assert found.summaries[0].null_ratio == 0.25
    assert found.summaries[1].distinct == 3


def test_a_run_has_the_figures_with_it(api: httpx.Client, record: Record) -> None:
    metrics = (MetricValue("mae", 1.5), MetricValue("loss", math.nan), MetricValue("n", 7.0, True))  # noqa: FBT003
    record(make_run("predict", profiles=(make_profile(DELAYS),), metrics=metrics))

    answer = api.get(f"/api/runs/{api.get('/api/runs').json()['items'][0]['id']}")
    assert answer.status_code == 200, answer.text
    run = msgspec.json.decode(answer.content, type=Run)

    (summary,) = run.profiles
    assert (summary.variable, summary.rows, summary.looked_at) == ("predictions", 4, 4)
    assert (summary.columns[0].minimum, summary.columns[0].maximum) == (-4.0, 2.0)
    assert [(each.name, each.value, each.is_output) for each in run.metrics] == [
        ("loss", None, False),
        ("mae", 1.5, False),
        ("n", 7.0, True),
    ]


def test_a_component_tells_how_a_variable_was_distributed_newest_first(
    api: httpx.Client, record: Record
) -> None:
    for minute in range(4):
        sizes = make_profile(make_numeric("size", [float(minute)]), variable="sizes")
        inputs = make_profile(CARRIERS, variable="flights", direction="input")
        record(make_run("daily", minute, profiles=(sizes, inputs)))
    record(make_run("other", 9, profiles=(make_profile(DELAYS),)))

    def ask(**query: Any) -> list[RunProfile]:
        answer = api.get("/api/components/daily/profiles", params=query)
        return msgspec.json.decode(answer.content, type=list[RunProfile])

    assert [each.started_at for each in ask(variable="sizes", limit=3)] == [at(3), at(2), at(1)]
    assert {each.variable for each in ask(direction="input")} == {"flights"}
    assert len(ask()) == 8
    assert ask(variable="unknown") == []


def test_metrics_are_told_over_runs(api: httpx.Client, record: Record) -> None:
    for minute in range(5):
        metrics = [MetricValue("mae", float(minute))]
        if minute % 2:
            metrics.append(MetricValue("rare", 0.5))
        record(make_run("train", minute, metrics=tuple(metrics)))

    mae, rare = api.get("/api/components/train/metrics", params={"limit": 3}).json()
    (alone,) = api.get("/api/components/train/metrics", params={"metric": "rare"}).json()

    assert (mae["name"], [each["value"] for each in mae["points"]]) == ("mae", [4.0, 3.0, 2.0])
    assert (rare["name"], len(rare["points"])) == ("rare", 1)
    assert len(alone["points"]) == 2


@pytest.mark.parametrize("question", ["profiles", "metrics"])
def test_of_an_unknown_component_nothing_is_told(api: httpx.Client, question: str) -> None:
    assert api.get(f"/api/components/nobody/{question}").status_code == 404
    assert api.get(f"/api/components/nobody/{question}?limit=5000").status_code == 422


def test_views_have_a_row_for_each_column_and_metric(
    record: Record, connection: sa.Connection
) -> None:
    inputs = make_profile(CARRIERS, variable="flights", direction="input")
    given = (make_profile(DELAYS, CARRIERS, pointer="p.parquet"), inputs)
    metric = MetricValue("mae", 1.5)
    record(make_run("predict", profiles=given, metrics=(metric,)))

    rows = connection.execute(sa.text("SELECT * FROM mltrace_ro.output_profiles")).mappings().all()
    delay, carrier = (dict(row) for row in rows)
    metrics = connection.execute(sa.text("SELECT * FROM mltrace_ro.run_metrics")).mappings().all()

    assert (delay["component"], delay["variable"], delay["output"]) == (
        "predict",
        "predictions",
        "p.parquet",
    )
    assert (delay["column_name"], delay["kind"], delay["rows"]) == ("delay", "numeric", 4)
    assert (delay["nulls"], delay["null_ratio"], delay["min"], delay["max"]) == (1, 0.25, -4, 2)
    assert delay["p50"] == pytest.approx(1.0, rel=0.01)
    assert delay["distinct_estimate"] is None
    assert (carrier["column_name"], carrier["distinct_estimate"], carrier["mean"]) == (
        "carrier",
        3,
        None,
    )
    assert [(row["metric"], row["value"], row["is_output"]) for row in metrics] == [
        ("mae", 1.5, False)
    ]
