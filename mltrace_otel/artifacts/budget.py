"""How much the folder of saved values may grow. In: what is to be saved. Out: whether it may be.

The folder is counted as rarely as it takes for counting to cost at most a hundredth of the time.
"""

import os
import time
from dataclasses import dataclass
from threading import RLock

from mltrace_otel.artifacts.files import find_files

_SHORTEST_S = 60.0
_COST = 100


@dataclass(slots=True)
class _Use:
    size_bytes: int
    stale_at_s: float


class Budget:
    """Knows how large folders are.

    Args:
        shortest_s: how long a count is taken for true at least, in seconds.
        cost: how many times what it took it is taken for true at least.
    """

    def __init__(self, shortest_s: float = _SHORTEST_S, cost: float = _COST) -> None:
        self._shortest_s = shortest_s
        self._cost = cost
        self._uses: dict[str, _Use] = {}
        self._lock = RLock()
        os.register_at_fork(after_in_child=self._renew_lock)

    def admits(self, folder: str, size_bytes: int, limit_bytes: int) -> bool:
        """Tell whether a folder may take so much more.

        Raises:
            ArtifactError: the folder cannot be counted.
        """
        with self._lock:
            use = self._uses.get(folder)
            if use is None or time.monotonic() > use.stale_at_s:
                use = self._uses[folder] = self._count(folder)
            return use.size_bytes + size_bytes <= limit_bytes

    def add(self, folder: str, size_bytes: int) -> None:
        """Take note of what was saved in a folder."""
        with self._lock:
            if folder in self._uses:
                self._uses[folder].size_bytes += size_bytes

    def _count(self, folder: str) -> _Use:
        began_s = time.monotonic()
        size_bytes = find_files(folder).add_up(folder)
        ended_s = time.monotonic()
        life_s = max(self._shortest_s, self._cost * (ended_s - began_s))
        return _Use(size_bytes, ended_s + life_s)

    def _renew_lock(self) -> None:
        self._lock = RLock()


BUDGET = Budget()
