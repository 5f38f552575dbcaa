"""Where code comes from. In: a function. Out: its source, its place, the state of its repository.

A repository is read once in a process, by the `git` command; without git nothing is known.
"""

import inspect
import os
import subprocess
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from mltrace_otel.contract.attributes import CODE_SNAPSHOT_LIMIT_BYTES

_GIT_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class Source:
    """A function's place and text."""

    function: str
    file: str | None
    line: int | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Repository:
    """The state of a git repository; ``url`` never holds credentials."""

    revision: str
    branch: str | None
    url: str | None
    tags: tuple[str, ...]
    dirty: bool | None


def create_random_ids(count: int = 1) -> list[str]:
    """Return new unique ids, to name outputs with."""
    return [str(uuid.uuid4()) for _ in range(count)]


def get_git_hash() -> str | None:
    """Return the commit of the repository around the current directory, None outside of one."""
    repository = find_repository(None)
    return repository.revision if repository else None


def get_git_tags() -> list[str]:
    """Return the tags on the commit of the repository around the current directory."""
    repository = find_repository(None)
    return list(repository.tags) if repository else []


def read_source(function: Callable[..., object]) -> Source:
    """Return the place and text of a function; the text is cut at the wire format's limit."""
    innermost = inspect.unwrap(function)
    code = getattr(innermost, "__code__", None)
    module = getattr(innermost, "__module__", None) or "?"
    name = getattr(innermost, "__qualname__", type(innermost).__qualname__)
    try:
        text = inspect.getsource(innermost)
    except Exception:  # noqa: BLE001 - typed at a prompt, not in Python, in a file that changed
        text = None
    return Source(
        function=f"{module}.{name}",
        file=code.co_filename if code else None,
        line=code.co_firstlineno if code else None,
        text=_cut(text) if text else None,
    )


def find_repository(file: str | None) -> Repository | None:
    """Return the repository that holds a file, else the one around the current directory."""
    for start in (file, "."):
        root = _find_root(Path(start)) if start else None
        if root:
            return _read_repository(root)
    return None


def _find_root(start: Path) -> Path | None:
    try:
        here = start.absolute()
    except OSError:  # the current directory was removed
        return None
    return next((path for path in (here, *here.parents) if (path / ".git").exists()), None)


@cache
def _read_repository(root: Path) -> Repository | None:
    head = _git(root, "log", "-1", "--format=%H%n%D", "--decorate=full")
    if not head:
        return None
    revision, _, decoration = head.partition("\n")
    words = decoration.strip().split(", ")
    branch = next((w.removeprefix("HEAD -> ") for w in words if w.startswith("HEAD -> ")), None)
    tags = [w.removeprefix("tag: refs/tags/") for w in words if w.startswith("tag: ")]
    url = _git(root, "config", "--get", "remote.origin.url")
    status = _git(root, "status", "--porcelain", "--untracked-files=no")
    return Repository(
        revision=revision,
        branch=branch.removeprefix("refs/heads/") if branch else None,
        url=_strip_credentials(url.strip()) if url else None,
        tags=tuple(sorted(tags)),
        dirty=None if status is None else bool(status),
    )


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - constant arguments
            ["git", *arguments],  # noqa: S607 - the user's git
            cwd=root,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # never in the way of the user's own git
            capture_output=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
            encoding="utf-8",
            errors="replace",
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def _strip_credentials(url: str) -> str:
    if "://" not in url:
        return url  # a path, or git@host:path, whose user is no secret
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _cut(text: str) -> str:
    encoded = text.encode("utf-8", "backslashreplace")
    return encoded[:CODE_SNAPSHOT_LIMIT_BYTES].decode("utf-8", "ignore")
