"""Every question that a dashboard asks, asked of what `mltrace demo` left behind, as Grafana would.

Each must give what its panel takes, and links must lead somewhere.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
import yaml
from boards import (
    POSTGRES,
    PROMETHEUS,
    Query,
    list_annotations,
    list_links,
    list_overrides,
    list_panels,
    list_queries,
    read_boards,
)
from demo_stack import RATE_INTERVAL, Stack, find_board, open_stack
from interpolation import Values, expand_promql, interpolate
from services import REPOSITORY

SOURCES = REPOSITORY / "dashboards" / "provisioning" / "datasources" / "mltrace.yaml"
NUMBERS = (int, float)
# What is usual is known after four runs that began minutes apart.
TAKES_LONGER = {"Usual pause", "Since the last run, in usual pauses"}
# What panels say that have nothing to show until something happens.
FILLS = re.compile(r"\bFilled (?:while|if|after|for|once|by)\b")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with open_stack(tmp_path_factory.mktemp("dashboards")) as stack:
        yield stack


def is_excused(query: Query) -> bool:
    """Say whether a panel tells when it will have something to show."""
    return query.panel is None or bool(FILLS.search(query.panel["description"]))


@pytest.mark.parametrize("query", list_queries(POSTGRES), ids=lambda query: query.name)
def test_sql_of_panels_gives_rows_of_the_shape_that_the_panel_takes(
    stack: Stack, query: Query
) -> None:
    filled = 0
    for variables in stack.choose(query.board):
        rows = stack.ask_postgres(query.text, variables)
        filled += bool(rows)
        # A run that depends on no other has no edge; another test looks at edges.
        empty = not rows and query.target["refId"] != "edges"
        assert not empty or is_excused(query), f"{query.name} is empty for {variables}"
        check_shape(query, rows)
    assert filled


def check_shape(query: Query, rows: Sequence[dict[str, Any]]) -> None:
    """What Grafana needs of rows, by the panel's type."""
    assert query.panel
    kind = query.panel["type"]
    if query.target["format"] == "time_series" or kind in {"timeseries", "state-timeline"}:
        check_times(rows)
    if query.target["format"] == "time_series":
        for row in rows:
            numbers = [each for each in row.values() if isinstance(each, NUMBERS)]
            assert len(numbers) == 1
            assert isinstance(row["metric"], str)
    elif kind == "timeseries":
        assert all(any(isinstance(each, NUMBERS) for each in row.values()) for row in rows)
    elif kind == "stat":
        assert len(rows) <= 1
        assert all(len(row) == 1 for row in rows)
    if rows and kind == "table":
        assert {name for name, _ in list_overrides(query.panel)} <= rows[0].keys()


def check_times(rows: Sequence[dict[str, Any]]) -> None:
    """Series begin with a time, and go forward in it."""
    times = [row["time"] for row in rows]
    assert all(isinstance(each, datetime) and each.tzinfo for each in times)
    assert times == sorted(times)


@pytest.mark.parametrize("query", list_annotations(), ids=lambda query: query.name)
def test_marks_have_a_time_and_a_text(stack: Stack, query: Query) -> None:
    counts = []
    for variables in stack.choose(query.board):
        rows = stack.ask_postgres(query.text, variables)
        counts.append(len(rows))
        for row in rows:
            assert row.keys() == {"time", "text", "tags"}
            assert isinstance(row["time"], datetime)
            assert row["text"]
    # The demo's code is the same all year.
    assert any(counts) or query.owner == "New code"
    # The demo flags 200 outputs at once.
    assert query.owner != "Flags" or max(counts) == 1


def test_the_node_graph_is_closed_and_named_as_grafana_wants(stack: Stack) -> None:
    nodes, edges = (
        query for query in list_queries(POSTGRES) if query.target["refId"] in {"nodes", "edges"}
    )
    found = 0
    for variables in stack.choose(nodes.board):
        told = stack.ask_postgres(nodes.text, variables)
        drawn = stack.ask_postgres(edges.text, variables)
        ids = {row["id"] for row in told}
        assert len(ids) == len(told)
        assert all(isinstance(each, str) for each in ids)
        assert {row[end] for row in drawn for end in ("source", "target")} <= ids
        assert len({row["id"] for row in drawn}) == len(drawn)
        assert told[0].keys() >= {"id", "title", "subtitle", "mainstat", "secondarystat", "color"}
        found += len(drawn)
    assert found > len(stack.components)


def test_outputs_of_any_name_can_be_traced(stack: Stack) -> None:
    [query] = [each for each in list_queries(POSTGRES) if each.target["refId"] == "nodes"]
    flagged = stack.ask_postgres("SELECT output FROM mltrace_ro.flagged_outputs LIMIT 1", {})
    assert len(stack.ask_postgres(query.text, {"output": flagged[0]["output"]})) > 5
    for name in ("nobody's", "'; DROP TABLE component_run; --", "$1", "", "日本"):
        assert stack.ask_postgres(query.text, {"output": name}) == []


