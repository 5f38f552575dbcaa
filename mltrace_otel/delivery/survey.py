"""What a spool holds, undisturbed. In: its folder. Out: a list for people."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mltrace_otel.delivery.kept import SUFFIX as KEPT_SUFFIX
from mltrace_otel.delivery.kept import read_kept
from mltrace_otel.delivery.rejected import count_rejected
from mltrace_otel.delivery.segment import Segment
from mltrace_otel.delivery.spool import REJECTED, SUFFIX, measure
from mltrace_otel.settings import SpoolSettings

_NAME = re.compile(r"(?P<began_ns>[0-9a-f]{1,16})-\d+-(?P<process>\d+)")


@dataclass(frozen=True, slots=True)
class Backlog:
    """Records that wait in one file.

    Attributes:
        file: the file's name.
        process: id of the process that wrote it.
        is_alive: whether that process lives, and sends it itself.
        records: how many records wait.
        size_bytes: how large they are.
        since: when the file was begun.
        is_unfinished: whether these are runs that had not ended, to be told as aborted.
    """

    file: str
    process: int
    is_alive: bool
    records: int
    size_bytes: int
    since: datetime
    is_unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Survey:
    """What a spool holds.

    Attributes:
        folder: where it is.
        size_bytes: how large it is with all that is kept in it.
        limit_bytes: how large it may become.
        backlogs: what waits, oldest file first.
        rejected: how many records were refused for each reason.
        rejected_folder: where those are kept.
    """

    folder: str
    size_bytes: int
    limit_bytes: int
    backlogs: list[Backlog]
    rejected: dict[str, int]
    rejected_folder: str


def survey_spool(settings: SpoolSettings) -> Survey:
    """Return what a spool holds now.

    Raises:
        OSError: it cannot be read.
    """
    folder = settings.folder
    paths = sorted((*folder.glob(f"*{SUFFIX}"), *folder.glob(f"*{KEPT_SUFFIX}")))
    found = (_read_backlog(path) for path in paths)
    return Survey(
        folder=str(folder),
        size_bytes=measure(folder),
        limit_bytes=settings.limit_bytes,
        backlogs=[backlog for backlog in found if backlog and backlog.records],
        rejected=count_rejected(folder / REJECTED),
        rejected_folder=str(folder / REJECTED),
    )


def _read_backlog(path: Path) -> Backlog | None:
    named = _NAME.fullmatch(path.stem)
    peeked = Segment.peek(path) if named else None
    if named is None or peeked is None:
        return None
    segment, is_alive = peeked
    is_unfinished = path.suffix == KEPT_SUFFIX
    sizes = [len(record) for record in (read_kept if is_unfinished else Segment.read)(segment)]
    segment.close()
    return Backlog(
        file=path.name,
        process=int(named["process"]),
        is_alive=is_alive,
        records=len(sizes),
        size_bytes=sum(sizes),
        since=datetime.fromtimestamp(int(named["began_ns"], 16) / 1e9, UTC),
        is_unfinished=is_unfinished,
    )
