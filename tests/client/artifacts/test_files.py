import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ftp import serve_ftp

from mltrace_otel.artifacts.files import clean_address, find_files, hide_password, is_remote, join
from mltrace_otel.errors import ArtifactError, ArtifactMissing

Place = Callable[[str], str]


@pytest.fixture(params=["local", "memory", "ftp"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """Gives addresses of files in one kind of store."""
    if request.param == "ftp":
        with serve_ftp(tmp_path) as url:
            yield lambda name: join(url, name)
    elif request.param == "memory":
        yield lambda name: f"memory://{tmp_path.name}/{name}"
    else:
        yield lambda name: join(str(tmp_path), name)


def write(address: str, text: str) -> None:
    with find_files(address).draft(address) as draft:
        draft.write_text(text)


def write_half(address: str) -> None:
    with find_files(address).draft(address) as draft:
        draft.write_text("half of the n")
        raise ZeroDivisionError


def test_a_file_is_written_read_and_measured_anywhere(place: Place) -> None:
    address = place("deep/folder/file.txt")

    write(address, "first")
    write(address, "second one")

    files = find_files(address)
    assert files.read(address) == b"second one"
    assert files.measure(address) == 10
    with files.fetch(address) as copy:
        assert copy.read_text() == "second one"


def test_a_folder_is_added_up_anywhere(place: Place) -> None:
    folder = place("folder")
    files = find_files(folder)
    empty_bytes = files.add_up(folder)

    write(join(folder, "a/b.txt"), "12345")
    write(join(folder, "c.txt"), "123")

    assert empty_bytes == 0
    assert files.add_up(folder) == 8


def test_a_file_that_is_not_there_is_said_to_be_missing_anywhere(place: Place) -> None:
    address = place("folder/nothing.txt")
    files = find_files(address)

    for ask in (files.read, files.measure):
        with pytest.raises(ArtifactMissing, match=r"There is no file .*nothing\.txt"):
            ask(address)
    with pytest.raises(FileNotFoundError), files.fetch(address):
        pass


def test_a_writer_that_fails_leaves_the_file_as_it_was_anywhere(place: Place) -> None:
    address = place("folder/file.txt")
    write(address, "old")

    with pytest.raises(ArtifactError, match=r"Cannot write .*ZeroDivisionError.*make room"):
        write_half(address)

    files = find_files(address)
    assert files.read(address) == b"old"
    assert files.add_up(place("folder")) == 3


@pytest.mark.parametrize(
    ("address", "cleaned", "remote"),
    [
        ("a/b.npy", "a/b.npy", False),
        (Path("a/b.npy"), "a/b.npy", False),
        ("file:///a/b.npy", "/a/b.npy", False),
        ("~/b.npy", f"{Path.home()}/b.npy", False),
        ("s3://a/~b.npy", "s3://a/~b.npy", True),
        ("simplecache::s3://a/b.npy", "simplecache::s3://a/b.npy", True),
    ],
)
def test_addresses_have_one_form(address: str | Path, cleaned: str, *, remote: bool) -> None:
    assert clean_address(address) == cleaned
    assert is_remote(cleaned) is remote


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ftp://ann:secret@host:21/a@b", "ftp://host:21/a@b"),
        ("simplecache::ftp://ann:secret@host/a", "simplecache::ftp://host/a"),
        ("s3://bucket/a@b:c", "s3://bucket/a@b:c"),
        ("abfs://container@account/a", "abfs://container@account/a"),
        ("ann@example.org", "ann@example.org"),
    ],
)
def test_passwords_are_not_shown(name: str, shown: str) -> None:
    assert hide_password(name) == shown


def test_a_missing_backend_is_named() -> None:
    for ask in (find_files("s3://bucket/a").read, find_files("s3://bucket/a").measure):
        with pytest.raises(ArtifactError, match="Install s3fs"):
            ask("s3://bucket/a")


def test_an_unknown_kind_of_store_is_refused_with_its_name() -> None:
    with pytest.raises(ArtifactError, match="Protocol not known: nowhere"):
        find_files("nowhere://a").read("nowhere://a")


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "other" / "file.txt")

    write(str(link), "text")

    assert link.is_symlink()
    assert (tmp_path / "other" / "file.txt").read_text() == "text"


def test_a_file_has_the_permissions_that_the_program_gives_its_files(tmp_path: Path) -> None:
    (tmp_path / "usual.txt").touch()

    write(str(tmp_path / "file.txt"), "text")

    assert (tmp_path / "file.txt").stat().st_mode == (tmp_path / "usual.txt").stat().st_mode


FULL = """
import resource, sys
from mltrace_otel.errors import ArtifactError
from mltrace_otel.artifacts.files import find_files

resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    with find_files(sys.argv[1]).draft(sys.argv[1]) as draft:
        draft.write_bytes(bytes(1000))
except ArtifactError as error:
    print(error)
"""


def test_a_system_that_takes_no_more_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", FULL, tmp_path / "file"], check=True, capture_output=True, text=True
    )

    assert "/file (File too large): make room there, or save elsewhere" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_said() -> None:
    with pytest.raises(ArtifactError, match="Not a directory"):
        write("/dev/null/folder/file", "text")


KILLED = """
import os, sys
from mltrace_otel.artifacts.files import find_files

with find_files(sys.argv[1]).draft(sys.argv[1]) as draft:
    draft.write_text("half of the n")
    os.kill(os.getpid(), 9)
"""


def test_a_writer_that_is_killed_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_text("old")

    killed = subprocess.run([sys.executable, "-c", KILLED, file], check=False)  # noqa: S603

    assert killed.returncode == -signal.SIGKILL
    assert file.read_text() == "old"


def test_what_killed_writers_left_is_removed_after_a_day(tmp_path: Path) -> None:
    for name in ("old.txt", "new.txt"):
        subprocess.run([sys.executable, "-c", KILLED, tmp_path / name], check=False)  # noqa: S603
    drafts = sorted(tmp_path.iterdir(), key=lambda file: file.stat().st_mtime)
    os.utime(drafts[0], (0, 0))

    size_bytes = find_files(str(tmp_path)).add_up(str(tmp_path))

    assert len(drafts) == 2
    assert list(tmp_path.iterdir()) == drafts[1:]
    assert size_bytes == len("half of the n")
