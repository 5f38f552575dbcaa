"""Rules of dashboards that Grafana does not check: what breaks one of them breaks it in silence."""

import re
from collections import Counter
from itertools import combinations
from typing import Any

import pytest
from boards import (
    FILES,
    POSTGRES,
    PROMETHEUS,
    Json,
    find_variables,
    list_annotations,
    list_links,
    list_panels,
    list_queries,
    read_boards,
)

from mltrace_dashboards.catalogue import DASHBOARDS
from mltrace_dashboards.fields import COLOURS, NOTHING
from mltrace_exporter.metrics import PROCESS_METRICS, STORE_METRICS, Kind
from mltrace_exporter.monitoring.rules import PRODUCT
from mltrace_exporter.store.views import SCHEMA, VIEWS

BOARDS = pytest.mark.parametrize("board", read_boards(), ids=lambda board: board["uid"])
NUMERIC = {"stat", "timeseries", "bargauge", "heatmap"}
# Keys of exported and of version 2 dashboards, which Grafana's files and its API do not take.
FORBIDDEN = {"__inputs", "__requires", "id", "version", "elements", "layout", "apiVersion", "kind"}
SUFFIXES = {Kind.HISTOGRAM: ("_bucket", "_count", "_sum")}
METRICS = {
    metric.name + suffix
    for metric in (*STORE_METRICS, *PROCESS_METRICS)
    for suffix in SUFFIXES.get(metric.kind, ("",))
}
MACRO = re.compile(r"\$__\w+\(([^)]*)\)")


def test_every_dashboard_has_its_file_and_no_file_is_left_over() -> None:
    assert {path.stem for path in FILES} == {each.uid for each in DASHBOARDS}


def test_uids_and_titles_are_unique_and_short() -> None:
    uids = [board["uid"] for board in read_boards()]
    titles = [board["title"] for board in read_boards()]
    assert len({*uids}) == len(uids)
    assert len({*titles}) == len(titles)
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,40}", uid) for uid in uids)


@BOARDS
def test_it_is_of_the_classic_form_and_read_only(board: Json) -> None:
    assert FORBIDDEN.isdisjoint(board)
    assert (board["schemaVersion"], board["editable"]) == (42, False)
    assert "${DS_" not in repr(board)
    assert board["tags"] == ["mltrace"]
    assert board["description"]


@BOARDS
def test_panels_say_what_they_show_and_why(board: Json) -> None:
    for panel in list_panels(board):
        assert panel["title"], panel
        assert panel["description"].endswith("."), panel["title"]
        assert panel["type"] == "text" or panel["targets"], panel["title"]


@BOARDS
def test_panels_are_known_by_numbers_of_their_own(board: Json) -> None:
    numbers = [each["id"] for each in (*board["panels"], *list_panels(board))]
    shown = [each["id"] for each in list_panels(board)]
    assert len({*shown}) == len(shown)
    assert 0 not in numbers


@BOARDS
def test_panels_lie_beside_each_other(board: Json) -> None:
    rows = [each for each in board["panels"] if each["type"] == "row" and each["collapsed"]]
    for group in (board["panels"], *(row["panels"] for row in rows)):
        for place in (panel["gridPos"] for panel in group):
            assert place["x"] + place["w"] <= 24
        for one, other in combinations(group, 2):
            assert not overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


def overlap(one: Json, other: Json) -> bool:
    """Return whether two rectangles share a cell."""
    return all(
        one[start] < other[start] + other[size] and other[start] < one[start] + one[size]
        for start, size in (("x", "w"), ("y", "h"))
    )


@BOARDS
def test_every_strip_fills_the_width(board: Json) -> None:
    for group in (board["panels"], *(each.get("panels", ()) for each in board["panels"])):
        widths: Counter[int] = Counter()
        for panel in group:
            widths[panel["gridPos"]["y"]] += panel["gridPos"]["w"]
        assert {*widths.values()} <= {24}


@BOARDS
def test_numbers_have_units_and_what_stands_in_their_place(board: Json) -> None:
    for panel in list_panels(board):
        defaults = panel["fieldConfig"]["defaults"]
        if panel["type"] in NUMERIC:
            assert defaults["unit"], panel["title"]
        if panel["type"] in {"stat", "bargauge"}:
            assert defaults["noValue"], panel["title"]
            assert defaults["thresholds"]["steps"][0]["value"] is None, panel["title"]


