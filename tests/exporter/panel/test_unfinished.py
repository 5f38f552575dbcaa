"""Runs that go on, or were killed, on the panel's pages."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa
from builders import make_marker, make_run, make_test, read, wrote

from mltrace_exporter.model import Batch
from mltrace_exporter.store.arrivals.write import write_batch


@pytest.fixture
def unfinished(address: str, engine: sa.Engine) -> str:
    """URL of a panel with runs 1 to 3: one goes on, one was killed, one fell silent."""
    now = datetime.now(UTC)
    runs = [
        make_run(name, io=[read("raw.csv"), wrote("x")])._replace(started_at=now - ago)
        for name, ago in (
            ("training", timedelta(minutes=4)),
            ("scoring", timedelta(minutes=9)),
            ("backfill", timedelta(hours=3)),
        )
    ]
    markers = [
        make_marker(runs[0], 3),
        make_marker(runs[1], 6, "aborted"),
        make_marker(runs[2], 42),
    ]
    begun = now - timedelta(hours=5)
    done = make_run("ingest", io=[wrote("raw.csv")], tests=(make_test(),))._replace(
        started_at=begun,
        ended_at=begun + timedelta(minutes=1),
    )
    with engine.begin() as connection:
        for marker in markers:
            write_batch(connection, Batch(markers=[marker]))
        write_batch(connection, Batch([done]))
    return address


@pytest.mark.parametrize(
    ("run_id", "word", "sentence"),
    [
        (1, "running", ""),
        (2, "aborted", "The process ended before this run did"),
        (3, "aborted", "Nothing was heard of this run"),
    ],
)
def test_a_run_that_has_not_ended_says_how_it_stands(
    unfinished: str, run_id: int, word: str, sentence: str
) -> None:
    page = httpx.get(f"{unfinished}/runs/{run_id}").raise_for_status().text
    assert f"</svg>{word}</p>" in page
    assert sentence in page
    assert ("<dt>Ended</dt>" in page) == (word == "aborted")


def test_the_list_of_runs_shows_which_go_on_and_which_were_killed(unfinished: str) -> None:
    page = httpx.get(unfinished).raise_for_status().text
    assert page.count("</svg>running</span>") == 1
    assert page.count("</svg>aborted</span>") == 2
