import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from contents import text_of
from hypothesis import given
from hypothesis import strategies as st
from receiving import run_program

from mltrace_otel.digest import Digest, digest, digest_file


@given(st.binary(max_size=50))
def test_bytes_have_the_digest_of_a_file_with_them(tmp_path_factory: Any, content: bytes) -> None:
    file = tmp_path_factory.mktemp("files") / "file"
    file.write_bytes(content)

    found = digest_file(file)
    assert found == digest(content) == digest(bytearray(content)) == digest(memoryview(content))
    assert found is not None
    assert found.size_bytes == len(content)


def test_a_text_has_the_digest_of_a_file_with_it(tmp_path: Path) -> None:
    text = "é\N{GRINNING FACE}a" * 200_000
    (tmp_path / "text").write_text(text, encoding="utf-8")

    assert digest(text) == digest_file(tmp_path / "text")
    assert text_of("\ud800") != text_of("\ud801")


def test_bytes_that_lie_apart_have_the_digest_of_their_copy() -> None:
    view = memoryview(b"a-b-c-")[::2]

    assert digest(view) == digest(b"abc")


def test_what_is_not_bytes_never_looks_like_bytes() -> None:
    assert len({text_of(each) for each in (b"a", [b"a"], "b", ["b"], np.array([97], "u1"))}) == 5


def test_sizes_are_those_of_the_content() -> None:
    array = np.zeros((10, 10))

    for value, size_bytes in [(array, 800), ([array], 800), (pd.Series(array[0]), 160)]:
        found = digest(value)
        assert found is not None
        assert size_bytes <= found.size_bytes < size_bytes + 20  # names are content, too


def test_a_digest_says_whether_samples_only_were_read() -> None:
    assert Digest("sampled-xxh3-128:00", 1).is_sampled
    assert not Digest("xxh3-128:00", 1).is_sampled


KNOWN = [
    "xxh3-128:06b05ab6733a618578af5f94892f3950",
    "xxh3-128:4ed7374dee5f5f11592a2b7ddd09021e",
    "xxh3-128:3cbf916530f16eee617a8fc24335846e",
    "xxh3-128:6cf02a004375d27b2f94879af25922e4",
    "xxh3-128:2aee3b60443b349ea2199faf974e9bdd",
    "xxh3-128:605478d3fd0e9a13c9d6c2996012a120",
]


def test_a_digest_is_the_same_in_every_process_and_release(tmp_path: Path) -> None:
    """If this fails, what is recorded already no longer matches what is recorded from now on."""
    ended = run_program(
        tmp_path,
        """
        import math
        import numpy as np, pandas as pd, polars as pl, pyarrow as pa
        from mltrace_otel.digest import digest

        for value in [
            b"abc",
            {"b": [1, 2.5, None], "a": {"x", "y"}},
            np.arange(6.0).reshape(2, 3),
            pd.DataFrame({"a": [1, 2], "b": ["x", math.nan]}),
            pa.table({"a": [1, None], "b": ["x", "y"]}),
            pl.DataFrame({"a": [1, None], "b": ["x", "y"]}),
        ]:
            print(digest(value).text)
        """,
    )

    assert ended.stdout.split() == KNOWN


def test_no_library_is_imported_for_a_program_without_it(tmp_path: Path) -> None:
    ended = run_program(
        tmp_path,
        """
        import datetime, sys
        import mltrace_otel
        from mltrace_otel.digest import digest

        @mltrace_otel.Component("c").run(input_vars=["path"], output_vars=["size"])
        def work(path):
            size = len(path)
            return size

        work("in.csv")
        for value in (b"bytes", "text", [1, {"a": {2}}], datetime.date(2020, 1, 1), Exception):
            assert digest(value)
        heavy = {"numpy", "pandas", "polars", "pyarrow", "scipy", "torch", "joblib", "grpc"}
        print(sorted(heavy & sys.modules.keys()))
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
    )

    assert ended.stdout == "[]\n"


def test_a_value_is_not_changed(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mltrace_otel")
    frame = pd.DataFrame({"a": [1, math.nan], "b": ["x", None]}, index=pd.RangeIndex(2))
    copied = frame.copy(deep=True)

    assert digest(frame) == digest(frame)
    pd.testing.assert_frame_equal(frame, copied)
    assert not caplog.records
