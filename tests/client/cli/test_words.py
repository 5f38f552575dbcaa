from datetime import UTC, datetime, timedelta

import pytest

from mltrace_otel.cli.render import words
from mltrace_otel.cli.render.layout import shorten

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed_s", "said"),
    [
        (0.4, "0 s ago"),
        (59, "59 s ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (3600, "1 h ago"),
        (47 * 3600, "47 h ago"),
        (48 * 3600, "2 days ago"),
        (41 * 86400, "41 days ago"),
        (800 * 86400, "2 years ago"),
        (-90, "in 1 min"),
    ],
)
def test_times_are_said_by_how_long_ago_they_were(passed_s: float, said: str) -> None:
    assert words.ago(NOW - timedelta(seconds=passed_s), NOW) == said


@pytest.mark.parametrize(
    ("duration_s", "said"),
    [
        (None, "-"),
        (0.00042, "0.42 ms"),
        (0.34, "340 ms"),
        (1.234, "1.23 s"),
        (59.99, "60 s"),
        (200, "3 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_durations_have_two_or_three_digits(duration_s: float | None, said: str) -> None:
    assert words.took(duration_s) == said


@pytest.mark.parametrize(
    ("size_bytes", "said"), [(1, "1 byte"), (999, "999 bytes"), (1_234_567, "1.23 MB")]
)
def test_sizes_have_units(size_bytes: int, said: str) -> None:
    assert words.size(size_bytes) == said


@pytest.mark.parametrize(
    ("text", "width", "said"),
    [
        ("short", 5, "short"),
        ("data/clean.parquet", 9, "data…quet"),
        ("日本語日本語日本語", 9, "日本…本語"),
        ("abc", 1, "…"),
    ],
)
def test_names_are_cut_in_the_middle(text: str, width: int, said: str) -> None:
    assert shorten(text, width) == said
