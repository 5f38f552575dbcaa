"""Values kept in files. In: values, and where to keep them. Out: addresses, and the values again.

What a run saves becomes an output of it, what it loads an input, linked to the run that saved it.
"""

import os
from dataclasses import replace
from typing import Any

from opentelemetry.trace import SpanContext

from mltrace_otel import current
from mltrace_otel.artifacts import shelf
from mltrace_otel.artifacts.files import clean_address, find_files, hide_password
from mltrace_otel.artifacts.formats import read_suffix, read_value
from mltrace_otel.artifacts.sidecars import Origin, read_sidecar
from mltrace_otel.digest import Digest, digest, digest_file
from mltrace_otel.errors import ArtifactError
from mltrace_otel.pointers import IOPointer, guess_type
from mltrace_otel.producers import PRODUCERS
from mltrace_otel.settings import read_save_settings


def save(obj: object, path: str | os.PathLike[str] | None = None) -> str:
    """Keep a value in a file. Inside a run it becomes an output of the run.

    Data frames become Parquet and arrays .npy, if these give back exactly what was saved;
    everything else, and what they cannot hold, becomes a joblib file.

    Args:
        obj: the value.
        path: the file, as a path or any URL that fsspec knows. Its suffix says the format:
            .parquet, .npy, and joblib's for every other. If nothing is said, the value is kept
            under SAVE_DIR, each content once.

    Returns:
        The path or URL that `load` takes.

    Raises:
        ArtifactError: the value cannot be kept there; nothing was written.
    """
    run = current.get_run()
    called = type(obj).__name__.lower()
    origin = Origin(run.component, called, run.span) if run else Origin(variable=called)
    content = digest(obj)
    if path is not None:
        address = clean_address(path)
        sidecar = shelf.write(obj, content, origin, [(address, read_suffix(address))])
    elif content:
        sidecar = shelf.shelve(obj, content, origin, read_save_settings().folder)
    else:
        raise ArtifactError(f"Cannot save this {type(obj).__name__}: it cannot be pickled.")
    if run:
        _note(run.run.outputs, _point(sidecar.name, sidecar.content))
        PRODUCERS.remember(sidecar.content, run.span)
        if run.contents is not None:
            run.contents[id(obj)] = sidecar.digest
    return sidecar.name


def load(path: str | os.PathLike[str]) -> Any:  # noqa: ANN401 - callers know what they saved
    """Return the value that a file keeps. Inside a run it becomes an input of the run.

    Unless the file was changed since it was saved, the input is linked to the run that saved it.
    Joblib files run code as they are loaded: load only those that you trust, or none by the
    setting MLTRACE_LOAD_JOBLIB=false.

    Args:
        path: what `save` returned, or the path or URL of any Parquet, .npy or joblib file.

    Raises:
        ArtifactMissing: there is no such file.
        ArtifactError: it cannot be read, or must not be.
    """
    address = clean_address(path)
    loads_joblib = read_save_settings().loads_joblib
    with find_files(address).fetch(address) as file:
        sidecar = read_sidecar(address)
        known = sidecar if sidecar and sidecar.describes(file) else None
        content = known.content if known else digest_file(file)
        try:
            value = read_value(file, sidecar.kind if sidecar else None, loads_joblib=loads_joblib)
        except ArtifactError as error:
            raise ArtifactError(f"Cannot load {hide_password(address)}. {error}") from error
    run = current.get_run()
    if run:
        _note(run.run.inputs, _point(address, content, known.producer if known else None))
        if run.contents is not None:
            inside = known.content if known else digest(value)
            run.contents[id(value)] = inside.text if inside else ""
    return value


def keep(
    value: object, content: Digest, component: str, variable: str, producer: SpanContext
) -> str | None:
    """Save a value under SAVE_DIR unless its content is there already. Never raises.

    Args:
        value: the value.
        content: its digest.
        component: the component that wrote or read it.
        variable: the component's name for it.
        producer: the run that wrote it, never one that only read it; invalid if unknown.

    Returns:
        The value's address, which names its pointer; None if it was not kept, of which one warning
        tells.
    """
    origin = Origin(component, variable, producer if producer.is_valid else None)
    try:
        settings = read_save_settings()
        kept = shelf.shelve(value, content, origin, settings.folder, settings.limit_bytes)
        return hide_password(kept.name)
    except shelf.LimitReached as error:
        shelf.warn_once("limit", f"Values are no longer kept: {error}")
    except Exception as error:  # noqa: BLE001 - the boundary between us and the user's program
        shelf.warn_once(f"{component}.{variable}", f"{component}.{variable} is not kept: {error}")
    return None


def _note(pointers: list[IOPointer], new: IOPointer) -> None:
    """Add a pointer, in the place of what a variable or an earlier call said of the same file."""
    for place, pointer in enumerate(pointers):
        if pointer.name == new.name:
            pointers[place] = replace(new, labels=pointer.labels)
            return
    pointers.append(new)


def _point(address: str, content: Digest | None, producer: SpanContext | None = None) -> IOPointer:
    """Return the pointer that names a saved value."""
    name, type_ = hide_password(address), guess_type(address)
    if content is None:
        return IOPointer(name, type_)
    return IOPointer(name, type_, content.text, content.size_bytes, producer=producer)
