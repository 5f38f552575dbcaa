"""The demo as users see it: its story is true, and the commands it prints lead to the culprit."""

import re
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pandas as pd
import pytest
from demo_server import Demo, run_mltrace
from services import Collector, Exporter, find_free_ports

from mltrace_otel.contract import api
from mltrace_otel.questions.api_client import ApiClient

AUGUST = "2013-08"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with Demo(tmp_path_factory.mktemp("demo")) as demo:
        demo.await_story()
        yield demo


def test_the_story_names_the_corrupted_run_and_its_place(demo: Demo) -> None:
    story = demo.read_log()
    (culprit,) = [run for run in demo.list_runs("ingest") if run.partition == AUGUST]
    assert f"The review puts ingest's run {culprit.id} of {AUGUST} in place 1 of" in story
    assert "Its tests noticed: DelayTest: " in story
    assert "Its data had drifted from the months before: flights: arr_delay: 95th" in story
    assert f"Panel: {demo.panel}/review" in story


def test_the_commands_that_the_story_prints_work(demo: Demo) -> None:
    commands = re.findall(r"^  \S*mltrace (.+)$", demo.read_log(), re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["review", "trace", "inspect", "drift"]
    for command in commands:
        assert "ingest" in run_mltrace(*command.split())


def test_the_review_puts_the_corrupted_run_first_with_its_failed_tests(demo: Demo) -> None:
    review = demo.review()
    first = review.candidates[0]
    assert (first.run.component, first.run.partition) == ("ingest", AUGUST)
    assert first.coverage == 1
    assert first.run.tests is api.TestVerdict.FAILED
    assert any("DelayTest" in sentence for sentence in first.evidence)
    assert any("flights drifted: arr_delay: " in sentence for sentence in first.evidence)
    assert review.flag_count == 200


def test_a_flagged_prediction_is_traced_through_every_stage(demo: Demo) -> None:
    trace = demo.trace(demo.review().flags[0].output)
    assert {node.run.component for node in trace.nodes} == {
        *("inference", "training", "featuregen", "clean", "ingest"),
        *("ingest_weather", "ingest_planes"),
    }
    assert not trace.truncated


def test_a_prediction_of_july_never_saw_the_data_of_august(demo: Demo) -> None:
    july = next(run for run in demo.list_runs("inference") if "2013-07-04" in run.outputs[0])
    seen = {node.run.partition for node in demo.trace(july.outputs[0]).nodes}
    assert seen == {"2013-06", "2013-07", None}


def test_only_the_delivery_of_august_is_in_another_unit(demo: Demo) -> None:
    medians_min = {
        path.stem: pd.read_parquet(path)["arr_delay"].abs().median()
        for path in (demo.home / "raw").glob("flights-*.parquet")
    }
    assert len(medians_min) == 12
    assert [month for month, median in medians_min.items() if median > 60] == [f"flights-{AUGUST}"]
    failed = [
        run.partition for run in demo.list_runs("ingest") if run.tests is api.TestVerdict.FAILED
    ]
    assert failed == [AUGUST]


def test_only_the_delays_of_august_drifted(demo: Demo) -> None:
    with ApiClient(demo.panel) as asked:
        drifted = {
            run.partition
            for run in demo.list_runs("ingest")
            for each in asked.tell_drift(str(run.id)).variables
            for column in each.drift.columns
            if column.drifted and column.column.endswith("_delay")
        }
    assert drifted == {AUGUST}


def test_predictions_of_august_asked_a_model_that_was_built_on_other_data(demo: Demo) -> None:
    stale = Counter(
        run.outputs[0][:7]
        for run in demo.list_runs("inference")
        if any(reason.kind == "drifted_input" for reason in run.stale)
    )
    assert (stale[AUGUST], stale["2013-09"]) == (31, 30)
    assert stale.total() <= 65


def test_no_run_of_the_year_is_missing(demo: Demo) -> None:
    counts = {name: len(demo.list_runs(name)) for name in ("clean", "training", "inference")}
    assert counts == {"clean": 12, "training": 52, "inference": 358}


def test_a_second_demo_in_the_same_folder_is_refused(demo: Demo) -> None:
    answer = run_mltrace("demo", f"--home={demo.home}", code=2)
    assert "A demo runs in" in answer


def test_a_folder_with_files_of_others_is_refused_and_kept(tmp_path: Path) -> None:
    mine = tmp_path / "thesis.txt"
    mine.write_text("years of work")
    answer = run_mltrace("demo", f"--home={tmp_path}", code=2)
    assert "holds files that no demo wrote" in answer
    assert mine.read_text() == "years of work"


def test_the_panel_lives_until_ctrl_c_which_leaves_nothing_running(demo: Demo) -> None:
    assert httpx.get(f"{demo.panel}/review").is_success
    assert demo.interrupt() == 0
    address = urlsplit(demo.panel)
    with socket.socket() as probe:
        assert probe.connect_ex((address.hostname or "", address.port or 0)) != 0


def test_with_exit_it_ends_with_status_0_because_the_culprit_is_found(tmp_path: Path) -> None:
    with Demo(tmp_path, "--exit") as demo:
        assert demo.await_exit() == 0
        assert "in place 1 of" in demo.read_log()


@pytest.mark.collector
def test_it_goes_to_a_server_that_is_there_through_a_collector_and_ends(tmp_path: Path) -> None:
    with (
        Exporter(tmp_path / "exporter") as exporter,
        Collector(tmp_path / "collector", exporter.otlp_http) as collector,
    ):
        story = run_mltrace(
            *("demo", f"--home={tmp_path / 'demo'}", f"--address={exporter.panel}"),
            f"--endpoint={collector.otlp_http}",
        )
        assert "in place 1 of" in story
        assert len(httpx.get(f"{exporter.panel}/api/flags?limit=500").json()) == 200


def test_a_server_that_is_not_there_is_told_before_anything_runs(tmp_path: Path) -> None:
    (port,) = find_free_ports(1)
    home, address = f"--home={tmp_path}", f"--address=http://127.0.0.1:{port}"

    half = run_mltrace("demo", home, address, code=2)
    away = run_mltrace("demo", home, address, "--endpoint=http://127.0.0.1:9", code=3)

    assert "needs both, --address and --endpoint" in half
    assert f"127.0.0.1:{port}" in away
