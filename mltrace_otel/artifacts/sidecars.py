"""What is known of saved values. In: addresses. Out: sidecars, small JSON files beside the values.

They tell a program on another machine which run wrote a value, as long as its file is unchanged.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from opentelemetry.trace import SpanContext, TraceFlags

from mltrace_otel.artifacts.files import clean_address, find_files, hide_password, is_remote, join
from mltrace_otel.digest import Digest, digest_file
from mltrace_otel.errors import ArtifactError, SettingsError
from mltrace_otel.settings import read_save_settings

_SUFFIX = ".mltrace.json"
_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value comes from.

    Attributes:
        component: the component whose run saves it; None outside of any.
        variable: what it is called there.
        span: the run that wrote it; None if that is unknown.
    """

    component: str | None = None
    variable: str | None = None
    span: SpanContext | None = None


class Sidecar(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a saved value.

    Attributes:
        schema_version: of this description.
        name: the value's address when it was saved.
        digest: ``<algorithm>:<hex>`` of its content.
        size_bytes: size of its content.
        file_digest: digest of the file.
        file_size_bytes: size of the file.
        kind: what it was in memory, e.g. ``pandas.DataFrame``.
        component: component whose run last saved it; None if no run did.
        variable: what it was called there.
        trace_id: trace of the run that last wrote it, in hex.
        span_id: span of that run, in hex.
        created_at: when it was saved.
    """

    schema_version: int
    name: str
    digest: str
    size_bytes: int
    file_digest: str
    file_size_bytes: int
    kind: str
    component: str | None = None
    variable: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    created_at: datetime

    @property
    def content(self) -> Digest:
        """Digest and size of the content."""
        return Digest(self.digest, self.size_bytes)

    @property
    def producer(self) -> SpanContext | None:
        """Span of the run that last wrote the value."""
        if self.trace_id is None or self.span_id is None:
            return None
        try:
            ids = int(self.trace_id, 16), int(self.span_id, 16)
        except ValueError:
            return None
        span = SpanContext(*ids, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
        return span if span.is_valid else None

    def attribute(self, origin: Origin) -> "Sidecar":
        """Return the same with another origin."""
        span = origin.span
        return msgspec.structs.replace(
            self,
            component=origin.component,
            variable=origin.variable,
            trace_id=f"{span.trace_id:032x}" if span else None,
            span_id=f"{span.span_id:016x}" if span else None,
        )

    def describes(self, file: Path) -> bool:
        """Tell whether a file is still what was saved."""
        if file.stat().st_size != self.file_size_bytes:
            return False
        found = digest_file(file)
        return found is not None and found.text == self.file_digest


def describe(name: str, file: Path, content: Digest | None, kind: str, origin: Origin) -> Sidecar:
    """Return the sidecar of a value that has just been written to a file.

    Args:
        name: the value's address.
        file: the file, on this machine.
        content: the value's digest; None if only its file has one.
        kind: what it was in memory.
        origin: where it comes from.
    """
    found = digest_file(file)
    if found is None:
        raise ArtifactError(f"Cannot read {name} again, which was just written.")
    known = content or found
    return Sidecar(
        schema_version=_SCHEMA_VERSION,
        name=name,
        digest=known.text,
        size_bytes=known.size_bytes,
        file_digest=found.text,
        file_size_bytes=file.stat().st_size,
        kind=kind,
        created_at=datetime.now(UTC),
    ).attribute(origin)


def write_sidecar(address: str, sidecar: Sidecar) -> None:
    """Put a sidecar beside the value at an address."""
    shown = msgspec.structs.replace(sidecar, name=hide_password(sidecar.name))
    with find_files(address).draft(address + _SUFFIX) as draft:
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(shown)) + b"\n")


def read_sidecar(address: str) -> Sidecar | None:
    """Return what is known of the value at an address; None if nothing is."""
    try:
        content = find_files(address).read(address + _SUFFIX)
        sidecar = msgspec.json.decode(content, type=Sidecar)
    except (ArtifactError, msgspec.MsgspecError):
        return None
    return sidecar if sidecar.schema_version == _SCHEMA_VERSION else None


def read_producer(name: str) -> tuple[str, int, SpanContext | None] | None:
    """Return what is known of a value that a pointer's name may be the address of.

    Stores on other machines are asked only about values under SAVE_DIR, whose files never change.

    Returns:
        Digest, size in bytes, and the run that wrote it if known. None if the name is no saved
        value's, or if its file was changed since.
    """
    if is_remote(name) and not _is_kept(name):
        return None
    sidecar = read_sidecar(name)
    if sidecar is None:
        return None
    try:
        if not is_remote(name) and not sidecar.describes(Path(name)):
            return None
    except OSError:
        return None
    return sidecar.digest, sidecar.size_bytes, sidecar.producer


def _is_kept(name: str) -> bool:
    try:
        folder = read_save_settings().folder
    except SettingsError:
        return False
    return name.startswith(join(clean_address(folder), ""))
