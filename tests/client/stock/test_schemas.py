import pandas as pd
import pandera.pandas
import pandera.polars
import polars as pl
import pytest
from stocktests import judge

from mltrace_otel import SetupError
from mltrace_otel.stock import PanderaSchema


class Orders(pandera.pandas.DataFrameModel):
    id: int
    amount: float = pandera.pandas.Field(ge=0, nullable=False)


def test_a_frame_that_is_as_the_schema_says_passes() -> None:
    orders = pd.DataFrame({"id": [1, 2], "amount": [1.0, 2.0]})

    assert judge(PanderaSchema("orders", Orders), orders=orders) == {"test_schema": "pass"}


def test_each_check_that_does_not_hold_is_told_with_an_example() -> None:
    orders = pd.DataFrame({"id": ["a", "b"], "amount": [-1.0, -2.0]})

    (found,) = judge(PanderaSchema("orders", Orders.to_schema()), orders=orders).values()

    assert found.startswith("fail: ")
    assert "id: dtype('int64') does not hold, e.g. for " in found
    assert "amount: greater_than_or_equal_to(0) does not hold, e.g. for -1.0 (2 found)." in found


def test_frames_of_polars_have_schemas_too() -> None:
    schema = pandera.polars.DataFrameSchema(
        {"x": pandera.polars.Column(int, pandera.polars.Check.ge(0))}, name="counts"
    )

    (found,) = judge(PanderaSchema("x", schema), x=pl.DataFrame({"x": [1, -1, -2]})).values()

    assert found == ("fail: x: greater_than_or_equal_to(0) does not hold, e.g. for -1 (2 found).")


def test_a_frame_of_another_library_than_the_schemas_fails_with_what_pandera_says() -> None:
    (found,) = judge(PanderaSchema("x", Orders), x=[1, 2]).values()

    assert found.startswith("fail: ")


def test_what_is_no_schema_is_refused() -> None:
    with pytest.raises(SetupError, match="is no pandera schema"):
        PanderaSchema("x", {"id": int})  # type: ignore[arg-type]
