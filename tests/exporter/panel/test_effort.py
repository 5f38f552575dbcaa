"""What a page costs: it asks no more than it shows, and shows what it has while it asks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from builders import make_run, make_test, read, wrote

from mltrace_exporter.marks import flag_outputs
from mltrace_otel.contract.api import FlagRequest

Record = Callable[..., None]
Asked = list[tuple[str, Any]]
STEPS = 60


@pytest.fixture
def chain(address: str, record: Record, engine: sa.Engine) -> str:
    """URL of a panel over a chain of runs, each with an output beside it.

    The flagged output is made from all of the chain; the fewer steps of it another output is made
    from, the farther these are from where the chain began.
    """
    record(
        *(
            make_run(
                f"step-{step}",
                step,
                io=[read(f"table-{step - 1}"), wrote(f"table-{step}")],
                tests=(make_test(),),
            )
            for step in range(STEPS)
        ),
        *(
            make_run("predict", STEPS + step, io=[read(f"table-{step}"), wrote(f"answer-{step}")])
            for step in range(STEPS)
        ),
    )
    with engine.begin() as connection:
        flag_outputs(connection, FlagRequest([f"answer-{STEPS - 1}"]))
    return address


@contextmanager
def note_statements(engine: sa.Engine) -> Iterator[Asked]:
    """Collect what is asked of the database, with its parameters."""
    asked: Asked = []

    def note(_conn: object, asks: Any, _many: object, values: Any, _options: object) -> None:
        asked.append((str(asks.compile(dialect=engine.dialect)), values))

    # Earlier than it is sent by the name that it is prepared under.
    sa.event.listen(engine, "before_execute", note)
    yield asked
    sa.event.remove(engine, "before_execute", note)


@pytest.mark.parametrize(
    ("few", "many"),
    [
        ("/trace?output=answer-1", f"/trace?output=answer-{STEPS - 1}"),
        (f"/impact?output=table-{STEPS - 2}", "/impact?output=table-0"),
    ],
)
def test_a_long_lineage_takes_as_many_questions_as_a_short_one(
    chain: str, engine: sa.Engine, few: str, many: str
) -> None:
    counts = []
    for path in (few, many):
        with note_statements(engine) as asked:
            assert httpx.get(chain + path).is_success
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 11


def test_the_page_of_a_lineage_looks_for_those_names_only_that_stand_at_its_lines(
    chain: str, engine: sa.Engine
) -> None:
    with note_statements(engine) as asked:
        page = httpx.get(f"{chain}/trace?output=answer-{STEPS - 1}").text
    assert f"{STEPS} runs stand behind it" in page
    assert page.count("joined to") == STEPS - 12, "where the list is too deep"
    sizes = [len(values["id"]) for statement, values in asked if "FROM io_pointer" in statement]
    assert sizes == [STEPS], "neither what the first run read nor what the last one wrote"


def test_a_review_looks_for_evidence_against_those_runs_only_that_it_shows(
    chain: str, engine: sa.Engine
) -> None:
    with note_statements(engine) as asked:
        page = httpx.get(f"{chain}/review").text
    shown = page.count('class="scores"')
    assert shown == 20
    sizes = [len(v["id"]) for statement, v in asked if ".suite" in statement and "id" in v]
    assert sizes == [shown]


@pytest.mark.parametrize("path", ["/trace?output=answer-9", "/trace?run=9", "/review"])
def test_a_page_is_begun_before_it_is_known_what_it_shows(
    chain: str, engine: sa.Engine, path: str
) -> None:
    with engine.connect() as other, httpx.Client() as client:
        other.execute(sa.text("LOCK TABLE test_result IN ACCESS EXCLUSIVE MODE"))
        with client.stream("GET", f"{chain}{path}") as answer:
            parts = answer.iter_text()
            first = next(parts)
            assert answer.is_success
            assert 'id="content"' in first
            assert "</html>" not in first
            other.rollback()
            rest = "".join(parts)
    assert "step-" in rest
    assert "</html>" in rest


def test_a_page_that_cannot_be_finished_says_so(chain: str, engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE test_result RENAME TO lost"))
    received: list[str] = []
    with (
        httpx.stream("GET", f"{chain}/trace?output=answer-9") as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        received.extend(answer.iter_text())
    assert "Trace of an output" in received[0]
    assert "The rest of this page cannot be shown" in received[-1]