@BOARDS
def test_data_sources_are_chosen_by_variables(board: Json) -> None:
    sources = [
        value["datasource"]
        for panel in list_panels(board)
        for value in (panel, *panel.get("targets", ()))
        if "datasource" in value
    ]
    sources += [each["datasource"] for each in board["templating"]["list"] if "datasource" in each]
    sources += [each["datasource"] for each in board["annotations"]["list"]]
    assert all(
        source
        in (
            {"type": PROMETHEUS, "uid": "${prometheus_datasource}"},
            {"type": POSTGRES, "uid": "${postgres_datasource}"},
        )
        for source in sources
    )


@BOARDS
def test_variables_are_declared_before_they_are_used_and_follow_the_time_range(board: Json) -> None:
    known: set[str] = set()
    for variable in board["templating"]["list"]:
        assert {name for name, _ in find_variables(str(variable.get("query", "")))} <= known
        known.add(variable["name"])
        if variable["type"] == "query":
            assert variable["refresh"] == 2
    used = {name for panel in list_panels(board) for name, _ in find_variables(repr(panel))}
    assert used <= known
    assert known >= {"prometheus_datasource", "postgres_datasource", "panel_url"}


@pytest.mark.parametrize(
    "query", [*list_queries(POSTGRES), *list_annotations()], ids=lambda query: query.name
)
def test_sql_reads_views_and_takes_variables_as_quoted_strings(query: Any) -> None:
    views = {view.name for view in VIEWS}
    read = re.findall(r"\b(?:FROM|JOIN) ([\w.]+)", query.text)
    assert read
    assert {name.removeprefix(f"{SCHEMA}.") for name in read if "." in name} <= views
    assert {how for _, how in find_variables(query.text)} <= {"sqlstring"}
    assert all(re.fullmatch(r"\w+", argument) for argument in MACRO.findall(query.text))
    assert (
        "LIMIT" in query.text
        or "count(" in query.text
        or "lineage_" in query.text
        or ("components" in query.text)
    )


@pytest.mark.parametrize("query", list_queries(PROMETHEUS), ids=lambda query: query.name)
def test_promql_names_metrics_that_exist_and_rates_fit_the_scrapes(query: Any) -> None:
    names = set(re.findall(r"\bmltrace_\w+", query.text))
    assert names <= METRICS, names - METRICS
    assert names or "ALERTS" in query.text or "up{" in query.text
    for window in re.findall(r"\[([^]]+)\]", query.text):
        assert window in {"$__rate_interval", "1h"}
    for name in names:
        if name.endswith(("_total", "_bucket")):
            assert re.search(rf"(?:rate|increase)\({name}\b", query.text), name
    assert PRODUCT in query.text


@BOARDS
def test_links_lead_to_dashboards_that_exist_and_quote_what_they_carry(board: Json) -> None:
    uids = {each["uid"] for each in read_boards()}
    for url in list_links(board):
        assert url.startswith(("/d/", "${panel_url}/")), url
        if url.startswith("/d/"):
            assert re.split(r"[/?]", url)[2] in uids
            assert "${__url_time_range}" in url
        carried = re.findall(r"\$\{([^}]+)\}", url)
        assert {each for each in carried if not each.endswith(":percentencode")} <= {
            "panel_url",
            "__url_time_range",
        }, url


@BOARDS
def test_words_have_the_colour_that_they_have_everywhere(board: Json) -> None:
    mappings = [
        mapping for panel in list_panels(board) for mapping in find_mappings(panel["fieldConfig"])
    ]
    for mapping in mappings:
        for shown in mapping["options"].values():
            assert shown["color"] == COLOURS.get(shown["text"], shown["color"])
            assert shown["color"] in {*COLOURS.values(), NOTHING, "text"}


def find_mappings(value: object) -> list[Json]:
    """Return all mappings of values in a piece of JSON."""
    if isinstance(value, list):
        return [found for each in value for found in find_mappings(each)]
    if not isinstance(value, dict):
        return []
    if value.get("type") == "value" and "options" in value:
        return [value]
    return [found for each in value.values() for found in find_mappings(each)]
