"""Lineage, staleness and review once more, in plain Python over a list of runs.

Written from the definitions and as simply as can be, to hold the SQL against. Runs are known by
their span ids; nothing here knows in which order they arrived.
"""

from collections.abc import Iterator, Sequence
from math import sqrt

from mltrace_exporter.model import Io, Marker, Run, VariableProfile
from mltrace_otel.profiles.drift import judge_profile
from mltrace_otel.profiles.encoding import decode_columns
from mltrace_otel.profiles.rules import Rule
from mltrace_otel.profiles.shapes import Profile

NEARLY_EMPTY_BYTES = 64
DEFAULT_THRESHOLD_S = 30 * 24 * 3600.0

Key = bytes
Edge = tuple[Key, Key, str | None, str, bool]


class NaiveStore:
    """All runs, in any order; of a run that has not ended, what its latest marker said."""

    def __init__(self, runs: Sequence[Run], markers: Sequence[Marker] = ()) -> None:
        latest = sorted(markers, key=_rank)
        self.runs = {marker.run.id.span_id: marker.run for marker in latest}
        self.runs |= {run.id.span_id: run for run in runs}
        self.ended = {
            key: run for key, run in self.runs.items() if run.execution in {"ok", "error"}
        }

    def edges_of(self, consumer: Run) -> set[Edge]:
        """Return (consumer, producer, pointer, rule, changed outside) of one run."""
        return {edge for edge, _ in self.dependencies_of(consumer)}

    def dependencies_of(self, consumer: Run) -> Iterator[tuple[Edge, str | None]]:
        """Yield each edge of a run, with the name under which the producer wrote the pointer."""
        own = consumer.id.span_id
        if consumer.infers_dependencies:
            for read in _list(consumer, "input"):
                found = self._find(consumer, read)
                if found:
                    producer, wrote, rule = found
                    changed = rule == "name" and _differ(wrote.digest, read.digest)
                    edge = (own, producer.id.span_id, read.name, rule, changed)
                    yield edge, wrote.name
        for name in consumer.upstream:
            earlier = [
                run
                for run in self.ended.values()
                if run.component == name and run.started_at < consumer.started_at
            ]
            if earlier:
                latest = max(earlier, key=lambda run: (run.started_at, run.id.span_id))
                yield (own, latest.id.span_id, None, "declared", False), None

    def _find(self, consumer: Run, read: Io) -> tuple[Run, Io, str] | None:
        linked = self.ended.get(read.producer.span_id) if read.producer else None
        if linked and linked is not consumer:
            wrote = [io for io in _list(linked, "output") if io.name == read.name] or [
                io for io in _list(linked, "output") if io.digest and io.digest == read.digest
            ]
            return linked, wrote[0] if wrote else read, "link"
        earlier = [
            (run, io)
            for run in self.ended.values()
            if run is not consumer and run.ended_at <= consumer.started_at
            for io in _list(run, "output")
        ]
        same = [
            (run, io)
            for run, io in earlier
            if read.digest is not None
            and io.digest == read.digest
            and (io.name == read.name or (read.size_bytes or 0) >= NEARLY_EMPTY_BYTES)
        ]
        if same:
            return *max(same, key=lambda one: (one[1].name == read.name, *_age(one[0]))), "digest"
        named = [(run, io) for run, io in earlier if io.name == read.name]
        return (*max(named, key=lambda one: _age(one[0])), "name") if named else None

    def depths_from(self, root: Run) -> dict[Key, int]:
        """Return the shortest distance of every ancestor."""
        depths = {root.id.span_id: 0}
        level = [root]
        while level:
            found = {edge[1] for run in level for edge in self.edges_of(run)} - depths.keys()
            depth = max(depths.values()) + 1
            depths |= dict.fromkeys(found, depth)
            level = [self.runs[key] for key in found]
        return depths

    def impact_from(self, root: Run, output: str | None = None) -> dict[Key, int]:
        """Return the shortest distance of every descendant: of what was made from one output."""
        own = root.id.span_id
        steps: dict[Key, set[Key]] = {}
        for run in self.runs.values():
            for (consumer, producer, *_), written in self.dependencies_of(run):
                if producer != own or output is None or written in {None, output}:
                    steps.setdefault(producer, set()).add(consumer)
        depths, level = {own: 0}, {own}
        while level:
            level = set().union(*(steps.get(key, set()) for key in level)) - depths.keys()
            depths |= dict.fromkeys(level, max(depths.values()) + 1)
        return depths

    def last_writer(self, name: str) -> Run | None:
        """Return the run that last wrote the pointer."""
        writers = [
            r for r in self.runs.values() if any(io.name == name for io in _list(r, "output"))
        ]
        return max(writers, key=_age) if writers else None

    def staleness_of(self, consumer: Run) -> set[tuple[str, Key, int]]:
        """Return (kind, dependency, fresher runs) of each reason."""
        fresher: dict[Key, set[Key]] = {}
        for edge, written in self.dependencies_of(consumer):
            found = self._list_fresher(consumer, self.runs[edge[1]], written)
            fresher.setdefault(edge[1], set()).update(found)
        threshold_s = consumer.staleness_threshold_s or DEFAULT_THRESHOLD_S
        reasons = set()
        for producer, runs in fresher.items():
            age_s = (consumer.started_at - self.runs[producer].ended_at).total_seconds()
            if age_s > threshold_s:
                reasons.add(("old_input", producer, 0))
            if runs:
                reasons.add(("fresher_run", producer, len(runs)))
        return reasons | {("drifted_input", key, 0) for key in self._list_skewed(consumer)}

    def _list_skewed(self, consumer: Run) -> set[Key]:
        """Return the dependencies that were built on other data than the consumer worked on."""
        producers = {edge[1] for edge in self.edges_of(consumer)}
        found = set()
        for key in producers:
            builder = self.runs[key]
            built_on = self._list_data(builder, {edge[1] for edge in self.edges_of(builder)})
            for whose, now in self._list_data(consumer, producers - {key}):
                same = [
                    (run, profile)
                    for run, profile in built_on
                    if (profile.direction, profile.variable) == (now.direction, now.variable)
                    and (now.direction == "input" or run.component == whose.component)
                ]
                if {run.id for run, _ in same} not in (set(), {whose.id}):
                    same.sort(key=lambda one: (one[0].started_at, one[0].id.span_id))
                    before = [_open(profile) for _, profile in same[-10:]]
                    if judge_profile(_open(now), before, Rule(rows=None)).drifted:
                        found.add(key)
        return found

    def _list_data(self, run: Run, producers: set[Key]) -> list[tuple[Run, VariableProfile]]:
        """Return the profiles of a run's inputs, and of what those that it depends on wrote."""
        inputs = [(run, each) for each in run.profiles if each.direction == "input"]
        written = [(self.runs[key], each) for key in producers for each in self.runs[key].profiles]
        return inputs + [(whose, each) for whose, each in written if each.direction == "output"]

    def _list_fresher(self, consumer: Run, producer: Run, written: str | None) -> set[Key]:
        kin = [r for r in self.runs.values() if r.component == producer.component]
        between = [
            run
            for run in kin
            if run.partition == producer.partition
            and producer.started_at < run.started_at < consumer.started_at
        ]
        before = [run for run in kin if run.started_at < consumer.started_at]
        names = [name for run in before for name in {io.name for io in _list(run, "output")}]
        rewrites = len(names) != len(set(names))
        return {
            run.id.span_id
            for run in between
            if any(io.name == written or not rewrites for io in _list(run, "output"))
        }

    def score(self, flagged: Sequence[str]) -> dict[Key, tuple[float, float]]:
        """Return (coverage, suspicion) of each run that a flagged output depends on."""
        roots = [self.last_writer(name) for name in flagged]
        components = {root.component for root in roots if root}
        good = [
            run
            for run in self.runs.values()
            if run.component in components
            for io in _list(run, "output")
            if io.name not in flagged
        ]
        bad_sets = [set(self.depths_from(root)) for root in roots if root]
        good_sets = [set(self.depths_from(run)) for run in good]
        scores = {}
        for key in set().union(*bad_sets):
            bad = sum(key in lineage for lineage in bad_sets)
            fine = sum(key in lineage for lineage in good_sets)
            scores[key] = (bad / len(flagged), bad / sqrt(len(flagged) * (bad + fine)))
        return scores


def _differ(one: str | None, other: str | None) -> bool:
    """Whether two digests of the same algorithm differ."""
    if one is None or other is None:
        return False
    return one.partition(":")[0] == other.partition(":")[0] and one != other


def _open(profile: VariableProfile) -> Profile:
    return Profile(profile.rows, profile.looked_at, decode_columns(profile.columns))


def _list(run: Run, direction: str) -> list[Io]:
    return [io for io in run.io if io.direction == direction]


def _rank(marker: Marker) -> tuple[object, ...]:
    return marker.run.execution == "aborted", marker.run.ended_at, marker.span_id


def _age(run: Run) -> tuple[object, ...]:
    return run.ended_at, run.started_at, run.id.span_id
