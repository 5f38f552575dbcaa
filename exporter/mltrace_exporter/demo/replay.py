"""Replays the year day by day, as a scheduler would run the pipeline.

In: nothing but the feed. Out: files in the current directory, at the end that of the complaints;
a line on standard output for each day that is done. Run it as
``python -m mltrace_exporter.demo.replay``.
"""

import sys
from pathlib import Path

import pandas as pd

from mltrace_exporter.demo.facts import COMPLAINTS, DAYS, MISS_LIMIT_H
from mltrace_exporter.demo.feed import Feed
from mltrace_exporter.demo.flights import (
    clean,
    featuregen,
    infer,
    ingest,
    ingest_planes,
    ingest_weather,
    name_flights,
    train,
)
from mltrace_otel import flush

_DAYS_A_WEEK = 7
_COMPLAINTS_LIMIT = 200
_FLUSH_TIMEOUT_S = 60.0


def replay(feed: Feed) -> None:
    """Run the pipeline for every day of the year."""
    weather = ingest_weather(feed.deliver_table("weather"))
    planes = ingest_planes(feed.deliver_table("planes"))
    features: list[str] = []
    model = None
    for number, day in enumerate(DAYS):
        if day.day == 1:
            features.append(_prepare(feed, f"{day:%Y-%m}", weather, planes))
        if number and number % _DAYS_A_WEEK == 0:
            model = train(features[-2:], before=day.isoformat())
        if model:
            infer(features[-1], model, day.isoformat())
        sys.stdout.write(f"{day}\n")
        sys.stdout.flush()


def _prepare(feed: Feed, month: str, weather: str, planes: str) -> str:
    raw = ingest(feed.deliver_flights(month), month)
    return featuregen(clean(raw, month), weather, planes, month)


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


if __name__ == "__main__":
    _feed = Feed(Path("incoming"))
    replay(_feed)
    write_complaints(_feed.read_flights(), Path("predictions"))
    if not flush(_FLUSH_TIMEOUT_S):
        sys.exit("The server did not take all runs in time.")
