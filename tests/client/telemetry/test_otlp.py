"""What is written by hand is what the protobuf library reads."""

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1 import trace_pb2

from mltrace_otel.telemetry.otlp import SPAN_ATTRIBUTES, TEXT_LIMIT, Value, encode_attributes

VALUES = st.one_of(
    st.text(st.characters()),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.lists(st.text(st.characters())),
)


def read(value: AnyValue) -> object:
    kind = value.WhichOneof("value") or ""
    if kind == "array_value":
        return [each.string_value for each in value.array_value.values]
    return getattr(value, kind)


def clean(value: Value) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return [clean(each) for each in value] if isinstance(value, list) else value


@given(st.dictionaries(st.sampled_from(["a", "é", "k" * 200]), VALUES))
def test_attributes_are_read_as_they_were(attributes: dict[str, Value]) -> None:
    span = trace_pb2.Span.FromString(encode_attributes(attributes, SPAN_ATTRIBUTES))

    found = {pair.key: read(pair.value) for pair in span.attributes}
    says_something = {k: v for k, v in attributes.items() if v or v is False or v == 0}
    assert found == {k: clean(v) for k, v in says_something.items() if v not in ("", [])}


def test_endless_text_is_cut() -> None:
    encoded = encode_attributes({"a": "x" * 10_000_000, "none": None}, SPAN_ATTRIBUTES)

    (pair,) = trace_pb2.Span.FromString(encoded).attributes
    assert len(pair.value.string_value) == TEXT_LIMIT
