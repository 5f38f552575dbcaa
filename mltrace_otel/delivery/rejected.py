"""Records that no server takes, kept for people. In: records and a reason. Out: lines of JSON.

Each process that sends writes a file of its own, a line for each record: when, why, and the bytes.
"""

import base64
import json
import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path


def keep_rejected(folder: Path, records: Iterable[bytes], reason: str) -> None:
    """Add records to this process's file.

    Raises:
        OSError: it cannot be written.
    """
    now = datetime.now(UTC)
    lines = [
        json.dumps(
            {
                "rejected_at": now.isoformat(timespec="seconds"),
                "reason": reason,
                "record": base64.b64encode(record).decode(),
            }
        )
        for record in records
    ]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%d}-{os.getpid()}.jsonl"
    path.touch(mode=0o600)
    with path.open("a", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in lines)


def count_rejected(folder: Path) -> dict[str, int]:
    """Return how many records were kept aside for each reason, most first."""
    reasons: Counter[str] = Counter()
    for path in folder.glob("*.jsonl"):
        for line in path.read_text("ascii", "replace").splitlines():
            try:
                reasons[json.loads(line)["reason"]] += 1
            except (ValueError, KeyError, TypeError):  # a line cut short
                reasons["unreadable"] += 1
    return dict(reasons.most_common())
