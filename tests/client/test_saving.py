import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ftp import serve_ftp
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext
from receiving import Receiver, run_program

from mltrace_exporter.model import Io, Run
from mltrace_otel import ArtifactError, ArtifactMissing, Component, SettingsError, load, save
from mltrace_otel.artifacts.files import find_files
from mltrace_otel.artifacts.sidecars import read_sidecar
from mltrace_otel.digest import Digest, digest, digest_file
from mltrace_otel.saving import keep

Recorded = Callable[[], list[Run]]

FRAME = pd.DataFrame({"a": range(50), "b": ["x", None] * 25})
SPAN = SpanContext(trace_id=1, span_id=2, is_remote=False)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where values are kept."""
    monkeypatch.setenv("MLTRACE_SAVE_DIR", str(tmp_path / "kept"))
    return tmp_path / "kept"


def get_digest(value: object) -> Digest:
    content = digest(value)
    assert content
    return content


def list_io(run: Run, direction: str) -> list[Io]:
    return [io for io in run.io if io.direction == direction]


def save_in_run(value: object, path: str | Path | None = None, component: str = "etl") -> str:
    @Component(component).run
    def work() -> str:
        return save(value, path)

    return work()


def load_in_run(path: str | Path, component: str = "train") -> object:
    @Component(component).run
    def work() -> object:
        return load(path)

    return work()


@pytest.mark.parametrize("name", ["frame.parquet", "deep/frame.joblib", "frame.pkl", "frame"])
def test_a_value_is_saved_exactly_where_it_is_wanted(name: str, tmp_path: Path) -> None:
    path = tmp_path / name

    assert save(FRAME, path) == str(path)

    assert path.is_file()
    pd.testing.assert_frame_equal(load(path), FRAME)
    pd.testing.assert_frame_equal(load(f"file://{path}"), FRAME)


def test_relative_paths_stay_as_they_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert save(np.arange(3), "a.npy") == "a.npy"
    assert list(load("a.npy")) == [0, 1, 2]


def test_without_a_path_values_are_kept_by_content(folder: Path) -> None:
    first, again = save(FRAME), save(FRAME.copy())

    assert first == again
    assert Path(first).parent == folder / "saved"
    pd.testing.assert_frame_equal(load(first), FRAME)


def test_what_a_run_saves_is_its_output(recorded: Recorded, folder: Path) -> None:
    address = save_in_run(FRAME)

    (run,) = recorded()
    content = get_digest(FRAME)
    assert list_io(run, "output") == [
        Io("output", address, "data", content.text, content.size_bytes)
    ]
    assert Path(address).parent == folder / "etl"


def test_what_a_run_loads_is_its_input_and_linked_to_the_run_that_saved_it(
    recorded: Recorded, tmp_path: Path
) -> None:
    path = tmp_path / "frame.parquet"
    save_in_run(FRAME, path)
    load_in_run(path)

    saver, loader = recorded()
    content = get_digest(FRAME)
    assert list_io(loader, "input") == [
        Io("input", str(path), "data", content.text, content.size_bytes, producer=saver.id)
    ]


def test_naming_a_saved_value_in_input_vars_links_to_the_run_that_saved_it(
    recorded: Recorded, tmp_path: Path
) -> None:
    path = save_in_run(FRAME, tmp_path / "frame.parquet")

    @Component("train").run(input_vars=["path"])
    def train(path: str) -> int:
        return len(pd.read_parquet(path))

    train(path)

    saver, trainer = recorded()
    (read,) = list_io(trainer, "input")
    assert (read.name, read.digest) == (path, get_digest(FRAME).text)
    assert read.producer == saver.id


def test_what_is_saved_outside_of_runs_has_no_producer(recorded: Recorded, tmp_path: Path) -> None:
    path = save(FRAME, tmp_path / "frame.parquet")
    load_in_run(path)

    (loader,) = recorded()
    (read,) = list_io(loader, "input")
    assert read.digest == get_digest(FRAME).text
    assert read.producer is None


def test_a_file_that_was_changed_since_has_its_true_digest_and_no_producer(
    recorded: Recorded, tmp_path: Path
) -> None:
    path = tmp_path / "frame.parquet"
    save_in_run(FRAME, path)
    FRAME.head(3).to_parquet(path)
    now = digest_file(path)

    assert len(load_in_run(path)) == 3  # type: ignore[arg-type] # it is a frame

    (read,) = list_io(recorded()[1], "input")
    assert now
    assert read.digest == now.text
    assert read.producer is None


def test_a_file_of_another_tool_is_loaded_and_named(recorded: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "frame.parquet"
    FRAME.to_parquet(path)

    pd.testing.assert_frame_equal(load_in_run(path), FRAME)  # type: ignore[arg-type]

    (read,) = list_io(recorded()[0], "input")
    content = digest_file(path)
    assert content
    assert (read.name, read.digest, read.producer) == (str(path), content.text, None)


def test_a_copied_file_without_its_sidecar_is_still_loaded(tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    save({"a": 1}, path)
    copy = path.rename(tmp_path / "copy.joblib")

    assert load(copy) == {"a": 1}


def test_nested_and_asynchronous_runs_have_what_they_saved_themselves(
    recorded: Recorded, tmp_path: Path
) -> None:
    @Component("inner").run
    async def work_inside(number: int) -> None:
        await asyncio.sleep(0)
        save(number, tmp_path / f"{number}.joblib")

    @Component("outer").run
    async def work() -> None:
        await asyncio.gather(*(work_inside(number) for number in range(3)))
        save("outer", tmp_path / "outer.joblib")

    asyncio.run(work())

    written = {
        (run.component, *(Path(io.name).stem for io in list_io(run, "output")))
        for run in recorded()
    }
    assert written == {("inner", "0"), ("inner", "1"), ("inner", "2"), ("outer", "outer")}


def test_threads_have_what_they_saved_themselves(recorded: Recorded, tmp_path: Path) -> None:
    @Component("worker").run
    def work(number: int) -> None:
        save(number, tmp_path / f"{number}.joblib")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(20)))

    written = sorted(Path(io.name).stem for run in recorded() for io in list_io(run, "output"))
    assert written == sorted(map(str, range(20)))


def test_what_a_failing_run_saved_and_loaded_is_recorded(
    recorded: Recorded, tmp_path: Path
) -> None:
    @Component("etl").run
    def work() -> None:
        load(save(FRAME, tmp_path / "frame.parquet"))
        raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        work()

    assert [io.direction for io in recorded()[0].io] == ["input", "output"]


@pytest.mark.parametrize(
    ("value", "path", "sentence"),
    [
        (FRAME, "clean.csv", r"Cannot write .*clean\.csv: only \.parquet, \.npy and \.joblib"),
        ({"a": 1}, "a.parquet", r"A \.parquet file cannot hold this builtins\.dict"),
        ([1], "a.npy", r"A \.npy file cannot hold this builtins\.list"),
        (pd.DataFrame({"a": [1, "b"]}), "a.parquet", r"A \.parquet file cannot hold this pandas"),
        (lambda: 0, "f.joblib", r"A \.joblib file cannot hold this builtins\.function"),
        (lambda: 0, None, "Cannot save this function: it cannot be pickled"),
        (1, "/dev/null/a/b", r"Cannot write /dev/null/a/b \(Not a directory\): make room"),
        (1, "s3://bucket/a", "Cannot write s3://bucket/a .*Install s3fs"),
    ],
)
def test_what_cannot_be_saved_is_refused_in_a_sentence_and_leaves_nothing(
    value: object, path: str | None, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ArtifactError, match=sentence):
        save(value, path)

    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_file_that_is_missing_or_no_value_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")

    with pytest.raises(ArtifactMissing, match="There is no file nowhere/a"):
        load("nowhere/a")
    with pytest.raises(ArtifactError, match=r"Cannot load .*/text\. It is no \.joblib file"):
        load(tmp_path / "text")


def test_joblib_files_can_be_forbidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save({"a": 1}, tmp_path / "a.joblib")
    save(FRAME, tmp_path / "a.parquet")
    monkeypatch.setenv("MLTRACE_LOAD_JOBLIB", "false")

    with pytest.raises(ArtifactError, match="MLTRACE_LOAD_JOBLIB=false forbids that"):
        load(tmp_path / "a.joblib")
    pd.testing.assert_frame_equal(load(tmp_path / "a.parquet"), FRAME)


def test_save_by_hand_is_never_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTRACE_SAVE_LIMIT", "0")

    assert len(load(save(FRAME))) == 50


def test_settings_that_make_no_sense_are_said_by_save_and_only_logged_by_keep(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLTRACE_SAVE_LIMIT", "much")

    with pytest.raises(SettingsError, match="MLTRACE_SAVE_LIMIT='much' is no size"):
        save(FRAME)
    assert keep(FRAME, get_digest(FRAME), "etl", "settings", SPAN) is None
    assert "etl.settings is not kept: MLTRACE_SAVE_LIMIT='much' is no size" in caplog.text


class Spiteful:
    """A value that does its worst as it is pickled."""

    def __reduce__(self) -> str:
        raise RecursionError("too deep")


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("unpicklable", lambda: 0, None),
        ("spiteful", Spiteful(), None),
        ("nowhere", FRAME, "/dev/null/folder"),
        ("no_backend", FRAME, "s3://bucket/folder"),
        ("no_such_kind", FRAME, "nothing://folder"),
    ],
)
def test_keep_never_raises_and_warns_once(
    name: str,
    value: object,
    place: str | None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if place:
        monkeypatch.setenv("MLTRACE_SAVE_DIR", place)

    with caplog.at_level(logging.WARNING):
        kept = [keep(value, Digest("x:1", 100), "etl", name, SPAN) for _ in range(3)]

    assert kept == [None, None, None]
    assert [record.message.partition(":")[0] for record in caplog.records] == [
        f"etl.{name} is not kept"
    ]


def test_keep_says_who_wrote_a_value_if_that_is_known() -> None:
    known = keep(FRAME, get_digest(FRAME), "etl", "df", SPAN)
    other = FRAME.head(20)
    unknown = keep(other, get_digest(other), "train", "df", INVALID_SPAN_CONTEXT)

    assert known
    assert unknown
    sidecars = read_sidecar(known), read_sidecar(unknown)
    assert sidecars[0]
    assert sidecars[1]
    assert sidecars[0].producer
    assert sidecars[0].producer.span_id == 2
    assert sidecars[1].producer is None


LIMITED = """
import numpy as np
from mltrace_otel.saving import keep
from mltrace_otel.digest import digest
from opentelemetry.trace import INVALID_SPAN_CONTEXT

