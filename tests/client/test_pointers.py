import decimal
import os
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd
import polars as pl
import pytest
from opentelemetry.trace import SpanContext
from sklearn.linear_model import LinearRegression

from mltrace_otel.digest import digest, digest_file
from mltrace_otel.names import LENGTH_LIMIT
from mltrace_otel.pointers import (
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
def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for name in ("pipe", "missing"):
        assert point(str(tmp_path / name)).digest is None
    assert point("a\0b").digest is None


def test_a_file_above_the_limit_says_that_it_was_sampled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    big = tmp_path / "big"
    big.write_bytes(bytes(1001))
    assert str(point(str(big)).digest).startswith("xxh3-128:")

    monkeypatch.setenv("MLTRACE_FILE_LIMIT", "1 kB")
    pointer = point(str(big))
    assert str(pointer.digest).startswith("sampled-xxh3-128:")
    assert pointer.size_bytes == 1001
    monkeypatch.setenv("MLTRACE_FILE_LIMIT", "plenty")
    assert str(point(str(big)).digest).startswith("xxh3-128:")
    assert "MLTRACE_FILE_LIMIT='plenty'" in caplog.text


def test_a_folder_has_the_digest_of_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "table.parquet" / "day=1").mkdir(parents=True)
    (tmp_path / "table.parquet" / "day=1" / "part-0").write_bytes(b"1")

    before = point(str(tmp_path / "table.parquet"))
    (tmp_path / "table.parquet" / "day=1" / "part-0").write_bytes(b"2")
    after = point(str(tmp_path / "table.parquet"))

    assert before.size_bytes == 1
    assert before.type == "data"
    assert None not in (before.digest, after.digest)
    assert before.digest != after.digest


def test_a_file_that_is_being_written_has_no_digest_yet(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    with path.open("w") as file:
        file.write("a")
        assert read_outputs("c", "v", file, SPAN) == [IOPointer(str(path), PointerType.DATA)]
    assert read_outputs("c", "v", file, SPAN) == [point(str(path))]
    with path.open() as file:
        assert read_inputs("c", "v", file) == [point(str(path))]


@pytest.mark.parametrize(
    "name", ["s3://bucket/a.parquet", "https://host/model.joblib", "postgresql://host/db"]
)
def test_an_url_is_a_name_only(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).parent.mkdir(parents=True)
    Path(name).touch()

    assert read_inputs("c", "v", name) == [IOPointer(name, guess_type(name))]
    assert read_inputs("c", "v", [name] * 100) == [IOPointer(name, guess_type(name))] * 100


def test_files_are_found_in_long_lists_of_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("id-7").write_text("content")

    pointers = read_inputs("c", "ids", [f"id-{number}" for number in range(100)])

    assert [pointer.name for pointer in pointers if pointer.digest] == ["id-7"]


FRAME = pd.DataFrame({"a": range(100)})


@pytest.mark.parametrize(
    ("value", "places"),
    [
        ([FRAME, FRAME.a], ["c.v[0]", "c.v[1]"]),
        ((np.zeros(9), LinearRegression()), ["c.v[0]", "c.v[1]"]),
        ({"train": FRAME, 2: FRAME}, ["c.v[train]", "c.v[2]"]),
        ([FRAME, 1], ["c.v"]),
        ([FRAME, None], ["c.v"]),
        ([FRAME] * 65, ["c.v"]),
        ({(1, 2): FRAME}, ["c.v"]),
        ({}, ["c.v"]),
        ([np.float64(1)], ["c.v"]),
    ],
)
def test_each_table_or_model_of_a_list_or_dict_is_a_pointer(
    value: object, places: list[str]
) -> None:
    written = read_outputs("c", "v", value, SPAN)
    read = read_inputs("c", "v", value)

    assert [pointer.name for pointer in written] == places
    assert [pointer.name for pointer in read] == [f"c({place[2:]})" for place in places]
    assert [pointer.digest for pointer in read] == [pointer.digest for pointer in written]


def test_the_consumer_of_one_part_knows_who_wrote_all() -> None:
    parts = {"train": pd.DataFrame({"a": range(70)}), "test": pd.DataFrame({"a": range(30)})}

    read_outputs("split", "parts", parts, SPAN)

    assert read_inputs("train", "x", parts["train"].copy())[0].producer == SPAN


def test_a_lazy_frame_has_a_name_and_no_content() -> None:
    (pointer,) = read_inputs("c", "v", pl.LazyFrame({"a": [1]}))

    assert pointer == IOPointer("c(v)", PointerType.DATA)


def test_a_long_text_is_content() -> None:
    text = "x" * (LENGTH_LIMIT + 1)
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


class Spiteful:
    """Refuses whatever it is asked."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(name)


class SpitefulPath(os.PathLike[str]):
    def __fspath__(self) -> str:
        raise RuntimeError


def test_what_refuses_to_be_read_is_named_by_its_place() -> None:
    for value in (Spiteful(), SpitefulPath(), [Spiteful()], {"a": Spiteful()}):
        assert [pointer.name for pointer in read_inputs("c", "v", value)] == ["c(v)"]
