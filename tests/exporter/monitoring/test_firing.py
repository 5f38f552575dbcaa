"""What fires without Prometheus: since when, with which words and links, and for how long not."""

import pytest
from services import REPOSITORY

from mltrace_exporter import metrics
from mltrace_exporter.errors import NotFound
from mltrace_exporter.metrics import Metric
from mltrace_exporter.monitoring.definitions import DEFINITIONS
from mltrace_exporter.monitoring.firing import find_alerts
from mltrace_exporter.monitoring.links import Links, read_runbook
from mltrace_exporter.monitoring.rules import write_burn_rate_rules
from mltrace_exporter.monitoring.snapshot import Labels, Snapshot, Value
from mltrace_exporter.monitoring.wording import fill_in, say_duration, write_template

NOW_S = 1_800_000_000.0
TEST = ("etl", "Range", "low", "after")


def look(values: dict[Metric, dict[Labels, Value]], **fields: float) -> Snapshot:
    return Snapshot(NOW_S, values, owners={"etl": "anna"}, **fields)  # type: ignore[arg-type]


def list_names(snapshot: Snapshot, now_s: float = NOW_S) -> list[str]:
    return [alert.name for alert in find_alerts(snapshot, now_s)]


def test_an_alert_says_what_since_when_whose_and_where_to_look() -> None:
    snapshot = look(
        {
            metrics.TEST_LAST_OUTCOME: {(*TEST, "failed"): 1.0, (*TEST, "passed"): 0.0},
            metrics.TEST_LAST_RUN: {TEST: NOW_S - 60},
        }
    )
    links = Links("https://panel.example", "https://docs.example/runbooks")

    [alert] = find_alerts(snapshot, NOW_S, links)

    assert alert.since.timestamp() == NOW_S - 60
    assert (alert.component, alert.owner) == ("etl", "anna")
    assert alert.summary == "Test low of etl failed"
    assert alert.runbook_url == "https://docs.example/runbooks/MltraceTestFailed"
    assert alert.panel_path == "/component?name=etl"
    assert alert.labels["outcome"] == "failed"


def test_silence_begins_where_the_longest_pause_ends_and_waits_for_late_runs() -> None:
    snapshot = look(
        {
            metrics.LAST_RUN: {("etl",): NOW_S - 1_500, ("unknown",): 0.0},
            metrics.EXPECTED_INTERVAL: {("etl",): 1_000.0},
        }
    )

    assert list_names(snapshot, NOW_S + 299) == []
    [alert] = find_alerts(snapshot, NOW_S + 300)
    assert (alert.name, alert.since.timestamp()) == ("MltraceComponentSilent", NOW_S)
    assert alert.summary == "etl has not run for 30m 0s"


def test_the_exporter_tells_of_itself_what_it_can() -> None:
    assert list_names(look({}), NOW_S + 361) == ["MltraceExporterStalled"]
    assert list_names(look({}, folded=7)) == ["MltraceSeriesFolded"]
    assert list_names(look({}, last_dead_letter_s=NOW_S - 3_599)) == ["MltraceSpansRefused"]
    assert list_names(look({}, last_dead_letter_s=NOW_S - 3_601)) == []
    assert list_names(look({})) == []


def test_the_worst_comes_first_then_what_has_fired_for_longest() -> None:
    snapshot = look(
        {
            metrics.STALE_INPUTS: {("a",): 1.0, ("b",): 2.0},
            metrics.LAST_RUN: {("a",): 50.0, ("b",): 40.0, ("c",): 90.0},
            metrics.LAST_OUTCOME: {("c", "failed"): 1.0},
            metrics.OLDEST_FLAG: {("d",): 0.0},
        }
    )

    assert [alert.component for alert in find_alerts(snapshot, NOW_S)] == ["c", "b", "a", "d"]


def test_names_of_any_kind_stand_in_addresses() -> None:
    path = fill_in("/component?name={component:query}", {"component": "a b/ö&c"}, 0)

    assert path == "/component?name=a+b%2F%C3%B6%26c"
    assert write_template("{component:query} {value:age}") == (
        "{{ $labels.component | urlquery }} {{ $value | humanizeDuration }}"
    )


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [(0, "0s"), (59, "59s"), (60, "1m 0s"), (3_601, "1h 0m 1s"), (90_000, "1d 1h 0m 0s")],
)
def test_durations_are_those_of_prometheus(duration_s: float, words: str) -> None:
    assert say_duration(duration_s) == words


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    [group] = write_burn_rate_rules()["groups"]
    names = {each.name for each in DEFINITIONS}
    names |= {rule["alert"] for rule in group["rules"] if "alert" in rule}
    pages = REPOSITORY / "docs" / "runbooks"

    assert {page.stem for page in pages.glob("*.md")} == names
    navigation = (REPOSITORY / "mkdocs.yml").read_text()
    table = (REPOSITORY / "docs" / "how-to" / "alerting.md").read_text()
    for name in names:
        assert read_runbook(name) == (pages / f"{name}.md").read_text()
        assert read_runbook(name).startswith(f"# {name}\n")
        assert f"runbooks/{name}.md" in navigation
    assert all(f"(../runbooks/{each.name}.md) | {each.severity} |" in table for each in DEFINITIONS)


def test_there_is_no_page_of_anything_else() -> None:
    for name in ("MltraceNothing", "../health", ""):
        with pytest.raises(NotFound):
            read_runbook(name)
