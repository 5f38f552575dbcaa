"""Digests of Python objects. In: any value. Out: parts of contents.

Values are taken apart as pickle would, but what equal ones may differ in is left out: the order of
dicts and sets, and whether equal parts of a value are one object. Functions and classes are their
names. Nothing of a value is asked to compare, print or hash itself.
"""

import copyreg
import functools
import math
import sys
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain, islice
from operator import itemgetter
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from mltrace_otel.digest import arrays, columns, frames
from mltrace_otel.digest.content import Hasher, Part, encode_texts, hash_small, write_facts

_SCALARS = frozenset({type(None), bool, int, float, complex, str, bytes})
_NESTED = frozenset({list, tuple, dict})
_ITEMS_AT_ONCE = 1 << 16
_FEW = 16
_PARTS_LIMIT = 100_000
_get_first = itemgetter(0)
_LIBRARIES: dict[str, Callable[[arrays.Reader, Any], Part | None]] = {
    "numpy": arrays.read_numpy,
    "pandas": frames.read_pandas,
    "polars": columns.read_polars,
    "pyarrow": columns.read_arrow,
    "scipy": arrays.read_scipy,
    "torch": arrays.read_torch,
}


@dataclass(frozen=True, slots=True)
class _Room:
    """How far values may be read together: what is shared counts as often as it occurs."""

    items: int
    levels: int = 8

    def enter(self, items: int) -> "_Room | None":
        """Return the room that is left inside of so many values; None if they are too many."""
        if items > self.items or not self.levels:
            return None
        return _Room(self.items, self.levels - 1)


class _CyclicError(Exception):
    """A value contains itself."""


def read_object(value: object) -> Part:
    """Return what identifies any value.

    Raises:
        Exception: the value cannot be taken apart, each kind in its own way.
    """
    try:
        return _Walk().read_all(value)
    except _CyclicError:
        return _Walk(is_cyclic=True).read_all(value)


def _join_nans(value: Any) -> Any:  # noqa: ANN401 - any scalar
    """Return a scalar. All floats that are no numbers are one, however they were computed."""
    return math.nan if type(value) is float and value != value else value  # noqa: PLR0124 - NaN?


# How scalars of other types are told by those of the types above.
_PLAIN: dict[tuple[str, str], Callable[[Any], object]] = {
    ("datetime", "date"): lambda value: value.toordinal(),
    ("decimal", "Decimal"): str,
    ("uuid", "UUID"): lambda value: value.int,
    ("pandas", "NAType"): lambda _: None,
    ("pandas", "NaTType"): lambda _: None,
    ("numpy", "float64"): lambda value: _join_nans(float(value)),
    ("numpy", "int64"): int,
    ("numpy", "str_"): str,
}


