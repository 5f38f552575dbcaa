"""Examples for OpenAPI: one answer and one request of each shape, from the demo's pipeline."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from mltrace_otel.contract import api as shapes
from mltrace_otel.profiles.shapes import Buckets, Column, ColumnKind, Histogram, Numbers, Profile
from mltrace_otel.profiles.summaries import summarise
from mltrace_otel.profiles.verdicts import ColumnDrift, Deviation, DriftMethod, ProfileDrift

_WHEN = datetime(2026, 1, 5, 7, 30, tzinfo=UTC)
_LATER = datetime(2026, 1, 6, 9, 15, tzinfo=UTC)
_OUTPUT = "predictions/2026-01-05.parquet"
_MODEL = "models/delay.joblib"
_DIGEST = "xxh3-128:5f2b9c0a4d7e13868c5b1a0f9e6d2c47"

_RUN = shapes.RunSummary(
    id=42,
    trace_id="0af7651916cd43dd8448eb211c80319c",
    span_id="b7ad6b7169203331",
    component="inference",
    owner="jeanne",
    tags=["production"],
    started_at=_WHEN,
    ended_at=datetime(2026, 1, 5, 7, 30, 4, tzinfo=UTC),
    duration_s=4.0,
    execution=shapes.Execution.OK,
    tests=shapes.TestVerdict.PASSED,
    stale=[shapes.StaleReason("old_input", "training (ID 7) was run 41 days ago.", 7)],
    partition="2026-01-05",
    git_hash="596b1e12bcf849ebd6db856071b90aad7e921c8d",
    git_tags=["v1.4"],
    message=None,
    input_count=1,
    output_count=1,
    inputs=[_MODEL],
    outputs=[_OUTPUT],
)
_FLAG = shapes.Flag(
    id=3,
    output=_OUTPUT,
    run_id=42,
    flagged_by="jeanne",
    flagged_at=_LATER,
    reason="all delays are negative",
    resolved_at=None,
    resolved_by=None,
    resolution=None,
    severity=shapes.Severity.HIGH,
)
_NOTE = shapes.Note(5, 42, "Ran again after the feed was repaired.", "jeanne", _LATER)
_COMPONENT = shapes.Component(
    "inference", "jeanne", "Predicts delays of flights.", ["production"], 365, _WHEN
)
_USE = shapes.PointerUse(42, "inference", _WHEN, "data", _DIGEST, 51_200, [])
_REVIEW = shapes.Review(
    [_FLAG],
    1,
    [shapes.Candidate(_RUN, 1, 0, 1.0, 1.0, ["The code had changed since the run before."], 12)],
    shapes.ReviewSort.COVERAGE,
)
_ALERT = shapes.Alert(
    name="MltraceTestFailed",
    severity=shapes.AlertSeverity.WARNING,
    component="inference",
    owner="jeanne",
    labels={
        "component": "inference",
        "suite": "DelayTest",
        "test": "testRange",
        "phase": "after",
        "outcome": "failed",
    },
    since=_WHEN,
    summary="Test testRange of inference failed",
    description="DelayTest.testRange, run after inference, failed when it last ran.",
    runbook_url="http://127.0.0.1:8080/runbooks/MltraceTestFailed",
    panel_path="/component?name=inference",
)
_READ = shapes.Pointer(_MODEL, "model", _DIGEST, 812_000, [], flagged=False, producer_id=7)
_WRITTEN = shapes.Pointer(_OUTPUT, "data", _DIGEST, 51_200, [], flagged=True)
_DELAYS = Column(
    "delay",
    ColumnKind.NUMERIC,
    4,
    1,
    numbers=Numbers(
        minimum=-2.0,
        maximum=31.0,
        total=33.0,
        squares=981.0,
        infinite=0,
        histogram=Histogram(0, 1, Buckets(1, (1, 0, 0, 1)), Buckets(0, (1,))),
    ),
)
_PROFILE = shapes.RunProfile(
    42, _WHEN, "output", "predictions", _OUTPUT, Profile(5, 5, (_DELAYS,)), [summarise(_DELAYS)]
)
_MOVED = Deviation(
    DriftMethod.PSI,
    3.1,
    0.2,
    1e-12,
    drifted=True,
    sentence="delay: median went from 4 to 240, PSI 3.1 (threshold 0.2)",
)
_VARIABLE_DRIFT = shapes.VariableDrift(
    run_id=42,
    component="inference",
    direction="output",
    variable="predictions",
    reference_ids=[40, 41],
    builder_id=None,
    rows=850,
    reference_rows=1_720,
    drift=ProfileDrift(
        drifted=True,
        deviations=[],
        columns=[ColumnDrift("delay", "numeric", True, [_MOVED], 3.1, 0.92, 0.87)],  # noqa: FBT003
    ),
    sentences=[_MOVED.sentence],
)
_METRIC = shapes.Metric("mae", 11.25, is_output=False)
_VALUES: dict[object, object] = {
    list[shapes.Alert]: [_ALERT],
    list[shapes.CaseHistory]: [
        shapes.CaseHistory(
            "DelayTest",
            "testRange",
            "after",
            [
                shapes.Trial(42, _LATER, "fail", "3 delays are above 1440 minutes.", 0.004),
                shapes.Trial(41, _WHEN, "pass", None, 0.003),
            ],
        )
    ],
    shapes.Cleaned: shapes.Cleaned(1042),
    shapes.CleanRequest: shapes.CleanRequest(shapes.CLEAN_CONFIRMATION),
    shapes.Comparison: shapes.Comparison(
        before=replace(_RUN, id=41),
        after=_RUN,
        code=shapes.Change.CHANGED,
        facts=[shapes.FactChange("commit", "1b8d9f0c", "596b1e12")],
        attributes=[shapes.FactChange("rate", "0.1", "0.2")],
        inputs=[shapes.PointerChange(shapes.Change.SAME, _READ, _READ)],
        outputs=[shapes.PointerChange(shapes.Change.ADDED, None, _WRITTEN)],
        tests=[shapes.TestChange("DelayTest", "testRange", "after", "pass", "fail")],
        sentences=["The code changed.", "commit: 596b1e12 (before: 1b8d9f0c)."],
        aspects=[
            shapes.AspectChange(shapes.Aspect.CODE, shapes.Change.CHANGED, ["The code changed."]),
            shapes.AspectChange(
                shapes.Aspect.GIT,
                shapes.Change.CHANGED,
                ["commit: 596b1e12 (before: 1b8d9f0c)."],
            ),
            shapes.AspectChange(shapes.Aspect.DATA, shapes.Change.UNKNOWN, []),
        ],
    ),
    shapes.Component: _COMPONENT,
    list[shapes.Component]: [_COMPONENT],
    shapes.ComponentRequest: shapes.ComponentRequest("jeanne", "Predicts delays.", ["flights"]),
    shapes.ComponentTrace: shapes.ComponentTrace(
        _OUTPUT,
        42,
        [shapes.ComponentNode("inference", 0, 1), shapes.ComponentNode("training", 1, 1)],
        [shapes.ComponentEdge("inference", "training", 1, content_changed_outside=False)],
        truncated=False,
    ),
    shapes.Drift: shapes.Drift(42, "last:2", drifted=True, variables=[_VARIABLE_DRIFT]),
    shapes.DeadLetterPage: shapes.DeadLetterPage(
        [
            shapes.DeadLetter(
                id=1,
                received_at=_LATER,
                reason="It has no valid trace id and span id.",
                component="inference",
                encoding="application/json",
                size_bytes=24,
                content="eyJuYW1lIjogImluZmVyZW5jZSJ9",
            )
        ],
        None,
    ),
    list[shapes.Flag]: [_FLAG],
    shapes.FlagChange: shapes.FlagChange([_FLAG], []),
    shapes.FlagRequest: shapes.FlagRequest(
        [_OUTPUT], "all delays are negative", "jeanne", shapes.Severity.HIGH
    ),
    list[shapes.MetricHistory]: [
        shapes.MetricHistory("mae", is_output=False, points=[shapes.MetricPoint(42, _WHEN, 11.25)])
    ],
    shapes.Note: _NOTE,
    shapes.NotePage: shapes.NotePage([_NOTE], None),
    shapes.NoteRequest: shapes.NoteRequest("Ran again after the feed was repaired.", "jeanne"),
    shapes.PointerHistory: shapes.PointerHistory(
        _OUTPUT,
        "data",
        flagged=True,
        versions=[_USE],
        versions_cursor=None,
        readers=[],
        readers_cursor=None,
        flags=[_FLAG],
    ),
    shapes.Problem: shapes.Problem("Not Found", 404, "There is no run 999."),
    shapes.Review: _REVIEW,
    shapes.Run: shapes.Run(
        summary=_RUN,
        description="Predicts delays of flights.",
        parent_id=None,
        inputs=[_READ],
        outputs=[_WRITTEN],
        test_outcomes=[shapes.TestOutcome("DelayTest", "testRange", "after", "pass", None, 0.002)],
        dependencies=[],
        notes=_NOTE.text,
        code="def predict(model, flights):\n    return model.predict(flights)\n",
        code_function="pipeline.predict",
        code_file="pipeline.py",
        code_line=12,
        git_ref="main",
        git_repository="https://git.example.com/flights.git",
        git_dirty=False,
        error_type=None,
        staleness_threshold_s=2_592_000.0,
        resource={"service.name": "nightly"},
        note_history=[_NOTE],
        upstream=shapes.UpstreamVerdict(
            4,
            1,
            0,
            0,
            0,
            truncated=False,
            faults=[
                shapes.UpstreamFault(
                    3, 3, "Made from data that failed OutliersTest.testDelays three runs up."
                )
            ],
        ),
        profiles=[
            shapes.ProfileSummary(
                "output", "predictions", _OUTPUT, 5, 5, [summarise(_DELAYS)], columns_left_out=0
            )
        ],
        metrics=[_METRIC],
    ),
    shapes.RunCount: shapes.RunCount(365),
    list[shapes.RunProfile]: [_PROFILE],
    shapes.RunPage: shapes.RunPage([_RUN], "2026-01-05T07:30:00+00:00~42"),
    shapes.SearchAnswer: shapes.SearchAnswer([_COMPONENT], [_OUTPUT], [_NOTE], truncated=False),
    list[shapes.Tag]: [shapes.Tag("production", 3)],
    shapes.TagRequest: shapes.TagRequest("inference", ["production"]),
    shapes.Trace: shapes.Trace(
        _OUTPUT,
        42,
        [shapes.TraceNode(_RUN, 0)],
        [shapes.TraceEdge(42, 7, _MODEL, shapes.EdgeRule.DIGEST, content_changed_outside=False)],
        truncated=False,
    ),
    shapes.UnflagRequest: shapes.UnflagRequest([_OUTPUT], resolution="computed again", by="jeanne"),
}


def exemplify(shape: Any) -> Any:  # noqa: ANN401 - a type, and its JSON
    """Return the JSON of the example of a shape."""
    return TypeAdapter(shape).dump_python(_VALUES[shape], mode="json")


def answers(shape: Any) -> dict[int | str, dict[str, Any]]:  # noqa: ANN401 - a type
    """Return what OpenAPI says beside the schema about an answer of this shape."""
    return {200: {"content": {"application/json": {"example": exemplify(shape)}}}}
