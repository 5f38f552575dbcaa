"""What a decorated call costs beside a bare OpenTelemetry span that says the same.

Both call the same function, which does nothing, with one input and one output, names of files that
do not exist; the output is a local variable. The decorated call finds these values itself, looks
for the files, makes the span, serialises it and appends it to a file, from where it would be
delivered to a port where nobody listens. The bare span is made by hand: a provider of the SDK with
default settings, the same attributes and links handed over ready-made, current while the function
runs, and a processor that appends it to a bounded queue, as the SDK's BatchSpanProcessor does:
first never serialised, then serialised by the SDK's encoder, one by one as ours.

A loop of a million steps in a decorated function stands beside the same loop without a decorator:
reading its local variables must not slow it down.

Rounds of both alternate in one process; the figures are medians of the rounds, the ratio is the
median of the rounds' ratios. Prints one JSON line each. Run where nothing else runs.
"""

import json
import logging
import os
import statistics
import tempfile
from collections import deque
from collections.abc import Callable
from time import perf_counter

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

from mltrace_otel import Component
from mltrace_otel.contract import attributes as key
from mltrace_otel.provenance import find_repository, read_source
from mltrace_otel.telemetry import wire

ROUNDS = 25
CALLS = 250
STEPS = 1_000_000
LOOP_ROUNDS = 15
NOBODY = "http://127.0.0.1:9"
SOURCE, TARGET = "data/raw-2020.csv", "data/clean-2020.csv"
COMPONENT = Component("cleaning", "plumber", "Cleans raw taxi data", tags=["etl", "nyc"])


def clean(source: str) -> str:  # noqa: ARG001 - it is recorded
    """Do nothing."""
    target = TARGET
    return target  # noqa: RET504 - it is recorded


decorated = COMPONENT.run(input_vars=["source"], output_vars=["target"])(clean)


def loop(source: str) -> str:
    """Do something many times."""
    total = 0
    for number in range(STEPS):
        total += number
    return f"{source} {total}"


decorated_loop = COMPONENT.run(input_vars=["source"], output_vars=["total"])(loop)

CODE = read_source(clean)
SAID = {
    **wire.describe_component(
        COMPONENT.name, COMPONENT.owner, COMPONENT.description, COMPONENT.tags
    ),
    **wire.describe_code(CODE, find_repository(CODE.file)),
}
ATTRIBUTES = {name: value for name, value in SAID.items() if value is not None}
LINKS = [
    {key.IO_DIRECTION: "input", key.IO_NAME: SOURCE, key.IO_TYPE: "data"},
    {key.IO_DIRECTION: "output", key.IO_NAME: TARGET, key.IO_TYPE: "data"},
]


class Queue(SpanProcessor):
    """Keeps spans as the SDK's BatchSpanProcessor does."""

    def __init__(self) -> None:
        self._spans: deque[ReadableSpan | bytes] = deque(maxlen=2048)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        self._spans.appendleft(span)


class EncodingQueue(Queue):
    """Keeps spans as the SDK encodes them."""

    def on_end(self, span: ReadableSpan) -> None:
        """Encode and keep a span."""
        self._spans.appendleft(encode_spans([span]).SerializeToString())


def make_bare(queue: SpanProcessor) -> Callable[[str], str]:
    """Return the function with a bare span around each call."""
    provider = TracerProvider()
    provider.add_span_processor(queue)
    tracer = provider.get_tracer("benchmark")

    def bare(source: str) -> str:
        with tracer.start_as_current_span("cleaning", attributes=ATTRIBUTES) as span:
            target = clean(source)
            for link in LINKS:
                span.add_link(span.get_span_context(), link)
        return target

    return bare


def measure_us(function: Callable[[str], str], calls: int = CALLS) -> float:
    """Return what one call takes, in microseconds."""
    started_s = perf_counter()
    for _ in range(calls):
        function(SOURCE)
    return (perf_counter() - started_s) / calls * 1e6


def main() -> None:
    """Measure and print."""
    os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] = NOBODY
    logging.getLogger("mltrace_otel").setLevel(logging.ERROR)  # nothing is delivered, as intended
    with tempfile.TemporaryDirectory() as home:
        os.environ["MLTRACE_HOME"] = home
        print(json.dumps({"name": "no-op", **compare(make_bare(Queue()))}))
        print(json.dumps({"name": "no-op, bare encoded", **compare(make_bare(EncodingQueue()))}))
        print(json.dumps({"name": f"loop of {STEPS:,} steps", **compare_loops()}))


def compare(bare: Callable[[str], str]) -> dict[str, float]:
    """Return what both calls take, and their ratio."""
    measure_us(decorated), measure_us(bare)
    return summarise([(measure_us(decorated), measure_us(bare)) for _ in range(ROUNDS)])


def compare_loops() -> dict[str, float]:
    """Return what both loops take, and their ratio."""
    return summarise(
        [(measure_us(decorated_loop, 1), measure_us(loop, 1)) for _ in range(LOOP_ROUNDS)]
    )


def summarise(rounds: list[tuple[float, float]]) -> dict[str, float]:
    """Return the medians of both, and of their ratios."""
    return {
        "decorated_us": round(statistics.median(ours for ours, _ in rounds), 1),
        "bare_us": round(statistics.median(theirs for _, theirs in rounds), 1),
        "ratio": round(statistics.median(ours / theirs for ours, theirs in rounds), 2),
    }


if __name__ == "__main__":
    main()
