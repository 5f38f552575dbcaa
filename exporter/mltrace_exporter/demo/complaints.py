"""What passengers noticed. In: predictions, and the flights as they were. Out: the worst misses."""

from pathlib import Path

import pandas as pd

from mltrace_exporter.demo.facts import COMPLAINTS, MISS_LIMIT_H
from mltrace_exporter.demo.flights import name_flights

_COMPLAINTS_LIMIT = 200


def write_complaints(flights: pd.DataFrame, predictions: Path) -> None:
    """Write the flights whose arrival was missed by more than `MISS_LIMIT_H`, the worst first.

    Args:
        flights: all flights, delays in minutes.
        predictions: directory of the files of predictions.
    """
    predicted = pd.concat([pd.read_csv(path) for path in sorted(predictions.glob("*.csv"))])
    truth = pd.DataFrame({"id": name_flights(flights), "arrived_min": flights["arr_delay"]})
    compared = predicted.rename(columns={"arr_delay": "predicted_min"}).merge(truth, on="id")
    compared["missed_min"] = (compared["predicted_min"] - compared["arrived_min"]).abs()
    missed = compared[compared["missed_min"] > MISS_LIMIT_H * 60]
    worst = missed.sort_values(["missed_min", "id"], ascending=[False, True])
    worst.head(_COMPLAINTS_LIMIT).to_csv(COMPLAINTS, index=False)
