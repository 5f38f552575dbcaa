"""The folder that a demo writes to. In: its path. Out: an empty folder that is ours alone."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mltrace_exporter.errors import SettingsError

_MARKER = ".mltrace-demo"


@contextmanager
def occupy(home: Path) -> Iterator[None]:
    """Make or empty the folder, and keep it to ourselves.

    Raises:
        SettingsError: it holds what no demo wrote, or another demo runs in it.
    """
    marker = home / _MARKER
    try:
        home.mkdir(parents=True, exist_ok=True)
        if any(home.iterdir()) and not marker.exists():
            raise SettingsError(f"{home} holds files that no demo wrote: choose another --home.")
        with marker.open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _empty(home, marker)
            yield
    except BlockingIOError:
        raise SettingsError(
            f"A demo runs in {home} already: stop it, or choose another --home."
        ) from None


def _empty(home: Path, marker: Path) -> None:
    for entry in home.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry != marker:
            entry.unlink()
