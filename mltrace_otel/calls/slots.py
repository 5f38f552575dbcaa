"""What variables say of inputs and outputs. In: slots and the values of variables. Out: pointers.

A slot is one variable, or two of which one holds the name and the other the content.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from opentelemetry.trace import SpanContext

from mltrace_otel.pointers import IOPointer, guess_type, read_inputs, read_outputs

RETURNED = "return"
"""What is returned and is no variable is called so."""

Labels = Mapping[str, str | Sequence[str] | None]


@dataclass(frozen=True, slots=True)
class Slot:
    """Variables that together hold one input or output, or a list of them.

    Attributes:
        variable: holds what names it, or the thing itself.
        content: holds what ``variable`` only names; None if that is not said.
        labels: variables that hold its labels, or the labels themselves.
    """

    variable: str
    content: str | None = None
    labels: tuple[str, ...] = ()

    @property
    def holder(self) -> str:
        """The variable that holds the thing, or what names it where nothing else does."""
        return self.variable if self.content is None else self.content

    def list_variables(self, known: frozenset[str]) -> set[str]:
        """Return the variables to read; a label is one if the function has it."""
        given = {self.variable} if self.content is None else {self.variable, self.content}
        return given | {label for label in self.labels if label in known}


def make_slots(
    variables: str | Sequence[str] | Labels, contents: Mapping[str, str] | None = None
) -> tuple[Slot, ...]:
    """Return the slots of an option: names of variables, or variables and their labels.

    Args:
        variables: the variables.
        contents: for variables that hold names, the variables that hold what is named.
    """
    if isinstance(variables, str):
        variables = (variables,)
    if not isinstance(variables, Mapping):
        variables = dict.fromkeys(variables)
    slots = [Slot(name, labels=_list_labels(labels)) for name, labels in variables.items()]
    slots += [Slot(name, content) for name, content in (contents or {}).items()]
    return tuple(slots)


def _list_labels(labels: str | Sequence[str] | None) -> tuple[str, ...]:
    if labels is None:
        return ()
    return (labels,) if isinstance(labels, str) else tuple(labels)


def read_slot(
    slot: Slot, component: str, values: Mapping[str, object], writer: SpanContext | None
) -> list[IOPointer]:
    """Return the pointers of a slot; ``writer`` is the run's span if it is an output."""
    if slot.variable not in values:
        return []
    value = values[slot.variable]
    if slot.content is None:
        pointers = _read(component, slot.variable, value, writer)
    else:
        contents = values.get(slot.content)
        pointers = _read_named(component, slot.content, _pair(value, contents), writer)
    if slot.labels:
        labels = _read_labels(slot.labels, values)
        pointers = [replace(pointer, labels=labels) for pointer in pointers]
    return pointers


def _read(
    component: str, variable: str, value: object, writer: SpanContext | None
) -> list[IOPointer]:
    if writer is None:
        return read_inputs(component, variable, value)
    return read_outputs(component, variable, value, writer)


def _pair(names: object, contents: object) -> Iterable[tuple[object, object]]:
    if not isinstance(names, list | tuple):
        return [] if names is None else [(names, contents)]
    if not isinstance(contents, list | tuple) or len(contents) != len(names):
        return [(name, None) for name in names]  # which is whose is not known
    return zip(names, contents, strict=True)


def _read_named(
    component: str,
    variable: str,
    pairs: Iterable[tuple[object, object]],
    writer: SpanContext | None,
) -> list[IOPointer]:
    pointers = []
    for name, content in pairs:
        found = _read(component, variable, content, writer)
        pointer = found[0] if len(found) == 1 else IOPointer("")
        pointers.append(replace(pointer, name=str(name), type=guess_type(str(name))))
    return pointers


def _read_labels(labels: Iterable[str], values: Mapping[str, Any]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for label in labels:
        value = values.get(label, label)
        texts = value if isinstance(value, list | tuple | set | frozenset) else (value,)
        found.update((str(text), None) for text in texts if text is not None)
    return tuple(found)
