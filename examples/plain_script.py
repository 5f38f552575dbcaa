"""A script as there are many: read a table, clean it, train a model, predict.

In: the 178 wines that come with scikit-learn. Out: files in the current folder, a prediction's id
for each wine of the last ten, and four component runs.
"""

from pathlib import Path

import joblib
import pandas as pd
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier

from mltrace_otel import Component, Test

TARGET = "target"


class TableTest(Test):
    """What every table of wines must be."""

    def test_it_has_rows(self, wines: pd.DataFrame) -> None:
        """A table without rows means that the source was empty."""
        self.assertGreater(len(wines), 0)

    def test_alcohol_is_a_percentage(self, wines: pd.DataFrame) -> None:
        """Shares between 0 and 1 would mean another unit."""
        self.assertTrue(wines["alcohol"].between(5, 20).all(), "alcohol is outside 5 to 20 %")


extraction = Component("extract", owner="cellar", description="Writes the table of wines.")
cleaning = Component("clean", owner="cellar", afterTests=[TableTest], tags=["etl"])
training = Component("train", owner="models", description="Learns the cultivar of a wine.")
inference = Component("predict", owner="models")


@extraction.run(output_vars=["raw"])
def extract() -> str:
    """Write the wines as a file."""
    raw = "wines.csv"
    load_wine(as_frame=True).frame.to_csv(raw, index=False)
    return raw


@cleaning.run(input_vars=["raw"], output_vars=["cleaned"])
def clean(raw: str) -> str:
    """Leave out wines whose colour was not measured."""
    wines = pd.read_csv(raw)
    wines = wines[wines["color_intensity"] > 0]
    cleaned = "wines-clean.csv"
    wines.to_csv(cleaned, index=False)
    return cleaned


@training.run(input_vars=["cleaned"], output_vars=["model"])
def train(cleaned: str) -> str:
    """Train on all wines but the last ten."""
    wines = pd.read_csv(cleaned).iloc[:-10]
    forest = RandomForestClassifier(n_estimators=20, random_state=7)
    forest.fit(wines.drop(columns=TARGET), wines[TARGET])
    model = "wines.joblib"
    joblib.dump(forest, model)
    return model


@inference.run(input_vars=["model", "cleaned"], output_vars=["ids"])
def predict(model: str, cleaned: str) -> dict[str, int]:
    """Predict the last ten wines; each prediction has an id, so that it can be traced."""
    wines = pd.read_csv(cleaned).iloc[-10:]
    cultivars = joblib.load(model).predict(wines.drop(columns=TARGET))
    ids = [f"wine-{number}" for number in wines.index]
    return dict(zip(ids, cultivars.tolist(), strict=True))


table = clean(extract())
predictions = predict(train(table), table)
Path("predictions.txt").write_text(
    "\n".join(f"{key} {value}" for key, value in predictions.items())
)
print(f"{len(predictions)} predictions. Ask: mltrace trace {next(iter(predictions))}")
