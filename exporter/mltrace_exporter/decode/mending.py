"""Protobuf whose strings are no UTF-8: bytes and a message in, the message filled, strings mended.

Protobuf refuses a whole message for one such string. On the wire strings and bytes are the same, so
it is read once more as a message whose strings are declared as bytes, mended there, and written.
"""

from functools import cache

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_FILES = (common_pb2.DESCRIPTOR, resource_pb2.DESCRIPTOR, trace_pb2.DESCRIPTOR)


def read_mended(raw: bytes, message: Message) -> None:
    """Fill a message of OTLP's; what of a string is no UTF-8 becomes U+FFFD.

    Raises:
        DecodeError: the bytes are no such message, strings aside.
    """
    try:
        message.MergeFromString(raw)
    except DecodeError:
        pool, texts = _make_lenient_messages()
        name = message.DESCRIPTOR.full_name
        lenient = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()
        lenient.MergeFromString(raw)
        _mend(lenient, texts)
        message.Clear()
        message.MergeFromString(lenient.SerializeToString())


@cache
def _make_lenient_messages() -> tuple[descriptor_pool.DescriptorPool, frozenset[str]]:
    """Return OTLP's messages with bytes for strings, and which of their fields were strings."""
    pool, texts = descriptor_pool.DescriptorPool(), set()
    for file in _FILES:
        proto = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(proto)
        waiting = [(f"{proto.package}.{message.name}", message) for message in proto.message_type]
        for prefix, message in waiting:
            waiting += [(f"{prefix}.{inner.name}", inner) for inner in message.nested_type]
            for field in message.field:
                if field.type == descriptor_pb2.FieldDescriptorProto.TYPE_STRING:
                    field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
                    texts.add(f"{prefix}.{field.name}")
        pool.Add(proto)
    return pool, frozenset(texts)


def _mend(message: Message, texts: frozenset[str]) -> None:
    for field, value in message.ListFields():
        many = value if field.is_repeated else [value]
        if field.type == FieldDescriptor.TYPE_MESSAGE:
            for one in many:
                _mend(one, texts)
        elif field.full_name in texts:
            mended = [one.decode(errors="replace").encode() for one in many]
            if field.is_repeated:
                value[:] = mended
            else:
                setattr(message, field.name, mended[0])
