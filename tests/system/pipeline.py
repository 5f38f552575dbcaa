"""A pipeline for tests. In: numbers, one a line. Out: the same, each when its round is done."""

import sys
from pathlib import Path

from mltrace_otel import Component, log_metric


@Component("ingest", owner="tests", tags=["system"]).run(output_vars=["raw"])
def ingest(number: str) -> str:
    """Write a file."""
    raw = f"raw-{number}.csv"
    Path(raw).write_text(f"{number}\n" * 100)
    return raw


@Component("clean").run(input_vars=["raw"], output_vars=["cleaned"])
def clean(raw: str) -> str:
    """Write another from it."""
    cleaned = raw.replace("raw", "clean")
    Path(cleaned).write_text(Path(raw).read_text().upper() + "clean\n")
    return cleaned


@Component("predict").run(input_vars=["cleaned"], output_vars=["prediction"])
def predict(cleaned: str, number: str) -> list[float]:
    """Answer with an id, and with numbers."""
    prediction = f"prediction-{number}"
    assert cleaned, prediction
    log_metric("number", float(number))
    return [float(number), 0.5]


for line in sys.stdin:
    predict(clean(ingest(line.strip())), line.strip())
    sys.stdout.write(line)
    sys.stdout.flush()
