"""A component that gives delays; the arguments are their units, one for each run."""

import sys

import numpy as np
import numpy.typing as npt

from mltrace_otel import Component, flush

RNG = np.random.default_rng()


@Component("feed", owner="arrivals-team").run(output_vars=["delays"])
def feed(unit: float) -> npt.NDArray[np.float64]:
    delays: npt.NDArray[np.float64] = unit * RNG.normal(10, 4, 1_000)
    return delays


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        feed(float(argument))
    flush()
