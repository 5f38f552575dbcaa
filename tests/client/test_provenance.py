import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mltrace_otel import create_random_ids, get_git_hash, get_git_tags
from mltrace_otel.contract.attributes import CODE_SNAPSHOT_LIMIT_BYTES
from mltrace_otel.provenance import Repository, find_repository, read_source

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """A repository of its own, with one commit."""

    def run(*arguments: str) -> str:
        identity = ("-c", "user.name=me", "-c", "user.email=me@example.org")
        done = subprocess.run(  # noqa: S603 - constant arguments
            ["git", *identity, *arguments],  # noqa: S607 - the user's git
            cwd=tmp_path,
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=trunk")
    (tmp_path / "code.py").write_text("x = 1\n")
    run("add", "code.py")
    run("commit", "--quiet", "--no-gpg-sign", "--message=first")
    return run


def test_a_repository_tells_commit_branch_tags_and_url(git: Git, tmp_path: Path) -> None:
    git("tag", "v2")
    git("tag", "a/b")
    git("tag", "--annotate", "--no-sign", "--message=noted", "v1")
    git("remote", "add", "origin", "https://me:secret@host.example/team/project.git?token=1")
    inner = tmp_path / "deep" / "inner"
    inner.mkdir(parents=True)

    assert find_repository(str(inner / "module.py")) == Repository(
        revision=git("rev-parse", "HEAD"),
        branch="trunk",
        url="https://host.example/team/project.git",
        tags=("a/b", "v1", "v2"),
        dirty=False,
    )


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("git@host.example:team/project.git", "git@host.example:team/project.git"),
        ("ssh://git@host.example:22/p.git", "ssh://host.example:22/p.git"),
        ("https://token@host.example/p.git", "https://host.example/p.git"),
        ("/srv/git/p.git", "/srv/git/p.git"),
    ],
)
def test_urls_are_told_without_credentials(git: Git, tmp_path: Path, url: str, told: str) -> None:
    git("remote", "add", "origin", url)

    repository = find_repository(str(tmp_path / "code.py"))

    assert repository
    assert repository.url == told


def test_changed_files_make_it_dirty_and_new_ones_do_not(git: Git, tmp_path: Path) -> None:
    assert git("status", "--short") == ""
    (tmp_path / "new.py").touch()
    (tmp_path / "code.py").write_text("x = 2\n")

    repository = find_repository(str(tmp_path))

    assert repository
    assert repository.dirty


def test_new_files_alone_do_not_make_it_dirty(git: Git, tmp_path: Path) -> None:
    git("checkout", "--quiet", "--detach")
    (tmp_path / "new.py").touch()

    repository = find_repository(str(tmp_path))

    assert repository
    assert (repository.dirty, repository.branch, repository.url) == (False, None, None)


def test_the_current_directory_is_the_default(
    git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git("tag", "here")
    monkeypatch.chdir(tmp_path)

    assert get_git_hash() == git("rev-parse", "HEAD")
    assert get_git_tags() == ["here"]


def test_without_a_repository_nothing_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert get_git_hash() is None
    assert get_git_tags() == []
    assert find_repository("<stdin>") is None


def test_a_repository_that_git_cannot_read_is_unknown(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()

    assert find_repository(str(tmp_path / "code.py")) is None


def test_source_is_told_with_its_place() -> None:
    source = read_source(test_source_is_told_with_its_place)

    assert source.function.endswith("test_source_is_told_with_its_place")
    assert source.file == __file__
    assert source.line == test_source_is_told_with_its_place.__code__.co_firstlineno
    assert (source.text or "").startswith("def test_source_is_told_with_its_place")


def test_a_builtin_has_a_name_only() -> None:
    source = read_source(len)

    assert (source.function, source.file, source.line, source.text) == (
        "builtins.len",
        None,
        None,
        None,
    )


def test_long_source_is_cut_between_characters(tmp_path: Path) -> None:
    file = tmp_path / "long.py"
    file.write_text(f"def work():\n    return '{'ü' * CODE_SNAPSHOT_LIMIT_BYTES}'\n", "utf-8")
    scope: dict[str, Callable[[], str]] = {}
    exec(compile(file.read_text("utf-8"), file, "exec"), scope)  # noqa: S102 - the test's own text

    text = read_source(scope["work"]).text

    assert text is not None
    assert CODE_SNAPSHOT_LIMIT_BYTES - 4 < len(text.encode()) <= CODE_SNAPSHOT_LIMIT_BYTES


def test_random_ids_never_repeat() -> None:
    assert len(set(create_random_ids(1000))) == 1000
    assert len(create_random_ids()) == 1
