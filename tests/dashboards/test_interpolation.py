"""The tests' macros and variables are those of Grafana: examples from its own tests."""

from datetime import UTC, datetime

import pytest
from interpolation import Range, expand_promql, expand_sql, interpolate

RANGE = Range(
    datetime(2018, 4, 12, 18, 0, tzinfo=UTC), datetime(2018, 4, 12, 18, 5, tzinfo=UTC), 60
)


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ("select $__time(time_column)", 'select time_column AS "time"'),
        (
            "WHERE $__timeFilter(time_column)",
            (
                "WHERE time_column BETWEEN '2018-04-12T18:00:00.000000Z'"
                " AND '2018-04-12T18:05:00.000000Z'"
            ),
        ),
        ("select $__timeFrom()", "select '2018-04-12T18:00:00.000000Z'"),
        (
            "GROUP BY $__timeGroup(time_column,'5m')",
            "GROUP BY floor(extract(epoch from time_column)/300)*300",
        ),
        (
            "SELECT $__timeGroup(time_column,$__interval), value",
            'SELECT floor(extract(epoch from time_column)/60)*60 AS "time", value',
        ),
        (
            "SELECT $__timeGroupAlias(time_column,'5m')",
            'SELECT floor(extract(epoch from time_column)/300)*300 AS "time"',
        ),
        (
            "select $__unixEpochFilter(time)",
            "select time >= 1523556000 AND time <= 1523556300",
        ),
        (
            "select $__unixEpochNanoFilter(time)",
            "select time >= 1523556000000000000 AND time <= 1523556300000000000",
        ),
        ("SELECT $__unixEpochGroup(time_column,'5m')", "SELECT floor((time_column)/300)*300"),
        ("SELECT $1, ${name:sqlstring}", "SELECT $1, 'it''s','b'"),
    ],
)
def test_sql_is_expanded_as_grafana_does(sql: str, expanded: str) -> None:
    assert expand_sql(sql, {"name": ["it's", "b"]}, RANGE) == expanded


def test_a_macro_that_grafana_does_not_know_is_told() -> None:
    with pytest.raises(KeyError):
        expand_sql("SELECT $__timeFltr(a)", {}, RANGE)


def test_promql_takes_several_values_as_a_regex_and_one_as_it_is() -> None:
    expression = 'a{b=~"$c"}[$__rate_interval]'
    assert expand_promql(expression, {"c": ["x.y", "z"]}, "4m") == r'a{b=~"(x\\.y|z)"}[4m]'
    assert expand_promql(expression, {"c": 'x"y'}, "4m") == r'a{b=~"x\"y"}[4m]'


def test_links_carry_any_name() -> None:
    url = "/trace?output=${__data.fields.output:percentencode}"
    assert interpolate(url, {"__data.fields.output": "a/b &?"}) == "/trace?output=a%2Fb%20%26%3F"