for number in range(5):
    value = np.full(1000, number)
    print(keep(value, digest(value), "etl", f"x{number}", INVALID_SPAN_CONTEXT) is not None)
"""


def test_above_the_limit_one_warning_says_what_to_do(tmp_path: Path) -> None:
    ended = run_program(tmp_path, LIMITED, MLTRACE_SAVE_LIMIT="20 KiB")

    assert ended.stdout.split() == ["True", "True", "False", "False", "False"]
    assert ended.stderr.count("Values are no longer kept") == 1
    assert ".mltrace/artifacts has reached MLTRACE_SAVE_LIMIT, 20,480 bytes." in ended.stderr


STAGE = """
from mltrace_otel import Component, flush, load, save

@Component("{component}").run
def work():
    {work}

work()
assert flush(20)
"""


def run_stage(folder: Path, receiver: Receiver, component: str, work: str, place: str) -> str:
    ended = run_program(
        folder,
        STAGE.format(component=component, work=work),
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
        MLTRACE_SAVE_DIR=place,
    )
    assert ended.status == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.parametrize("kind", ["local", "ftp"])
def test_another_process_links_to_the_run_that_saved_a_value(
    kind: str, receiver: Receiver, tmp_path: Path
) -> None:
    with serve_ftp(tmp_path) as url:
        place = f"{url}/kept" if kind == "ftp" else str(tmp_path / "kept")
        address = run_stage(tmp_path, receiver, "etl", "print(save(list(range(1000))))", place)
        printed = run_stage(tmp_path, receiver, "train", f"print(sum(load({address!r})))", place)

    saver, loader = receiver.runs()
    assert address.startswith(f"{place}/etl/list-")
    assert printed == "499500"
    (written,), (read,) = list_io(saver, "output"), list_io(loader, "input")
    assert read.name == written.name == address.replace("ann:secret@", "")
    assert read.digest == written.digest
    assert read.producer == saver.id


def test_pandas_is_not_imported_for_programs_without_it(tmp_path: Path) -> None:
    ended = run_program(
        tmp_path,
        """
        import sys
        from mltrace_otel import load, save

        loaded = load(save({"a": [1, 2]}))
        print(loaded, sorted({"pandas", "polars", "pyarrow", "fsspec"} & set(sys.modules)))
        """,
    )

    assert ended.stdout == "{'a': [1, 2]} []\n"


def test_a_value_can_be_saved_in_any_store_by_hand() -> None:
    address = save(FRAME, "memory://by-hand/frame.parquet")

    pd.testing.assert_frame_equal(load(address), FRAME)
    assert find_files(address).read(f"{address}.mltrace.json")
