"""Runs join the program's telemetry, which can neither drop nor cut them."""

import random
from collections.abc import Callable
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from receiving import receive_http, run_program

from mltrace_exporter.model import Run
from mltrace_otel import Component

Recorded = Callable[[], list[Run]]


def test_the_programs_telemetry_neither_drops_nor_cuts_runs(tmp_path: Path) -> None:
    program = """
        import mltrace_otel
        from opentelemetry import trace
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

        trace.set_tracer_provider(TracerProvider(sampler=ALWAYS_OFF))

        @mltrace_otel.Component("a-component-of-long-name", tags=["one", "two", "three"]).run(
            input_vars=["x"], output_vars=["model"]
        )
        def work(x):
            model = [[name] for name in x]
            return model

        with trace.get_tracer("user").start_as_current_span("root"):
            work(["a-rather-long-name", mltrace_otel.create_random_ids()[0]])
    """
    limits = {
        f"OTEL_{what}": "1"
        for what in (
            "ATTRIBUTE_COUNT_LIMIT",
            "ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "SPAN_ATTRIBUTE_COUNT_LIMIT",
            "SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "SPAN_EVENT_COUNT_LIMIT",
            "SPAN_LINK_COUNT_LIMIT",
            "EVENT_ATTRIBUTE_COUNT_LIMIT",
            "LINK_ATTRIBUTE_COUNT_LIMIT",
        )
    }
    with receive_http() as receiver:
        ended = run_program(
            tmp_path,
            program,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_TRACES_SAMPLER="always_off",
            **limits,
        )
        (run,) = receiver.runs()

    assert (ended.status, ended.stderr) == (0, "")
    assert run.component == "a-component-of-long-name"
    assert run.words
    assert run.words.tags == ("one", "two", "three")
    assert run.io[0].name == "a-rather-long-name"
    assert len(run.io) == 3


def test_a_run_joins_the_programs_trace(recorded: Recorded) -> None:
    exported = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    tracer = provider.get_tracer("user")

    @Component("c").run
    def work() -> None:
        with tracer.start_as_current_span("detail"):
            pass

    with tracer.start_as_current_span("request"):
        work()

    detail, request = exported.get_finished_spans()
    (run,) = recorded()
    assert request.context
    assert detail.parent
    assert run.parent_span_id == request.context.span_id.to_bytes(8, "big")
    assert run.id.trace_id == request.context.trace_id.to_bytes(16, "big")
    assert detail.parent.span_id.to_bytes(8, "big") == run.id.span_id


def test_a_run_does_not_sample_what_the_program_left_out(recorded: Recorded) -> None:
    exported = InMemorySpanExporter()
    provider = TracerProvider()  # samples as the parent was
    provider.add_span_processor(SimpleSpanProcessor(exported))

    @Component("c").run
    def work() -> None:
        with provider.get_tracer("user").start_as_current_span("detail"):
            pass

    tracer = TracerProvider(sampler=ALWAYS_OFF).get_tracer("user")
    with tracer.start_as_current_span("request"):
        work()

    assert exported.get_finished_spans() == ()
    assert len(recorded()) == 1


def test_a_seed_of_the_program_is_its_own(recorded: Recorded) -> None:
    @Component("c").run
    def work() -> None:
        """Do nothing."""

    random.seed(42)
    expected = random.random()  # noqa: S311 - no secret
    random.seed(42)
    work()
    assert random.random() == expected  # noqa: S311 - no secret
    random.seed(42)
    work()

    first, second = recorded()
    assert first.id != second.id
    assert first.id.trace_id != second.id.trace_id
