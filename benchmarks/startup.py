"""What the client adds to a program's start beside importing the OpenTelemetry SDK.

Each figure is the median of fresh processes, in turn: one that does nothing, one that imports the
SDK with its OTLP encoder, one that imports the client and decorates a function, and one that also
calls it, so that everything is loaded that a run needs. Times are those of the whole process, in
milliseconds; ``added`` is beside the SDK. Prints one JSON line each. Run where nothing else runs.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from time import perf_counter

ROUNDS = 15
NOBODY = "http://127.0.0.1:9"
SDK = "import opentelemetry.sdk.trace, opentelemetry.exporter.otlp.proto.common.trace_encoder\n"
DECORATED = (
    "from mltrace_otel import Component\nwork = Component('c').run(input_vars='x')(lambda x: x)\n"
)
PROGRAMS = {
    "nothing": "",
    "OpenTelemetry SDK": SDK,
    "client, decorated": DECORATED,
    "client, called": f"{DECORATED}work('a.csv')\nimport os\nos._exit(0)\n",
}


def measure_ms(program: str, home: str) -> float:
    """Return how long a process takes that runs a program."""
    variables = {**os.environ, "HOME": home, "OTEL_EXPORTER_OTLP_ENDPOINT": NOBODY}
    started_s = perf_counter()
    subprocess.run([sys.executable, "-c", program], env=variables, check=True)  # noqa: S603 - ours
    return (perf_counter() - started_s) * 1e3


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as home:
        for program in PROGRAMS.values():
            measure_ms(program, home)
        rounds = [
            {name: measure_ms(program, home) for name, program in PROGRAMS.items()}
            for _ in range(ROUNDS)
        ]
    medians = {name: statistics.median(each[name] for each in rounds) for name in PROGRAMS}
    for name, took_ms in medians.items():
        line: dict[str, str | float] = {"name": name, "process_ms": round(took_ms)}
        if name.startswith("client"):
            line["added_ms"] = round(took_ms - medians["OpenTelemetry SDK"])
        print(json.dumps(line))


if __name__ == "__main__":
    main()
