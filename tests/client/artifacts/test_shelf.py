import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from opentelemetry.trace import SpanContext

from mltrace_otel.artifacts.shelf import LimitReached, shelve, warn_once
from mltrace_otel.artifacts.sidecars import Origin, Sidecar, read_sidecar
from mltrace_otel.digest import Digest, digest
from mltrace_otel.errors import ArtifactError

SPAN = SpanContext(trace_id=1, span_id=2, is_remote=False)
LATER = SpanContext(trace_id=3, span_id=4, is_remote=False)
FRAME = pd.DataFrame({"a": range(100)})


def put(value: object, folder: object, *, limit_bytes: int | None = None, **origin: object) -> str:
    return put_sidecar(value, folder, limit_bytes=limit_bytes, **origin).name


def put_sidecar(
    value: object, folder: object, *, limit_bytes: int | None = None, **origin: object
) -> Sidecar:
    content = digest(value)
    assert content
    told = Origin(**{"component": "etl", "variable": "table", **origin})  # type: ignore[arg-type]
    return shelve(value, content, told, str(folder), limit_bytes)


def list_values(folder: Path) -> list[str]:
    return sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*")
        if file.is_file() and ".keys" not in file.parts and not file.name.endswith(".json")
    )


def test_a_value_lies_where_people_find_it(tmp_path: Path) -> None:
    address = put(FRAME, tmp_path)

    folder, name = os.path.split(address)
    assert folder == str(tmp_path / "etl")
    assert name.startswith("table-")
    assert len(name) == len("table-") + 16 + len(".parquet")


@pytest.mark.parametrize(
    ("component", "variable", "start"),
    [
        ("team/etl", "a b", "team_etl/a_b-"),
        ("..", ".x", "_./_x-"),
        ("été", "数", "été/数-"),
        ("e" * 300, "v" * 300, f"{'e' * 60}/{'v' * 60}-"),
        ("", None, "saved/saved-"),
    ],
)
def test_any_name_makes_a_path_in_the_folder(
    component: str, variable: str | None, start: str, tmp_path: Path
) -> None:
    address = put(FRAME, tmp_path, component=component, variable=variable)

    assert str(Path(address).resolve().relative_to(tmp_path)).startswith(start)


def test_equal_contents_are_saved_once_whoever_saves_them(tmp_path: Path) -> None:
    addresses = {
        put(FRAME, tmp_path),
        put(FRAME.copy(), tmp_path),
        put(FRAME, tmp_path, component="train", variable="df"),
    }

    assert len(addresses) == 1
    assert len(list_values(tmp_path)) == 1


def test_contents_that_differ_or_are_of_another_kind_lie_apart(tmp_path: Path) -> None:
    text = "a text that is long enough to be told from others, with sixty-four bytes"

    addresses = {
        put(value, tmp_path)
        for value in (text, text.encode(), bytearray(text.encode()), text.upper())
    }

    assert len(addresses) == 4


def test_nearly_empty_contents_of_two_components_have_nothing_in_common(tmp_path: Path) -> None:
    addresses = {put({}, tmp_path), put({}, tmp_path, component="train"), put({}, tmp_path)}

    assert len(addresses) == 2


def test_the_run_that_wrote_a_content_last_is_its_producer(tmp_path: Path) -> None:
    put(FRAME, tmp_path, span=SPAN)
    address = put(FRAME, tmp_path, span=LATER, component="again")
    read_by = put_sidecar(FRAME, tmp_path, component="train", variable="df")

    sidecar = read_sidecar(address)
    assert sidecar == read_by
    assert sidecar
    assert sidecar.component == "again"
    assert sidecar.producer
    assert sidecar.producer.span_id == LATER.span_id


def test_a_value_that_was_damaged_or_removed_is_saved_again(tmp_path: Path) -> None:
    address = Path(put(FRAME, tmp_path))
    whole = address.stat().st_size
    address.write_bytes(b"")

    assert put(FRAME, tmp_path) == str(address)
    assert address.stat().st_size == whole

    address.unlink()

    assert put(FRAME, tmp_path) == str(address)
    assert address.stat().st_size == whole


