import os
from pathlib import Path

import pytest

from mltrace_otel.digest import Digest, digest_file
from mltrace_otel.digest.files import FILES_LIMIT

LIMIT_BYTES = 1 << 20


def sample(path: Path) -> Digest:
    found = digest_file(path, LIMIT_BYTES)
    assert found is not None
    return found


def test_a_file_up_to_the_limit_is_read_whole(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(LIMIT_BYTES))

    assert not sample(file).is_sampled
    assert sample(file) == digest_file(file)
    os.truncate(file, LIMIT_BYTES + 1)
    assert sample(file).is_sampled
    whole = digest_file(file)
    assert whole is not None
    assert not whole.is_sampled


def test_samples_see_the_size_the_ends_and_places_between(tmp_path: Path) -> None:
    file = tmp_path / "file"
    size_bytes = 40 << 20
    file.touch()
    os.truncate(file, size_bytes)
    seen = {sample(file).text}

    os.truncate(file, size_bytes + 1)
    seen.add(sample(file).text)
    os.truncate(file, size_bytes)
    for place in (0, size_bytes - 1):
        with file.open("r+b") as opened:
            opened.seek(place)
            opened.write(b"x")
        seen.add(sample(file).text)
    with file.open("r+b") as opened:
        opened.seek(20 << 20)
        opened.write(b"x" * (1 << 20))
    seen.add(sample(file).text)

    assert len(seen) == 5
    assert sample(file).size_bytes == size_bytes


def test_a_folder_is_the_names_and_contents_of_all_files_in_it(tmp_path: Path) -> None:
    def make(name: str, files: dict[str, str]) -> str:
        for path, content in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(content)
        found = digest_file(tmp_path / name)
        assert found is not None
        return found.text

    files = {"a": "1", "b/c": "2", "b/d": "3"}
    expected = make("one", files)
    assert make("same", dict(reversed(files.items()))) == expected
    assert make("content", files | {"b/c": "4"}) != expected
    assert make("more", files | {"b/e": ""}) != expected
    assert make("renamed", {"a": "1", "b/c": "2", "b/e": "3"}) != expected
    assert make("moved", {"a": "1", "b/c": "23", "b/d": ""}) != expected
    (tmp_path / "one" / "loop").symlink_to(tmp_path)
    assert make("one", {}) == expected


def test_a_large_folder_is_sampled_and_a_crowded_one_has_no_digest(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_bytes(bytes(LIMIT_BYTES // 2))
    before = sample(tmp_path)
    with (tmp_path / "b").open("r+b") as opened:
        opened.write(b"x")

    assert before.is_sampled
    assert before.size_bytes == 3 * (LIMIT_BYTES // 2)
    assert sample(tmp_path).text != before.text
    for number in range(FILES_LIMIT):
        (tmp_path / str(number)).touch()
    assert digest_file(tmp_path) is None


@pytest.mark.timeout(5)
def test_what_cannot_be_read_as_a_file_has_no_digest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("nowhere")

    for name in ("missing", "pipe", "broken", "a\0b"):
        assert digest_file(tmp_path / name) is None
