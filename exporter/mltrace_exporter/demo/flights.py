"""The pipeline: predicts, when a flight departs, how late it will arrive.

In: files of flights, weather and planes. Out: a file of predictions a day. Paths are relative to
the directory that the program runs in, so that lineage shows short names.
"""

from pathlib import Path

import joblib
import pandas as pd
from sklearn.linear_model import LinearRegression

from mltrace_exporter.demo.checks import (
    CleanTest,
    DelayTest,
    FileTest,
    FitTest,
    JoinTest,
    PredictionTest,
    TrainingDataTest,
)
from mltrace_otel import Component, Test

_TARGET = "arr_delay"
_FEATURES = [
    *("dep_delay", "hour", "day_of_week", "distance", "temp", "wind_speed", "precip", "visib"),
    *("pressure", "seats", "engines", "built"),
]
_TRAINING_ROWS = 10_000
_HOLDOUT_ROWS = 2_000


class Stage(Component):
    """A stage of this pipeline: who answers for it and what it is found by is the same for all."""

    def __init__(
        self,
        name: str,
        description: str,
        before: list[type[Test]] | None = None,
        after: list[type[Test]] | None = None,
    ) -> None:
        super().__init__(
            name,
            owner="arrivals-team",
            description=description,
            tags=["nyc-flights"],
            beforeTests=before or [],
            afterTests=after or [],
        )


_ingest = Stage("ingest", "Takes in a month of flights.", [FileTest], [DelayTest])
_ingest_weather = Stage("ingest_weather", "Takes in the hourly weather.", [FileTest])
_ingest_planes = Stage("ingest_planes", "Takes in the register of planes.", [FileTest])
_clean = Stage("clean", "Keeps flights that departed, and names them.", after=[CleanTest])
_featuregen = Stage("featuregen", "Joins weather and planes to flights.", after=[JoinTest])
_training = Stage("training", "Learns arrival delays.", [TrainingDataTest], [FitTest])
_inference = Stage("inference", "Predicts a day's arrival delays.", after=[PredictionTest])


@_ingest.run(input_vars=["source"], output_vars=["raw", "flights"], partition="month")
def ingest(source: str, month: str) -> str:
    """Take in the flights of a month; return the path of the table."""
    flights = pd.read_csv(source)
    raw = f"raw/flights-{month}.parquet"
    _write(flights, raw)
    return raw


@_ingest_weather.run(input_vars=["source"], output_vars=["raw"])
def ingest_weather(source: str) -> str:
    """Take in the weather of the year; return the path of the table."""
    raw = "raw/weather.parquet"
    _write(pd.read_csv(source), raw)
    return raw


@_ingest_planes.run(input_vars=["source"], output_vars=["raw"])
def ingest_planes(source: str) -> str:
    """Take in the register of planes; return the path of the table."""
    planes = pd.read_csv(source).rename(columns={"year": "built"})
    raw = "raw/planes.parquet"
    _write(planes, raw)
    return raw


@_clean.run(input_vars=["raw"], output_vars=["cleaned"], partition="month")
def clean(raw: str, month: str) -> str:
    """Keep the flights that departed, with their dates and ids; return the path of the table."""
    flights = pd.read_parquet(raw)
    departed = flights.dropna(subset=["dep_delay"]).drop_duplicates()
    departed = departed.assign(date=name_days(departed), id=name_flights(departed))
    cleaned = f"clean/flights-{month}.parquet"
    _write(departed, cleaned)
    return cleaned


@_featuregen.run(
    input_vars=["cleaned", "weather", "planes"],
    output_vars=["features", "delays"],
    partition="month",
)
def featuregen(cleaned: str, weather: str, planes: str, month: str) -> str:
    """Join what is known of the hour and of the plane; return the path of the table."""
    departed = pd.read_parquet(cleaned)
    hours = pd.read_parquet(weather)[
        ["origin", "time_hour", "temp", "wind_speed", "precip", "visib", "pressure"]
    ]
    register = pd.read_parquet(planes)[["tailnum", "seats", "engines", "built"]]
    joined = departed.merge(hours, how="left", on=["origin", "time_hour"])
    joined = joined.merge(register, how="left", on="tailnum")
    joined["hour"] = joined["sched_dep_time"] // 100
    joined["day_of_week"] = pd.to_datetime(joined["date"]).dt.day_of_week
    joined = joined[["id", "date", *_FEATURES, _TARGET]]
    filled = joined.fillna(joined[_FEATURES].median())
    # What is to be watched: weather drifts with the seasons.
    delays = filled[["dep_delay", _TARGET]]  # noqa: F841 - logged by name
    features = f"features/{month}.feather"
    filled.to_feather(_make_room(features), compression="uncompressed")
    return features


@_training.run(input_vars=["features"], output_vars=["model", "error_min"])
def train(features: list[str], before: str) -> str:
    """Learn from the flights of some months ``before`` a day; return the path of the model."""
    rows = pd.concat([pd.read_feather(path) for path in features], ignore_index=True)
    rows = rows[(rows["date"] < before) & rows[_TARGET].notna()]
    rows = rows.sample(min(len(rows), _TRAINING_ROWS + _HOLDOUT_ROWS), random_state=0)
    holdout, known = rows[:_HOLDOUT_ROWS], rows[_HOLDOUT_ROWS:]
    regressor = LinearRegression().fit(known[_FEATURES], known[_TARGET])
    errors = regressor.predict(holdout[_FEATURES]) - holdout[_TARGET]
    error_min = float(errors.abs().mean())  # noqa: F841 - logged by name, and a test reads it
    model = "models/arrival_delay.joblib"
    joblib.dump(regressor, _make_room(model))
    return model


@_inference.run(input_vars=["features", "model"], output_vars=["ids", "predicted", "predictions"])
def infer(features: str, model: str, day: str) -> str:
    """Predict the arrival delays of a day, in minutes; return the path of the predictions."""
    month = pd.read_feather(features)
    flights = month[month["date"] == day]
    delays_min = joblib.load(model).predict(flights[_FEATURES]).round(1)
    predictions = pd.DataFrame({"id": flights["id"], "arr_delay": delays_min})
    ids = predictions["id"].tolist()  # noqa: F841 - logged by name
    predicted = f"predictions/{day}.csv"
    predictions.to_csv(_make_room(predicted), index=False)
    return predicted


def name_days(flights: pd.DataFrame) -> pd.Series:
    """Return the dates of flights, such as ``2013-07-04``."""
    return pd.to_datetime(flights[["year", "month", "day"]]).dt.strftime("%Y-%m-%d")


def name_flights(flights: pd.DataFrame) -> pd.Series:
    """Return the ids of flights, such as ``2013-07-04/UA1545-EWR-0615``."""
    number = flights["carrier"] + flights["flight"].astype(str)
    scheduled = flights["sched_dep_time"].astype(str).str.zfill(4)
    return name_days(flights) + "/" + number + "-" + flights["origin"] + "-" + scheduled


def _write(table: pd.DataFrame, path: str) -> None:
    table.to_parquet(_make_room(path), index=False)


def _make_room(path: str) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return path