@pytest.mark.parametrize("query", list_queries(PROMETHEUS), ids=lambda query: query.name)
def test_promql_of_panels_gives_series_with_the_labels_of_their_legends(
    stack: Stack, query: Query
) -> None:
    filled = 0
    for variables in stack.choose(query.board):
        series = stack.ask_prometheus(query, variables)
        filled += bool(series)
        assert series or is_excused(query), f"{query.name} is empty for {variables}"
        for each in series:
            labels = set(re.findall(r"\{\{(\w+)\}\}", query.target["legendFormat"]))
            assert labels <= each["metric"].keys()
            check_series_links(query, each["metric"].keys())
        check_names(query, series)
    assert filled or query.owner in TAKES_LONGER


def check_series_links(query: Query, labels: Any) -> None:
    """The labels that links of series carry are there."""
    assert query.panel
    for url in list_links(query.panel["fieldConfig"]["defaults"]):
        assert set(re.findall(r"__field\.labels\.(\w+)", url)) <= labels


def check_names(query: Query, series: Sequence[dict[str, Any]]) -> None:
    """What is shown in a way of its own exists: a series by its name, a column by its label."""
    assert query.panel
    named = {name for name, _ in list_overrides(query.panel)}
    if not series or not named:
        return
    if query.target["format"] == "table":
        assert named <= {name for each in series for name in each["metric"]}
    else:
        [label] = re.findall(r"\{\{(\w+)\}\}", query.target["legendFormat"])
        assert named <= {each["metric"][label] for each in series}


def test_exemplars_lead_to_runs(stack: Stack) -> None:
    sources = yaml.safe_load(SOURCES.read_text())
    [prometheus] = [each for each in sources["datasources"] if each["type"] == "prometheus"]
    [destination] = prometheus["jsonData"]["exemplarTraceIdDestinations"]
    times = {"start": stack.range.start.timestamp(), "end": stack.range.end.timestamp()}
    queries = [each for each in list_queries(PROMETHEUS) if each.target["exemplar"]]
    assert queries
    for query in queries:
        variables = next(iter(stack.choose(query.board)))
        asked = {"query": expand_promql(query.text, variables, RATE_INTERVAL), **times}
        answer = httpx.post(f"{stack.prometheus}/api/v1/query_exemplars", data=asked)
        exemplars = [each for found in answer.json()["data"] for each in found["exemplars"]]
        assert exemplars, query.name
        # Grafana reads `$$` of a provisioning file as one dollar sign.
        url = destination["url"].replace("$MLTRACE_PANEL_URL", stack.panel).replace("$$", "$")
        value = exemplars[0]["labels"][destination["name"]]
        assert httpx.get(interpolate(url, {"__value.raw": value})).status_code == 200


def test_links_of_cells_nodes_and_edges_resolve_in_the_running_panel(stack: Stack) -> None:
    tried = set()
    for query in list_queries(POSTGRES):
        assert query.panel
        fields = query.panel["fieldConfig"]
        for variables in stack.choose(query.board):
            for row in stack.ask_postgres(query.text, variables)[:1]:
                shown = [how for name, how in list_overrides(query.panel) if name in row]
                for url in list_links([shown, fields["defaults"]]):
                    tried |= follow(url, row, variables)
    assert {re.sub(r"\d+$", "N", urlpath(url)) for url in tried} >= {"/runs/N", "/trace", "/output"}


def follow(url: str, row: dict[str, Any], variables: Values) -> set[str]:
    """Follow a link from a row; one to a dashboard must carry variables that are there."""
    fields = {f"__data.fields.{name}": str(value) for name, value in row.items()}
    missing = {name for name in row if row[name] is None}
    if any(f"__data.fields.{name}:" in url for name in missing):
        return set()
    address = interpolate(url, {**variables, **fields, "__url_time_range": "from=now-1h&to=now"})
    if address.startswith("/d/"):
        board = find_board(urlpath(address).removeprefix("/d/"))
        known = {f"var-{each['name']}" for each in board["templating"]["list"]}
        carried = {name for name in httpx.URL(address).params if name.startswith("var-")}
        assert carried <= known, address
        return set()
    assert httpx.get(address).status_code == 200, address
    return {address}


def urlpath(address: str) -> str:
    return httpx.URL(address).path


def test_links_that_carry_nothing_resolve_too(stack: Stack) -> None:
    urls = {
        url
        for board in read_boards()
        for panel in list_panels(board)
        for url in list_links(panel["fieldConfig"])
        if url.startswith("${panel_url}") and "__" not in url
    }
    assert urls
    for url in urls:
        assert httpx.get(interpolate(url, {"panel_url": stack.panel})).status_code == 200


def test_grafana_may_read_the_views_and_nothing_else(stack: Stack) -> None:
    for forbidden in (
        "SELECT * FROM component_run",
        "CREATE TABLE mine (id int)",
        "DELETE FROM mltrace_ro.components",
    ):
        with pytest.raises(sa.exc.DBAPIError), stack.reader.connect() as connection:
            connection.exec_driver_sql(forbidden)
    with stack.reader.connect() as connection:
        assert connection.exec_driver_sql("SHOW statement_timeout").scalar() == "30s"
