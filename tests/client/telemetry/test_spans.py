"""The span of a run takes what the program puts on it."""

from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode
from receiving import Receiver

from mltrace_exporter.model import Run
from mltrace_otel import Component

Recorded = Callable[[], list[Run]]


def test_what_the_program_puts_on_its_run_arrives(recorded: Recorded, receiver: Receiver) -> None:
    kept: list[trace.Span] = []

    @Component("c").run
    def work() -> None:
        span = trace.get_current_span()
        kept.append(span)
        span.set_attribute("rows", 12)
        span.set_attributes({"shape": [1, 2], "name": "n" * 100_000})
        span.add_event("checkpoint", {"at": 1})
        span.add_link(trace.SpanContext(1, 2, is_remote=True), {"why": "so"})
        span.record_exception(ValueError("handled"))
        span.set_status(Status(StatusCode.ERROR, "half of it"))
        span.update_name("work of c")
        assert span.is_recording()
        span.end()
        assert span.is_recording()

    work()

    (run,) = recorded()
    assert (run.component, run.message) == ("c", "half of it")
    (span,) = receiver.spans()
    assert span.name == "work of c"
    attributes = {pair.key: pair.value for pair in span.attributes}
    assert attributes["rows"].int_value == 12
    assert len(attributes["name"].string_value) == 100_000
    assert [event.name for event in span.events] == ["checkpoint", "exception"]
    assert span.links[0].span_id == (2).to_bytes(8, "big")
    assert span.end_time_unix_nano > span.start_time_unix_nano
    assert not kept[0].is_recording()
    kept[0].set_attribute("late", 1)


def test_ids_are_unique_and_a_child_has_its_parents_trace(recorded: Recorded) -> None:
    work = Component("c").run(lambda: trace.get_current_span().get_span_context())
    remote = trace.SpanContext(
        12,
        34,
        is_remote=True,
        trace_flags=trace.TraceFlags(1),
        trace_state=trace.TraceState([("a", "b")]),
    )

    own = [work() for _ in range(100)]
    with trace.use_span(trace.NonRecordingSpan(remote)):
        child = work()

    assert len({each.trace_id for each in own}) == len({each.span_id for each in own}) == 100
    assert all(each.is_valid and each.trace_flags.sampled for each in own)
    assert (child.trace_id, child.trace_state) == (12, remote.trace_state)
    assert recorded()[-1].parent_span_id == (34).to_bytes(8, "big")
