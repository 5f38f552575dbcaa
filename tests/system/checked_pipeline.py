"""A pipeline for tests. In: the delays that it works on, as arguments."""

import sys

from mltrace_otel import Component, Test


class DelayTest(Test):
    """What every delay must be."""

    def testRange(self, delays: list[float]) -> None:  # noqa: N802 - as in unittest
        """No flight leaves a day early."""
        assert min(delays) > -1440, f"a delay of {min(delays)} minutes"


@Component("predict", owner="arrivals-team", afterTests=[DelayTest]).run(output_vars=["name"])
def predict(delays: list[float]) -> None:
    """Write a prediction."""
    name = "prediction-1"
    assert name, delays


predict([float(each) for each in sys.argv[1:]])
