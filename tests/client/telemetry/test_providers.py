"""A program may have its runs go through its own tracer provider."""

from collections.abc import Callable, Iterator

import pytest
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

from mltrace_exporter.decode import Encoding, decode_request
from mltrace_exporter.model import Run
from mltrace_otel import Component, Test, configure

Recorded = Callable[[], list[Run]]


@pytest.fixture
def exporter() -> Iterator[InMemorySpanExporter]:
    """What keeps the spans of the program's own provider, chosen for runs."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    configure(tracer_provider=provider)
    yield exporter
    configure()


class Passes(Test):
    def testIt(self, x: str) -> None:  # noqa: N802 - as documented
        self.assertTrue(x)


def decode(spans: tuple[ReadableSpan, ...]) -> list[Run]:
    return decode_request(encode_spans(spans).SerializeToString(), Encoding.PROTOBUF).runs


def test_runs_are_spans_of_the_chosen_provider(
    recorded: Recorded, exporter: InMemorySpanExporter
) -> None:
    @Component("inner", tags=["t"], beforeTests=[Passes]).run(input_vars=["x"], output_vars=["y"])
    def inner(x: str) -> None:
        y = [f"{x}-{number}" for number in range(1000)]
        assert y

    @Component("outer").run
    def outer() -> None:
        inner("a.csv")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        outer()

    assert recorded() == []
    spans = exporter.get_finished_spans()
    assert spans[1].status.status_code is StatusCode.ERROR
    first, second = decode(spans)
    assert (first.component, first.parent_span_id) == ("inner", second.id.span_id)
    assert first.words is not None
    assert first.words.tags == ("t",)
    assert [io.name for io in first.io][:2] == ["a.csv", "a.csv-0"]
    assert len(first.io) == 1001
    assert [test.status for test in first.tests] == ["pass"]
    assert (second.execution, second.message) == ("error", "ValueError: no")
    assert "raise ValueError" in (second.code or "")


def test_its_sampler_decides(recorded: Recorded) -> None:
    configure(tracer_provider=TracerProvider(sampler=ALWAYS_OFF))
    try:
        assert Component("c").run(len)([1]) == 1
    finally:
        configure()

    assert recorded() == []


def test_many_pointers_go_on_spans_of_their_own(
    recorded: Recorded, exporter: InMemorySpanExporter
) -> None:
    @Component("c").run(output_vars=["ids"])
    def predict() -> None:
        ids = [f"prediction-{number:040}" for number in range(40_000)]
        assert ids

    predict()

    assert recorded() == []
    (run,) = [run for run in decode(exporter.get_finished_spans()) if run.component == "c"]
    helpers = [span for span in exporter.get_finished_spans() if span.parent is not None]
    assert helpers
    assert {span.parent.span_id.to_bytes(8, "big") for span in helpers if span.parent} == {
        run.id.span_id
    }
