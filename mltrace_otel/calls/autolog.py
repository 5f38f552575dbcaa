"""Which variables of a call are data or models, saved so that they can be looked at again.

In: variables and their values. Out: IO pointers whose names are the addresses of what was saved.
"""

import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache
from itertools import islice
from numbers import Number
from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType, ModuleType

from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from mltrace_otel import saving as artifacts
from mltrace_otel.calls.slots import RETURNED
from mltrace_otel.digest import Digest
from mltrace_otel.pointers import IOPointer, read_inputs, read_outputs, split_value

SIZE_LIMIT_BYTES = 1_000_000

_SAMPLE = 20
_DEPTH = 3
_DATA = frozenset(
    {
        ("numpy", "ndarray"),
        ("pandas", "DataFrame"),
        ("pandas", "Series"),
        ("polars", "DataFrame"),
        ("polars", "Series"),
        ("pyarrow", "RecordBatch"),
        ("pyarrow", "Table"),
        ("torch", "Tensor"),
    }
)
_MODEL_METHODS = ("predict", "state_dict")
_NO_DATA = (
    *(type(None), Number, type, ModuleType, GeneratorType),
    *(FunctionType, BuiltinFunctionType, MethodType),
)
_OWN = frozenset({"self", "cls"})


def is_worth_keeping(variable: str, value: object) -> bool:
    """Tell whether a variable is logged though nobody named it.

    It is if it holds a data frame, an array or a model, has "data" or "model" in its name, or is
    larger than 1 MB.
    """
    # Asked of the class: an object may refuse to answer.
    if variable in _OWN or issubclass(type(value), _NO_DATA):
        return False
    if _is_data_or_model(type(value)):  # type: ignore[arg-type] # classes are hashable
        return True
    lowered = variable.lower()
    if "data" in lowered or "model" in lowered:
        return True
    try:
        return estimate_size(value) > SIZE_LIMIT_BYTES
    except Exception:  # noqa: BLE001 - any object may refuse to be measured, in its own way
        return False


@cache
def _is_data_or_model(kind: type) -> bool:
    kinds = {(each.__module__.partition(".")[0], each.__name__) for each in kind.__mro__}
    return bool(kinds & _DATA) or any(hasattr(kind, method) for method in _MODEL_METHODS)


def estimate_size(value: object, depth: int = _DEPTH) -> int:
    """Return about how many bytes a value takes, by a sample of what is in it."""
    size_bytes = getattr(value, "nbytes", None)
    if isinstance(size_bytes, int):
        return size_bytes
    own = sys.getsizeof(value, 0)
    if depth == 0 or isinstance(value, str | bytes | bytearray):
        return own
    if isinstance(value, Mapping):
        parts: Iterable[object] = (part for item in value.items() for part in item)
        count = 2 * len(value)
    elif isinstance(value, list | tuple | set | frozenset):
        parts, count = value, len(value)
    else:
        inner = getattr(value, "__dict__", None)
        return own + (estimate_size(inner, depth) if isinstance(inner, dict) else 0)
    sample = [estimate_size(part, depth - 1) for part in islice(parts, _SAMPLE)]
    return own + (sum(sample) * count // len(sample) if sample else 0)


class AutoLog:
    """What was logged of one call.

    Args:
        component: name of the component.
        span: span of the run.
        contents: digests of the values that the run loads and saves by hand, by their ids.
    """

    def __init__(self, component: str, span: SpanContext, contents: Mapping[int, str]) -> None:
        self._component = component
        self._span = span
        self._contents = contents
        self._read: dict[str, tuple[object, list[str | None]]] = {}
        self._logged: list[object] = []

    def read_input(self, variable: str, value: object) -> list[IOPointer]:
        """Return the pointers of an argument that is worth keeping."""
        if not is_worth_keeping(variable, value):
            return []
        return self.keep_input(variable, value, read_inputs(self._component, variable, value))

    def keep_input(
        self, variable: str, value: object, pointers: list[IOPointer]
    ) -> list[IOPointer]:
        """Save an input, except what its pointers only name."""
        self._read[variable] = (value, [pointer.digest for pointer in pointers])
        return self._keep(variable, value, pointers, None)

    def read_output(
        self, variable: str, value: object, known: Collection[IOPointer]
    ) -> list[IOPointer]:
        """Return the pointers of a final value that is worth keeping.

        Args:
            variable: the variable.
            value: its value.
            known: what the run read and wrote; the same content is nothing new.
        """
        if not is_worth_keeping(variable, value) or self._is_known(variable, value, known):
            return []
        pointers = read_outputs(self._component, variable, value, self._span)
        return self.keep_output(variable, value, pointers)

    def keep_output(
        self, variable: str, value: object, pointers: list[IOPointer]
    ) -> list[IOPointer]:
        """Save an output, except what its pointers only name."""
        return self._keep(variable, value, pointers, self._span)

    def read_returned(self, value: object, known: Collection[IOPointer]) -> list[IOPointer]:
        """Return the pointers of what was returned and is no variable, or of a tuple's elements."""
        if type(value) is not tuple:
            return self._read_returned(RETURNED, value, known)
        return [
            pointer
            for place, each in enumerate(value)
            for pointer in self._read_returned(f"{RETURNED}[{place}]", each, known)
        ]

    def _read_returned(
        self, place: str, value: object, known: Collection[IOPointer]
    ) -> list[IOPointer]:
        if any(value is each for each in self._logged):
            return []
        return self.read_output(place, value, known)

    def _is_known(self, variable: str, value: object, known: Collection[IOPointer]) -> bool:
        # As if it were an input: this run must not be remembered as the writer of what it read.
        digests = [p.digest for p in read_inputs(self._component, variable, value)]
        before, digests_before = self._read.get(variable, (None, []))
        if before is value and digests == digests_before:
            return True
        contents = {pointer.digest for pointer in known} - {None}
        return bool(digests) and contents.issuperset(digests)

    def _keep(
        self,
        variable: str,
        value: object,
        pointers: list[IOPointer],
        writer: SpanContext | None,
    ) -> list[IOPointer]:
        self._logged.append(value)
        things = split_value(variable, value)
        if len(things) != len(pointers):
            return pointers
        return [
            self._keep_thing(place, thing, pointer, writer or pointer.producer)
            for (place, thing), pointer in zip(things, pointers, strict=True)
        ]

    def _keep_thing(
        self, place: str, thing: object, pointer: IOPointer, producer: SpanContext | None
    ) -> IOPointer:
        """Save what is named by its place only; everything else is somewhere already."""
        places = {f"{self._component}({place})", f"{self._component}.{place}"}
        if pointer.name not in places or pointer.digest is None or pointer.size_bytes is None:
            return pointer
        content = Digest(pointer.digest, pointer.size_bytes)
        producer = producer or INVALID_SPAN_CONTEXT
        address = artifacts.keep(thing, content, self._component, place, producer)
        return pointer if address is None else replace(pointer, name=address)
