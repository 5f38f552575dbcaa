"""Puts variables and macros into queries and links as Grafana does.

Source: grafana/grafana, ``pkg/tsdb/grafana-postgresql-datasource/macros.go`` and
``packages/grafana-data`` / ``public/app/features/templating/formatVariableValue.ts``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

_MACRO = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
_VARIABLE = re.compile(r"\$\{(?P<long>[^}:]+)(?::(?P<how>\w+))?\}|\$(?P<short>\w+)")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Values = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Range:
    """A dashboard's time range, and how far apart the points of a graph are."""

    start: datetime
    end: datetime
    interval_s: int = 60


def expand_sql(sql: str, variables: Values, range_: Range) -> str:
    """Return a SQL query as the PostgreSQL data source sends it.

    Raises:
        KeyError: that data source knows no such macro.
    """
    interval = {
        "__interval": f"{range_.interval_s}s",
        "__interval_ms": str(range_.interval_s * 1000),
    }
    text = interpolate(sql, {**variables, **interval}, keep_unknown=True)
    # A time group right before a comma names its column.
    text = re.sub(r"\$__timeGroup\(([^)]*)\)\s*,", r"$__timeGroupAlias(\1),", text)
    return _MACRO.sub(lambda found: _expand(found[1], found[2], range_), text)


def _expand(name: str, arguments: str, range_: Range) -> str:
    column, *more = (each.strip() for each in arguments.split(","))
    alias = ' AS "time"' if name.endswith("Alias") else ""
    stem = name.removesuffix("Alias")
    if stem in _GROUPED:
        seconds = _read_interval(more[0])
        return f"floor({_GROUPED[stem].format(column)}/{seconds})*{seconds}{alias}"
    start, end = range_.start, range_.end
    start_s, end_s = int(start.timestamp()), int(end.timestamp())
    return _MACROS[name].format(
        *(column, _write_time(start), _write_time(end)),
        *(start_s, end_s, start_s * _NANO, end_s * _NANO),
    )


_NANO = 1_000_000_000
_GROUPED = {"__timeGroup": "extract(epoch from {})", "__unixEpochGroup": "({})"}
# 0: column; 1, 2: the time range as text; 3, 4: in seconds; 5, 6: in nanoseconds.
_MACROS = {
    "__time": '{0} AS "time"',
    "__timeEpoch": 'extract(epoch from {0}) as "time"',
    "__timeFilter": "{0} BETWEEN '{1}' AND '{2}'",
    "__timeFrom": "'{1}'",
    "__timeTo": "'{2}'",
    "__unixEpochFilter": "{0} >= {3} AND {0} <= {4}",
    "__unixEpochFrom": "{3}",
    "__unixEpochTo": "{4}",
    "__unixEpochNanoFilter": "{0} >= {5} AND {0} <= {6}",
    "__unixEpochNanoFrom": "{5}",
    "__unixEpochNanoTo": "{6}",
}


def _write_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _read_interval(text: str) -> int:
    number, unit = re.fullmatch(r"'?(\d+)([smhd])'?", text).groups()  # type: ignore[union-attr] # it must match
    return int(number) * _UNITS_S[unit]


def expand_promql(expression: str, variables: Values, rate_interval: str) -> str:
    """Return a PromQL query as the Prometheus data source sends it."""
    chosen = {name: _escape_regex(value) for name, value in variables.items()}
    return interpolate(expression, {**chosen, "__rate_interval": rate_interval})


def _escape_regex(value: str | Sequence[str]) -> str:
    """One value has its quotes and backslashes escaped, several become a group of a regex."""
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("'", "\\\\'").replace('"', '\\"')
    quoted = [re.sub(r"([\\^$*+?.()|{}\[\]/])", r"\\\\\1", each) for each in value]
    return quoted[0] if len(quoted) == 1 else f"({'|'.join(quoted)})"


def interpolate(text: str, variables: Values, *, keep_unknown: bool = False) -> str:
    """Return a text with its variables replaced, each in the format that it asks for.

    Raises:
        KeyError: a variable is unknown, which Grafana would leave as it stands.
    """

    def replace(found: re.Match[str]) -> str:
        name = found["long"] or found["short"]
        if keep_unknown and name not in variables:
            return found[0]
        return _format(variables[name], found["how"] or "")

    return _VARIABLE.sub(replace, text)


def _format(value: str | Sequence[str], how: str) -> str:
    several = [value] if isinstance(value, str) else list(value)
    if how == "sqlstring":
        return ",".join("'" + each.replace("'", "''") + "'" for each in several)
    if how == "percentencode":
        text = several[0] if len(several) == 1 else "{" + ",".join(several) + "}"
        return quote(text, safe="-_.~")
    assert how == "", how
    return several[0] if len(several) == 1 else "{" + ",".join(several) + "}"
