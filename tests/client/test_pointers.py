import decimal
import os
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import pytest
from opentelemetry.trace import SpanContext
from sklearn.linear_model import LinearRegression

from mltrace_otel.digest import digest, digest_file
from mltrace_otel.pointers import (
    NAME_LIMIT,
    IOPointer,
    PointerType,
    guess_type,
    point,
    read_inputs,
    read_outputs,
)
from mltrace_otel.producers import Producers

SPAN = SpanContext(trace_id=1, span_id=2, is_remote=False)
OTHER = SpanContext(trace_id=3, span_id=4, is_remote=False)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("s3://bucket/clean.CSV", "data"),
        ("out.parquet", "data"),
        ("model.json", "data"),
        ("weights.pt", "model"),
        ("my_model_v2", "model"),
        ("database", "data"),
        ("prediction-12", "unknown"),
        ("", "unknown"),
    ],
)
def test_a_name_suggests_a_type(name: str, type_: str) -> None:
    assert guess_type(name) == type_


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("a.csv", ["a.csv"]),
        (PurePosixPath("x/a.csv"), ["x/a.csv"]),
        (["b", "a"], ["b", "a"]),
        (("a", Path("b")), ["a", "b"]),
        ({"b", "a"}, ["a", "b"]),
        (None, []),
        ("", []),
        ([], []),
    ],
)
def test_texts_and_paths_name_pointers_by_their_value(value: object, names: list[str]) -> None:
    assert [pointer.name for pointer in read_inputs("c", "v", value)] == names
    assert [pointer.name for pointer in read_outputs("c", "v", value, SPAN)] == names


def test_a_file_has_the_digest_of_its_content(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,b\n1,2\n")
    content = digest_file(file)
    assert content

    assert point(str(file)) == IOPointer(str(file), PointerType.DATA, content.text, 8)
    assert read_inputs("c", "v", file) == [point(str(file))]


@pytest.mark.timeout(5)
def test_what_is_no_plain_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "big").touch()
    os.truncate(tmp_path / "big", 300 * 1024 * 1024)

    for name in ("pipe", "big", "missing", "."):
        assert point(str(tmp_path / name)).digest is None
    assert point("a\0b").digest is None


def test_a_long_text_is_content() -> None:
    text = "x" * (NAME_LIMIT + 1)
    content = digest(text)
    assert content

    (read,) = read_inputs("c", "text", text)
    (written,) = read_outputs("c", "text", text, SPAN)
    assert (read.name, written.name) == ("c(text)", "c.text")
    assert read.digest == written.digest == content.text


@pytest.mark.parametrize("number", [0.5, 1, True, np.float64(2), decimal.Decimal(1), 1j])
def test_numbers_say_nothing_about_where_they_came_from(number: object) -> None:
    (pointer,) = read_inputs("c", "lr", number)

    assert (pointer.name, pointer.digest, pointer.producer) == ("c(lr)", None, None)


def test_types_of_values_are_seen() -> None:
    def see(value: object, variable: str = "v") -> str:
        return read_inputs("c", variable, value)[0].type

    assert see(pd.DataFrame({"a": [1]})) == "data"
    assert see(np.zeros(3)) == "data"
    assert see(LinearRegression()) == "model"
    assert see({"a": 1}) == "unknown"
    assert see({"a": 1}, "training_data") == "data"


def test_a_consumer_knows_its_producer_by_content() -> None:
    array = np.random.default_rng(1).random(100)

    assert read_inputs("c", "x", array)[0].producer is None
    read_outputs("p", "y", array, SPAN)
    assert read_inputs("c", "x", array.copy())[0].producer == SPAN
    read_outputs("q", "y", array, OTHER)
    assert read_inputs("c", "x", array)[0].producer == OTHER
    array[0] = 2
    assert read_inputs("c", "x", array)[0].producer is None


def test_nearly_empty_contents_and_old_ones_have_no_producer() -> None:
    producers = Producers(limit=2)
    digests = [digest(bytes([number]) * 100) for number in range(3)]
    tiny = digest(b"tiny")
    assert tiny

    for each in (*digests, tiny):
        assert each
        producers.remember(each, SPAN)

    assert [producers.find(each) for each in digests if each] == [None, SPAN, SPAN]
    assert producers.find(tiny) is None
