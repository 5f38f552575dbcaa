from pathlib import Path

import msgspec
import pytest
from opentelemetry.trace import SpanContext

from mltrace_otel.artifacts.formats import Format
from mltrace_otel.artifacts.shelf import write
from mltrace_otel.artifacts.sidecars import Origin, Sidecar, read_producer, read_sidecar
from mltrace_otel.digest import digest

VALUE = {"a": list(range(100))}
SPAN = SpanContext(trace_id=0xABC, span_id=0xDEF, is_remote=False)


@pytest.fixture
def address(tmp_path: Path) -> str:
    """A saved value."""
    place = str(tmp_path / "value.joblib")
    write(VALUE, digest(VALUE), Origin("etl", "table", SPAN), [(place, Format.JOBLIB)])
    return place


def test_a_sidecar_is_readable_json_that_tells_who_wrote_the_value(address: str) -> None:
    said = msgspec.json.decode(Path(f"{address}.mltrace.json").read_bytes())
    content = digest(VALUE)

    assert content
    assert said.pop("created_at").endswith("Z")
    assert said.pop("file_digest").startswith("xxh3-128:")
    assert said == {
        "schema_version": 1,
        "name": address,
        "digest": content.text,
        "size_bytes": content.size_bytes,
        "file_size_bytes": Path(address).stat().st_size,
        "kind": "builtins.dict",
        "component": "etl",
        "variable": "table",
        "trace_id": "00000000000000000000000000000abc",
        "span_id": "0000000000000def",
    }


def test_the_producer_of_a_saved_value_is_found_by_its_address(address: str) -> None:
    content = digest(VALUE)

    found = read_producer(address)

    assert content
    assert found
    assert found[:2] == (content.text, content.size_bytes)
    assert found[2]
    assert (found[2].trace_id, found[2].span_id) == (SPAN.trace_id, SPAN.span_id)
    assert found[2].is_remote


def test_a_changed_file_has_no_producer(address: str) -> None:
    file = Path(address)
    content = bytearray(file.read_bytes())
    content[-10] ^= 1
    file.write_bytes(content)

    assert read_producer(address) is None


def test_a_file_that_is_gone_has_no_producer(address: str) -> None:
    Path(address).unlink()

    assert read_producer(address) is None


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", '{"schema_version": 1}', "\0", '{"name": 5}'],
    ids=["empty", "no keys", "a list", "half", "binary", "other types"],
)
def test_a_broken_sidecar_says_nothing(address: str, text: str) -> None:
    Path(f"{address}.mltrace.json").write_text(text)

    assert read_sidecar(address) is None
    assert read_producer(address) is None


def test_a_sidecar_of_a_later_version_says_nothing(address: str) -> None:
    sidecar = read_sidecar(address)
    assert sidecar
    later = msgspec.structs.replace(sidecar, schema_version=2)
    Path(f"{address}.mltrace.json").write_bytes(msgspec.json.encode(later))

    assert read_sidecar(address) is None


def test_broken_span_ids_name_no_producer(address: str) -> None:
    sidecar = read_sidecar(address)
    assert sidecar
    broken = msgspec.structs.replace(sidecar, trace_id="not hex")

    assert broken.producer is None


def test_a_value_that_no_run_wrote_has_a_digest_only(tmp_path: Path) -> None:
    place = str(tmp_path / "value.joblib")
    write(VALUE, digest(VALUE), Origin(), [(place, Format.JOBLIB)])

    found = read_producer(place)

    assert found
    assert found[2] is None


def test_stores_elsewhere_are_asked_about_kept_values_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTRACE_SAVE_DIR", "memory://kept")
    for name in ("memory://kept/a.joblib", "memory://other/a.joblib"):
        write(VALUE, digest(VALUE), Origin("etl", "table", SPAN), [(name, Format.JOBLIB)])

    assert isinstance(read_sidecar("memory://other/a.joblib"), Sidecar)
    assert read_producer("memory://other/a.joblib") is None
    assert read_producer("memory://kept/a.joblib") is not None


def test_a_name_that_is_no_file_costs_no_error() -> None:
    assert read_producer("prediction-1") is None
    assert read_producer("s3://nowhere/a") is None
    assert read_producer("\0") is None
