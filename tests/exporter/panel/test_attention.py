"""What the home page says of tests for whose names there is no room."""

from collections.abc import Callable

import httpx
import pytest
import sqlalchemy as sa
from builders import make_run, make_test
from serving import serve

from mltrace_exporter.main import create_app
from mltrace_exporter.monitoring.poller import Poller


@pytest.mark.parametrize(
    ("limit", "said"), [(10_000, ">60<"), (400, "and more than are named"), (0, ">Some<")]
)
def test_failing_tests_without_room_for_their_names_are_not_called_passed(
    engine: sa.Engine, record: Callable[..., None], limit: int, said: str
) -> None:
    failing = (make_test(status="fail"),)
    record(*(make_run(f"stage-{number:02}", number, tests=failing) for number in range(60)))
    with serve(create_app(engine, poller=Poller(engine, series_limit=limit))) as address:
        home, tests = httpx.get(address).text, httpx.get(f"{address}/tests").text
    assert said in home
    assert "All passed" not in home
    assert "All tests passed" not in tests
    assert ("Other tests fail, too" in tests) == (limit < 10_000)
