"""Names that values are, and those of them that are paths. In: values, names. Out: names.

A text, a path and an open file name something, as do lists and sets of them.
"""

import io
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import PurePath

LENGTH_LIMIT = 1024
_FEW = 16
_ENTRIES_LIMIT = 100_000


def read_names(value: object) -> list[str] | None:
    """Return the names that a value says; None if it says none but is a thing itself.

    A text longer than 1,024 characters is content: no store could index it.
    """
    if value is None or (isinstance(value, str) and not value):
        return []
    if isinstance(value, list | tuple):
        return _read_each(value)
    if isinstance(value, set | frozenset):
        names = _read_each(value)
        return None if names is None else sorted(names)
    name = read_name(value)
    return None if name is None else [name]


def _read_each(values: Iterable[object]) -> list[str] | None:
    names = []
    for value in values:
        name = value if type(value) is str else read_name(value)
        if not name or len(name) > LENGTH_LIMIT:
            return None
        names.append(name)
    return names


def read_name(value: object) -> str | None:
    """Return the name that a text, a path or an open file says; None if it says none."""
    if isinstance(value, str):
        name: object = str(value)
    elif isinstance(value, PurePath):
        name = str(value)
    elif isinstance(value, os.PathLike):
        # Some paths of remote stores would fetch their file first, and say what they are as texts.
        name = text if "://" in (text := str(value)) else os.fspath(value)
    else:
        name = _read_file_name(value)
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    return name if isinstance(name, str) and 0 < len(name) <= LENGTH_LIMIT else None


def _read_file_name(value: object) -> object:
    if isinstance(value, io.IOBase) or type(value).__module__ == "tempfile":
        return getattr(value, "name", None)
    return None


def is_being_written(value: object) -> bool:
    """Tell whether a value is an open file that may not be all written yet."""
    if not isinstance(value, io.IOBase) and type(value).__module__ != "tempfile":
        return False
    return not value.closed and value.writable()  # type: ignore[attr-defined] # a file has both


def find_paths(names: Sequence[str]) -> set[str]:
    """Return those names that are paths of files or folders of this machine.

    A folder is listed once for all names in it: 10,000 ids of predictions are no files, and asking
    for each would take longer than all else that is done with them.
    """
    folders: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        folders[name[: name.rfind("/") + 1]].append(name)
    found: set[str] = set()
    for folder, members in folders.items():
        if "://" in folder or "::" in folder:
            continue
        entries = _list_folder(folder) if len(members) > _FEW else None
        if entries is None:
            found.update(filter(os.path.exists, members))
        elif entries:
            start = len(folder)
            found.update(name for name in members if name[start:] in entries)
    return found


def _list_folder(folder: str) -> set[str] | None:
    """Return what a name in a folder may be; None if that cannot be told at once."""
    try:
        with os.scandir(folder or ".") as listed:
            entries = {entry.name for entry in islice(listed, _ENTRIES_LIMIT)}
    except (FileNotFoundError, NotADirectoryError):
        return set()
    except (OSError, ValueError):  # it may be forbidden to list, yet not to look for a name
        return None
    return None if len(entries) == _ENTRIES_LIMIT else {*entries, "", ".", ".."}
