import pytest
from services import await_value

from mltrace_exporter.journal import Event, Journal


def counts(told: pytest.LogCaptureFixture) -> list[tuple[str, int]]:
    return [(record.__dict__["event"], record.__dict__["count"]) for record in told.records]


def test_the_first_is_told_at_once_and_the_rest_together(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(period_s=0.2)
    for number in range(1000):
        journal.count(Event.DEAD, f"reason {number}")
    assert counts(caplog) == [("dead", 1)]

    await_value(lambda: len(caplog.records) == 2, "the rest")

    assert counts(caplog) == [("dead", 1), ("dead", 999)]
    assert caplog.records[1].getMessage().endswith(": 999. The last: reason 999")


def test_after_a_quiet_period_the_next_is_told_at_once_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = Journal(period_s=0.01)
    journal.count(Event.REJECTED, "no JSON")
    await_value(lambda: not journal._counts, "the end of the period")
    journal.count(Event.REJECTED, "no JSON", 3)
    assert counts(caplog) == [("rejected", 1), ("rejected", 3)]


def test_at_the_end_what_is_untold_is_told(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(period_s=60)
    for event in (Event.DEAD, Event.DEAD, Event.POSTPONED):
        journal.count(event, "x")
    journal.close()
    assert counts(caplog) == [("dead", 1), ("postponed", 1), ("dead", 1)]


def test_a_lost_database_is_told_once_and_its_return_with_what_was_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now_s = iter((100.0, 107.5))
    journal = Journal(clock=lambda: next(now_s))
    journal.find_database()
    assert caplog.records == []
    for _ in range(50):
        journal.lose_database("connection\n  refused")
        journal.count(Event.POSTPONED, "The database is away or busy.")
    journal.find_database()
    journal.find_database()

    lost, found = (record.getMessage() for record in caplog.records)
    assert lost.endswith("asked to keep it: connection refused")
    assert found == "The database is back after 7.5 s; 50 requests were refused meanwhile."
