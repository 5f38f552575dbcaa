"""The folder of saved values, SAVE_DIR. In: values. Out: their addresses; equal ones share one.

A value lies at ``<component>/<variable>-<16 hex of its key>.<format>``, its sidecar beside it. The
key stands for content and kind; ``.keys/<key>`` names the file, so that the same content is found
again whoever saves it. It is written last: what it names is complete.
"""

import re
from collections.abc import Iterable
from pathlib import Path

import msgspec
import xxhash

from mltrace_otel.artifacts.budget import BUDGET
from mltrace_otel.artifacts.files import clean_address, find_files, hide_password, is_remote, join
from mltrace_otel.artifacts.formats import Format, Misfit, choose_formats, name_kind, write_value
from mltrace_otel.artifacts.sidecars import Origin, Sidecar, describe, read_sidecar, write_sidecar
from mltrace_otel.digest import Digest
from mltrace_otel.errors import ArtifactError, ArtifactMissing
from mltrace_otel.notices import log
from mltrace_otel.producers import NEARLY_EMPTY_BYTES

_NAME_LIMIT = 60
_warned: set[str] = set()


class LimitReached(ArtifactError):  # noqa: N818 - named for what is wrong
    """The folder may not grow any more by what is saved automatically."""


def shelve(
    value: object, content: Digest, origin: Origin, folder: str, limit_bytes: int | None = None
) -> Sidecar:
    """Save a value unless its content is there already.

    Args:
        value: the value.
        content: its digest.
        origin: where it comes from.
        folder: where to save it.
        limit_bytes: how large the folder may grow; None for any size.

    Returns:
        What is known of the saved value.

    Raises:
        LimitReached: the folder would grow too large.
        ArtifactError: the value cannot be saved.
    """
    folder = clean_address(folder)
    if not is_remote(folder):
        folder = str(Path(folder).absolute())
    key = _make_key(value, content, origin)
    pointer = join(folder, f".keys/{key[:2]}/{key}")
    found = _find(folder, pointer)
    if found:
        return _attribute(found, origin)
    if limit_bytes is not None and not BUDGET.admits(folder, content.size_bytes, limit_bytes):
        raise LimitReached(
            f"{hide_password(folder)} has reached MLTRACE_SAVE_LIMIT, {limit_bytes:,} bytes. "
            "Delete what is not needed, or raise the limit."
        )
    stem = f"{_clean(origin.component)}/{_clean(origin.variable)}-{key[:16]}"
    places = [(join(folder, stem + format_), format_) for format_ in choose_formats(value)]
    sidecar = write(value, content, origin, places)
    BUDGET.add(folder, sidecar.file_size_bytes)
    with find_files(pointer).draft(pointer) as draft:
        draft.write_text(sidecar.name.removeprefix(join(folder, "")))
    return sidecar


def write(
    value: object,
    content: Digest | None,
    origin: Origin,
    places: Iterable[tuple[str, Format]],
) -> Sidecar:
    """Write a value and its sidecar to the first place whose format can hold it.

    Raises:
        ArtifactError: it cannot be saved in any.
    """
    misfit: Misfit | None = None
    for address, format_ in places:
        try:
            with find_files(address).draft(address) as draft:
                write_value(value, draft, format_, content)
                sidecar = describe(address, draft, content, name_kind(value), origin)
        except Misfit as error:
            misfit = error
            continue
        if misfit and isinstance(misfit.__cause__, ImportError):
            warn_once("library", f"{misfit} Until then joblib's pickles are written.")
        write_sidecar(address, sidecar)
        return sidecar
    raise misfit or ArtifactError("There is no place to write to.")


def warn_once(topic: str, sentence: str) -> None:
    """Log a warning unless there was one about this topic."""
    if topic not in _warned:
        _warned.add(topic)
        log.warning(sentence)


def _make_key(value: object, content: Digest, origin: Origin) -> str:
    # Texts and the bytes that encode them have one digest, but come back as what they were.
    facts = [content.text, name_kind(value)]
    if content.size_bytes < NEARLY_EMPTY_BYTES:
        # Two components that both wrote 0 have nothing to do with each other.
        facts += [str(origin.component), str(origin.variable)]
    return xxhash.xxh3_128_hexdigest("\0".join(facts).encode("utf-8", "surrogatepass"))


def _find(folder: str, pointer: str) -> Sidecar | None:
    """Return what is known of the value that a key's file names, if it is still there, whole."""
    try:
        address = join(folder, find_files(pointer).read(pointer).decode())
        size_bytes = find_files(address).measure(address)
    except ArtifactMissing:
        return None
    sidecar = read_sidecar(address)
    if sidecar is None or sidecar.file_size_bytes != size_bytes:
        return None
    return msgspec.structs.replace(sidecar, name=address)


def _attribute(sidecar: Sidecar, origin: Origin) -> Sidecar:
    """Say who wrote a value last."""
    attributed = sidecar.attribute(origin)
    if origin.span is None or attributed.span_id == sidecar.span_id:
        return sidecar
    write_sidecar(sidecar.name, attributed)
    return attributed


def _clean(name: str | None) -> str:
    """Return a name as one part of a path."""
    return re.sub(r"^\.|[^\w.-]", "_", (name or "saved")[:_NAME_LIMIT])
