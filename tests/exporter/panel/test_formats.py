import math
from datetime import UTC, datetime, timedelta

import pytest

from mltrace_exporter.panel import formats

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=-60), "in the future"),
        (timedelta(seconds=-2), "just now"),
        (timedelta(0), "just now"),
        (timedelta(seconds=59.9), "59 seconds ago"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=29), "29 days ago"),
        (timedelta(days=45), "1 month ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_an_age_is_told_in_its_largest_whole_unit(age: timedelta, words: str) -> None:
    assert formats.ago(NOW - age, NOW) == words


def test_an_exact_time_is_told_in_utc() -> None:
    assert formats.exact(NOW) == "2026-07-01 12:00:00 UTC"


@pytest.mark.parametrize(
    ("duration_s", "words"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 µs"),
        (0.00084, "840 µs"),
        (0.0123, "12 ms"),
        (0.9996, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (125, "2 min 5 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
        (30 * 24 * 3600, "30 d"),
    ],
)
def test_a_duration_is_told_in_the_units_that_suit_it(duration_s: float | None, words: str) -> None:
    assert formats.duration(duration_s) == words


@pytest.mark.parametrize(
    ("lag_s", "words"),
    [(0.0, "up to date"), (3.44, "at most 3.4 s old"), (math.inf, "of unknown age")],
)
def test_the_age_of_a_replica_is_told_as_far_as_it_is_known(lag_s: float, words: str) -> None:
    assert formats.lag(lag_s) == words


@pytest.mark.parametrize(
    ("size_bytes", "words"),
    [
        (None, "\N{EN DASH}"),
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (123_456, "123 kB"),
        (1_234_567, "1.2 MB"),
        (5 * 10**15, "5,000 TB"),
    ],
)
def test_a_size_is_told_in_decimal_units(size_bytes: int | None, words: str) -> None:
    assert formats.size(size_bytes) == words


@pytest.mark.parametrize(
    ("share", "words"),
    [(0, "0 %"), (0.001, "< 1 %"), (2 / 3, "67 %"), (0.999, "99 %"), (1, "100 %")],
)
def test_a_share_is_none_or_all_only_if_it_is_exactly_that(share: float, words: str) -> None:
    assert formats.percent(share) == words


def test_a_noun_agrees_with_its_amount() -> None:
    assert [formats.count(amount, "run") for amount in (0, 1, 1200)] == [
        "0 runs",
        "1 run",
        "1,200 runs",
    ]


def test_a_long_name_keeps_its_beginning_and_more_of_its_end() -> None:
    name = f"s3://bucket/{'x' * 200}/part-00000.parquet"
    short = formats.shorten(name, 40)
    assert len(short) == 40
    assert short.startswith("s3://bucket/")
    assert short.endswith("/part-00000.parquet")


def test_a_short_name_stays_as_it_is() -> None:
    assert formats.shorten("data/ü ☃.csv") == "data/ü ☃.csv"


def test_what_cannot_be_seen_in_a_name_is_made_visible() -> None:
    assert formats.visible("a\nb\x00") == "a␊b␀"
    assert formats.visible("\u202egpj.exe") == "\ufffdgpj.exe"
    assert formats.visible("") == "(empty name)"


def test_an_attribute_is_shown_as_text_or_json() -> None:
    assert formats.plain("ü") == "ü"
    assert formats.plain({"a": [1, None, "ü"]}) == '{"a": [1, null, "ü"]}'