def test_a_folder_that_was_moved_still_has_its_values(tmp_path: Path) -> None:
    put(FRAME, tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")

    address = put(FRAME, tmp_path / "new", component="train")

    assert Path(address).parent == tmp_path / "new" / "etl"


def test_addresses_do_not_depend_on_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert put(FRAME, "kept").startswith(f"{tmp_path}/kept/etl/")


def test_above_the_limit_nothing_more_is_saved(tmp_path: Path) -> None:
    first = np.arange(1000)
    address = put(first, tmp_path, limit_bytes=10_000)

    with pytest.raises(LimitReached, match=r"has reached MLTRACE_SAVE_LIMIT, 10,000 bytes\. Del"):
        put(np.arange(1001), tmp_path, limit_bytes=10_000)

    assert put(first, tmp_path, limit_bytes=10_000) == address
    assert len(list_values(tmp_path)) == 1
    assert put(np.arange(1001), tmp_path)


def test_a_frame_is_saved_without_pyarrow_and_says_what_to_install(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["pyarrow"] = None  # as if it were not installed
import logging, pandas as pd
logging.basicConfig()
from mltrace_otel import load, save
for rows in (1, 2):
    address = save(pd.DataFrame({"a": range(rows)}))
    print(address.rpartition(".")[2], len(load(address)))
"""
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "MLTRACE_HOME": str(tmp_path)},
    )

    assert done.stdout.splitlines() == ["joblib 1", "joblib 2"]
    assert done.stderr.count("pip install 'mltrace-otel[artifacts]'") == 1


SAVER = """
import os, sys
import numpy as np
from mltrace_otel.digest import digest
from mltrace_otel.artifacts.shelf import shelve
from mltrace_otel.artifacts.sidecars import Origin

class Value:
    def __reduce__(self):
        if os.environ.get("DIES"):
            os.kill(os.getpid(), 9)
        return Value, ()

for number in range(int(sys.argv[2])):
    value = np.full(10_000, number)
    print(shelve(value, digest(value), Origin("etl", "array"), sys.argv[1]).name, flush=True)
if "DIES" in os.environ:
    value = digest(b"whatever")
    shelve([np.zeros(100_000), Value()], value, Origin("etl", "last"), sys.argv[1])
"""


def start(folder: Path, count: int, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-c", SAVER, folder, str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **variables},
    )


def test_processes_that_save_the_same_contents_do_not_disturb_each_other(tmp_path: Path) -> None:
    savers = [start(tmp_path, 20) for _ in range(3)]
    said = [saver.communicate(timeout=60)[0].splitlines() for saver in savers]

    assert said[0] == said[1] == said[2]
    assert len(list_values(tmp_path)) == 20
    for number, address in enumerate(said[0]):
        sidecar = read_sidecar(address)
        assert sidecar
        assert sidecar.describes(Path(address))
        assert np.load(address)[0] == number


def test_a_process_that_is_killed_while_it_saves_leaves_no_half_value(tmp_path: Path) -> None:
    saver = start(tmp_path, 1, DIES="yes")
    saver.communicate(timeout=60)

    assert saver.returncode == -signal.SIGKILL
    whole = [name for name in list_values(tmp_path) if not name.endswith("-draft")]
    assert len(list_values(tmp_path)) == 2
    assert [name.startswith("etl/array-") for name in whole] == [True]


def test_what_cannot_be_pickled_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"cannot hold this builtins\.function"):
        shelve(lambda: 0, Digest("x:1", 100), Origin("etl", "f"), str(tmp_path))

    assert list_values(tmp_path) == []


def test_a_warning_comes_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        warn_once("topic of this test", "first")
        warn_once("topic of this test", "second")

    assert [record.message for record in caplog.records] == ["first"]
