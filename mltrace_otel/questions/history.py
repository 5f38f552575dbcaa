"""A component's runs as a sequence, read from the server as it is used."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from mltrace_otel.contract.api import RunOrder, RunStatus
from mltrace_otel.errors import NotFound
from mltrace_otel.questions.api_client import Selected, connect
from mltrace_otel.questions.queries import When, iterate_runs, read_moment
from mltrace_otel.questions.recorded import RecordedRun, list_records
from mltrace_otel.questions.tables import Table

if TYPE_CHECKING:
    import pandas as pd


class History(Sequence[RecordedRun]):
    """The runs of a component that have ended, in the order in which they began.

    ``history[0]`` is the first run, ``history[-1]`` the newest; slices are lists. Nothing is kept:
    each use asks the server, and sees the runs that have arrived. A component that never ran has an
    empty history.

    Args:
        component_name: name of the component.
    """

    def __init__(self, component_name: str) -> None:
        self.component_name = component_name

    def __len__(self) -> int:
        try:
            with connect() as api:
                return api.count_runs(**self._select(RunOrder.OLDEST))
        except NotFound:
            return 0

    @overload
    def __getitem__(self, index: int) -> RecordedRun: ...

    @overload
    def __getitem__(self, index: slice) -> Table[RecordedRun]: ...

    def __getitem__(self, index: int | slice) -> RecordedRun | Table[RecordedRun]:
        if isinstance(index, slice):
            return self._slice(range(len(self))[index])
        order = RunOrder.OLDEST if index >= 0 else RunOrder.NEWEST
        found = self._read(order, skip=index if index >= 0 else -index - 1, limit=1)
        for run in found:
            return run
        raise IndexError(f"Component {self.component_name!r} has no run [{index}].")

    def __iter__(self) -> Iterator[RecordedRun]:
        return self._read(RunOrder.OLDEST)

    def __reversed__(self) -> Iterator[RecordedRun]:
        return self._read(RunOrder.NEWEST)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.component_name!r})"

    def get_runs_by_time(
        self, start_time: When = None, end_time: When = None
    ) -> Table[RecordedRun]:
        """Return the runs that began at ``start_time`` or later, and before ``end_time``.

        A time without a zone is in UTC, a day is its midnight; None is no bound.
        """
        selected = self._select(RunOrder.OLDEST)
        selected["since"], selected["until"] = read_moment(start_time), read_moment(end_time)
        return list_records(_read_known(selected))

    def get_runs_by_index(self, front_idx: int, last_idx: int) -> Table[RecordedRun]:
        """Return the runs from one index up to, without, another; negative ones count from the end.

        The same as ``history[front_idx:last_idx]``.
        """
        return self[front_idx:last_idx]

    def to_pandas(self) -> "pd.DataFrame":
        """Return all runs as a data frame. Needs pandas."""
        return list_records(self).to_pandas()

    def _slice(self, indices: range) -> Table[RecordedRun]:
        if not indices:
            return list_records(())
        first, last = min(indices[0], indices[-1]), max(indices[0], indices[-1])
        runs = list(self._read(RunOrder.OLDEST, skip=first, limit=last - first + 1))
        return list_records(runs[index - first] for index in indices if index - first < len(runs))

    def _read(
        self, order: RunOrder, skip: int = 0, limit: int | None = None
    ) -> Iterator[RecordedRun]:
        selected = self._select(order)
        selected["skip"] = skip
        return _read_known(selected, limit)

    def _select(self, order: RunOrder) -> Selected:
        return {"component": self.component_name, "status": RunStatus.ENDED, "order": order}


def _read_known(selected: Selected, limit: int | None = None) -> Iterator[RecordedRun]:
    try:
        yield from iterate_runs(selected, limit)
    except NotFound:
        return