class _Walk:
    """One way through a value and all that it contains."""

    def __init__(self, *, is_cyclic: bool = False) -> None:
        """Begin.

        Args:
            is_cyclic: whether the value contains itself. What occurs again is then told by when it
                occurred first, so that it matters whether equal parts are one object.
        """
        self._is_cyclic = is_cyclic
        self._parts: dict[int, Part | None] = {}  # None while one is on its way
        self._kept: list[object] = []  # or another object could get the id of one that was read
        self._readers: dict[type, list[Callable[[Any], Part | None]]] = {}

    def read_all(self, value: object) -> Part:
        """Return what identifies the value that contains all others, once."""
        try:
            return self.read(value)
        finally:
            self._readers.clear()  # else it would keep the value alive until garbage is collected

    def read(self, value: object) -> Part:
        """Return what identifies a value."""
        if type(value) in _SCALARS:
            return hash_small(write_facts(_join_nans(value)))
        own = id(value)
        part = self._parts.get(own)
        if part:
            return part
        if own in self._parts:
            raise _CyclicError
        if len(self._kept) >= _PARTS_LIMIT:
            raise ValueError(f"it has more than {_PARTS_LIMIT} parts that must be read one by one")
        self._parts[own] = Hasher("again", len(self._kept)).part() if self._is_cyclic else None
        self._kept.append(value)
        part = self._read_new(value)
        if not self._is_cyclic:
            self._parts[own] = part
        return part

    def read_items(self, items: Iterable[object], *facts: object) -> Part:
        """Return what identifies a sequence of values."""
        hasher = Hasher("items", facts)
        rest = iter(items)
        while piece := list(islice(rest, _ITEMS_AT_ONCE)):
            self._add_items(hasher, piece, _Room(64 * len(piece) + _ITEMS_AT_ONCE // 16))
        return hasher.part()

    def _add_items(self, hasher: Hasher, items: list[Any], room: _Room) -> None:
        """Add values, those of a kind together, which is ten times faster than one by one."""
        kinds = set(map(type, items))
        others = [kind for kind in kinds if kind not in _SCALARS and not _find_plain(kind)]
        if kinds == {str}:
            hasher.describe("texts", len(items))
            _add_texts(hasher, items)
        elif not others:
            hasher.describe("scalars", len(items))
            hasher.add(write_facts(_simplify(items, kinds)))
        elif self._is_cyclic or len(items) < _FEW:
            self._add_parts(hasher, items)
        elif len(kinds) > 1:
            self._add_groups(hasher, items, others, room)
        else:
            add = self._find_adder(others[0])
            add(hasher, items, room)

    def _find_adder(self, kind: type) -> Callable[[Hasher, list[Any], _Room], None]:
        """Return what adds many values of a type."""
        if kind in _NESTED:
            return self._add_dicts if kind is dict else self._add_nested
        is_object = self._find_readers(kind) == [_read_builtin, self._read_object]
        return self._add_objects if is_object else self._add_parts

    def _add_parts(self, hasher: Hasher, items: list[Any], _: _Room | None = None) -> None:
        hasher.describe("parts", len(items))
        hasher.put(map(self.read, items))

    def _add_groups(
        self, hasher: Hasher, items: list[Any], others: list[type], room: _Room
    ) -> None:
        by_name = {f"{kind.__module__}.{kind.__qualname__}": kind for kind in others}
        if len(by_name) < len(others) or len(others) > _FEW:
            self._add_parts(hasher, items)
            return
        codes = {by_name[name]: code for code, name in enumerate(sorted(by_name), 1)}
        coded = array("B", [codes.get(type(value), 0) for value in items])
        hasher.describe("groups", len(items), *sorted(by_name))
        hasher.add(coded)
        for code in range(len(others) + 1):
            group = [
                value for value, its_code in zip(items, coded, strict=True) if its_code == code
            ]
            if group:
                self._add_items(hasher, group, room)

    def _add_nested(self, hasher: Hasher, items: list[Any], room: _Room) -> None:
        """Add lists or tuples by their lengths and all that they hold."""
        lengths = array("q", map(len, items))
        inner = room.enter(sum(lengths))
        if inner is None:
            self._add_parts(hasher, items)
            return
        hasher.describe(type(items[0]).__name__, len(items))
        hasher.add(lengths)
        self._add_items(hasher, list(chain.from_iterable(items)), inner)

    def _add_dicts(self, hasher: Hasher, items: list[dict[Any, Any]], room: _Room) -> None:
        """Add dicts by their keys and all values."""
        lengths = array("q", map(len, items))
        inner = room.enter(sum(lengths))
        if inner is None or not _is_sortable(chain.from_iterable(items)):
            self._add_parts(hasher, items)
            return
        hasher.describe("dicts", len(items))
        hasher.add(lengths)
        names = list(map(sorted, items))
        self._add_items(hasher, list(chain.from_iterable(names)), inner)
        values = (map(each.__getitem__, its) for each, its in zip(items, names, strict=True))
        self._add_items(hasher, list(chain.from_iterable(values)), inner)

    def _add_objects(self, hasher: Hasher, items: list[Any], room: _Room) -> None:
        """Add objects of a class by what pickle makes them again of."""
        reduced = list(map(_reduce, items))
        inner = room.enter(len(items))
        if inner is None or not all(type(each) is tuple and not any(each[3:]) for each in reduced):
            self._add_parts(hasher, items)
            return
        hasher.describe("objects", len(items))
        self._add_items(hasher, [each[0] for each in reduced], inner)
        self._add_items(hasher, [each[1] for each in reduced], inner)
        states = [_drop_caches(type(items[0]), (*each, None)[2]) for each in reduced]
        self._add_items(hasher, states, inner)

    def _read_new(self, value: object) -> Part:
        kind = type(value)
        if kind not in self._readers:
            self._readers[kind] = self._find_readers(kind)
        parts = (read(value) for read in self._readers[kind])
        return next(part for part in parts if part)

    def _find_readers(self, kind: type) -> list[Callable[[Any], Part | None]]:
        """Return what may read a type's values; the last surely does."""
        if kind in _NESTED:
            return [self._read_dict if kind is dict else self._read_list]
        if issubclass(kind, set | frozenset):
            return [self._read_set]
        if kind in {bytearray, memoryview}:
            return [lambda value: self.read_items([bytes(value)], kind.__name__)]
        if issubclass(kind, type | FunctionType):
            return [_read_global]
        roots = dict.fromkeys(base.__module__.partition(".")[0] for base in kind.__mro__)
        libraries = [_LIBRARIES[root] for root in roots if root in _LIBRARIES]
        readers = [functools.partial(read, self) for read in libraries]
        return [*readers, _read_builtin, self._read_object]

    def _read_list(self, value: list[object] | tuple[object, ...]) -> Part:
        return self.read_items(value, type(value).__name__)

    def _read_dict(self, value: dict[object, object]) -> Part:
        return self._read_pairs(value.items())

    def _read_pairs(self, pairs: Iterable[tuple[Any, object]]) -> Part:
        """Return what identifies the pairs of a dict, in whatever order they come."""
        listed = list(pairs)
        hasher = Hasher("dict", len(listed))
        if _is_sortable(key for key, _ in listed):
            listed.sort(key=_get_first)
            hasher.put([self.read_items(map(_get_first, listed))])
        else:
            listed = sorted(((self.read(key), value) for key, value in listed), key=_get_first)
            hasher.put(map(_get_first, listed))
        hasher.put([self.read_items([value for _, value in listed])])
        return hasher.part()

    def _read_set(self, value: Iterable[Any]) -> Part:
        kind = type(value)
        items = list(value)
        hasher = Hasher("set", kind.__module__, kind.__qualname__, len(items))
        if _is_sortable(items):
            hasher.put([self.read_items(sorted(items))])
        else:
            hasher.put(sorted(map(self.read, items)))
        hasher.put([self.read(getattr(value, "__dict__", None))])
        return hasher.part()

    def _read_object(self, value: object) -> Part:
        reduced = _reduce(value)
        kind = type(value)
        if isinstance(reduced, str):
            module = getattr(value, "__module__", None) or ""
            return Hasher("name", kind.__module__, kind.__qualname__, module, reduced).part()
        make, args, state, items, pairs = (*reduced, None, None, None)[:5]
        hasher = Hasher("object")
        hasher.put([self.read(make), self.read(args), self.read(_drop_caches(kind, state))])
        is_ordered = isinstance(value, OrderedDict)
        read_pairs = self.read_items if is_ordered else self._read_pairs
        hasher.put([self.read_items(items or ()), read_pairs(pairs or ())])
        return hasher.part()


def _is_sortable(keys: Iterable[object]) -> bool:
    """Tell whether keys have one order, whichever they came in."""
    kinds = set(map(type, keys))
    return kinds <= {str} or kinds == {int}


def _find_plain(kind: type) -> Callable[[Any], object] | None:
    return _PLAIN.get((kind.__module__.partition(".")[0], kind.__qualname__))


def _simplify(items: list[Any], kinds: set[type]) -> list[Any]:
    """Return scalars as what tells them apart and marshal can write."""
    if float in kinds:
        items = [_join_nans(value) for value in items]
    plain = {kind: (kind.__qualname__, _find_plain(kind)) for kind in kinds - _SCALARS}
    if not plain:
        return items
    told = []
    for value in items:
        name, tell = plain.get(type(value), (None, None))
        told.append((name, tell(value)) if tell else value)
    return told


def _add_texts(hasher: Hasher, texts: list[str]) -> None:
    for piece in encode_texts(texts):
        hasher.add(piece)


def _read_builtin(value: object) -> Part | None:
    """Return what identifies a function of a module in C; None if it is none."""
    if type(value) is not BuiltinFunctionType:
        return None
    owner = value.__self__
    return _read_global(value) if owner is None or isinstance(owner, ModuleType) else None


def _read_global(value: Any) -> Part:  # noqa: ANN401 - a class or function
    """Return what identifies a class or function by its name, which nothing else must have."""
    module, name = value.__module__, value.__qualname__
    found: object = sys.modules[module]
    for step in name.split("."):
        found = getattr(found, step)
    if found is not value:
        raise TypeError(f"{module}.{name} is something else")
    return Hasher("global", module, name).part()


def _reduce(value: object) -> Any:  # noqa: ANN401 - as pickle has it
    reduce: Callable[[Any], Any] | None = copyreg.dispatch_table.get(type(value))
    return reduce(value) if reduce else value.__reduce_ex__(4)


def _drop_caches(kind: type, state: object) -> object:
    """Return an object's state without what its cached properties remember."""
    if type(state) is not dict:
        return state
    cached = {
        name for name in state if isinstance(getattr(kind, name, None), functools.cached_property)
    }
    return {name: state[name] for name in state.keys() - cached} if cached else state
