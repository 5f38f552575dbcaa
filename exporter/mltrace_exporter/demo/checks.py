"""The pipeline's data tests. In: variables of a component's function. Out: an exception if bad."""

# ruff: noqa: PT009 - these are the assertions of mltrace_otel.Test, which give messages

from pathlib import Path

import pandas as pd
from pyarrow import feather

from mltrace_otel import Test

_DAY_MIN = 24 * 60
_LONG_MIN = 10 * 60


class DelayTest(Test):
    """Delays are minutes: nobody waits for days, and hardly anybody for hours."""

    def test_no_delay_beyond_a_day(self, flights: pd.DataFrame) -> None:
        """The longest delay of 2013 was 21.7 hours."""
        longest_min = float(flights["dep_delay"].abs().max())
        self.assertLess(longest_min, _DAY_MIN, f"longest departure delay: {longest_min:.0f} min")

    def test_long_delays_are_rare(self, flights: pd.DataFrame) -> None:
        """Fewer than one flight in a thousand is more than ten hours late."""
        share = float((flights["dep_delay"].abs() > _LONG_MIN).mean())
        self.assertLess(share, 0.001, f"{share:.1%} of flights over ten hours late")


class FileTest(Test):
    """A file that somebody else wrote is there and has rows."""

    def test_file_has_rows(self, source: str) -> None:
        """An interrupted delivery leaves an empty file."""
        self.assertGreater(Path(source).stat().st_size, 1000, f"{source} is nearly empty")


class CleanTest(Test):
    """Flights can be told apart and really took off."""

    def test_ids_are_unique(self, departed: pd.DataFrame) -> None:
        """One flight, one id."""
        self.assertTrue(departed["id"].is_unique, "two flights have one id")

    def test_departure_is_known(self, departed: pd.DataFrame) -> None:
        """A cancelled flight has no delay to predict."""
        self.assertFalse(departed["dep_delay"].isna().any(), "a flight without departure delay")


class JoinTest(Test):
    """A join neither loses nor multiplies rows, and finds its partners."""

    def test_no_flight_lost_or_doubled(self, departed: pd.DataFrame, joined: pd.DataFrame) -> None:
        """Each flight has one row of features."""
        self.assertEqual(len(joined), len(departed))

    def test_weather_is_known(self, joined: pd.DataFrame) -> None:
        """A shifted time zone would leave hours without weather."""
        share = float(joined["wind_speed"].notna().mean())
        self.assertGreater(share, 0.95, f"weather known for {share:.0%} of flights only")

    def test_planes_are_known(self, joined: pd.DataFrame) -> None:
        """Some airlines report fleet numbers, which the register does not know."""
        share = float(joined["seats"].notna().mean())
        self.assertGreater(share, 0.7, f"plane known for {share:.0%} of flights only")


class TrainingDataTest(Test):
    """There is something to learn from."""

    def test_enough_rows(self, features: list[str]) -> None:
        """A month has 24,000 flights or more."""
        rows = sum(feather.read_table(path, columns=["id"]).num_rows for path in features)
        self.assertGreater(rows, 20_000, f"{rows} rows to learn from")


class FitTest(Test):
    """The model knows more than that planes land."""

    def test_error_is_below_half_an_hour(self, error_min: float) -> None:
        """On flights that it was not trained on."""
        self.assertLess(error_min, 30, f"mean absolute error: {error_min:.0f} min")


class PredictionTest(Test):
    """Predictions can be told to passengers."""

    def test_no_prediction_beyond_a_day(self, predictions: pd.DataFrame) -> None:
        """As for the delays themselves."""
        longest_min = float(predictions["arr_delay"].abs().max())
        self.assertLess(longest_min, _DAY_MIN, f"longest predicted delay: {longest_min:.0f} min")
