import io
import os
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from mltrace_otel.names import LENGTH_LIMIT, find_paths, is_being_written, read_names


class RemotePath:
    """A path as those of libraries for object stores."""

    def __init__(self, text: str, local: str | bytes | None = None) -> None:
        self.text = text
        self.local = local

    def __str__(self) -> str:
        return self.text

    def __fspath__(self) -> str | bytes:
        assert self.local is not None, "the file was fetched"
        return self.local


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (None, []),
        ("", []),
        ("a.csv", ["a.csv"]),
        (PurePosixPath("x/a.csv"), ["x/a.csv"]),
        (RemotePath("s3://bucket/a.csv"), ["s3://bucket/a.csv"]),
        (RemotePath("RemotePath()", b"a.csv"), ["a.csv"]),
        (["b", Path("a")], ["b", "a"]),
        (("b", "a"), ["b", "a"]),
        ({"b", "a"}, ["a", "b"]),
        ([], []),
        ([""], None),
        (["a", None], None),
        (["a", ["b"]], None),
        (5, None),
        (b"a.csv", None),
        (io.StringIO("text"), None),
        ("x" * LENGTH_LIMIT, ["x" * LENGTH_LIMIT]),
        ("x" * (LENGTH_LIMIT + 1), None),
        (["a", "x" * (LENGTH_LIMIT + 1)], None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_say_names(value: object, names: list[str] | None) -> None:
    assert read_names(value) == names


def test_an_open_file_is_named_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w") as file:
        assert read_names(file) == [str(path)]
        assert is_being_written(file)
    assert not is_being_written(file)
    with path.open() as file:
        assert read_names(file) == [str(path)]
        assert not is_being_written(file)
    with tempfile.NamedTemporaryFile() as temporary:
        assert read_names(temporary) == [temporary.name]
        assert is_being_written(temporary)
    read_end, write_end = os.pipe()
    with os.fdopen(read_end), os.fdopen(write_end, "w") as pipe:
        assert read_names(pipe) is None


@pytest.mark.parametrize("others", [0, 100])
def test_names_that_are_paths_are_found_among_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder/inner").mkdir(parents=True)
    for name in ("a", "folder/b", "folder/inner/c", ".hidden"):
        Path(name).touch()
    Path("broken").symlink_to("nowhere")
    there = {
        *("a", ".hidden", "folder", "folder/", "folder/b", "folder/..", "./a", "folder//b", "."),
        *("folder/inner/c", "folder/inner/../b", str(tmp_path / "a"), "/"),
    }
    missing = {"b", "a/", "a/b", "nowhere/a", "folder/a", "x\0", "s3://bucket/a", "x" * 300}
    crowd = {f"{folder}{number}" for folder in ("", "folder/", "no/") for number in range(others)}

    assert find_paths([*there, *missing, *crowd]) == there


def test_a_folder_that_may_not_be_listed_is_asked_for_each_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").touch()

    def refuse(_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "scandir", refuse)

    names = [str(tmp_path / name) for name in "abcdefghijklmnopqrstuvwxyz"]
    assert find_paths(names) == {names[0]}
