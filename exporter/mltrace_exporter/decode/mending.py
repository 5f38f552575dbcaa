"""Protobuf whose strings are no UTF-8: bytes and a message in, the message filled, strings mended.

Protobuf refuses a whole message for one such string. On the wire strings and bytes are the same, so
it is read once more as a message whose strings are declared as bytes, mended there, and written.
"""

from functools import cache

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import DecodeError, Message

from mltrace_exporter.decode.messages import RawMessages


def read_mended(raw: bytes, message: Message) -> None:
    """Fill a message of OTLP's; what of a string is no UTF-8 becomes U+FFFD.

    Raises:
        DecodeError: the bytes are no such message, strings aside.
    """
    try:
        message.MergeFromString(raw)
    except DecodeError:
        messages = _make_lenient_messages()
        lenient = messages.get_class(message.DESCRIPTOR.full_name)()
        lenient.MergeFromString(raw)
        _mend(lenient, messages.fields)
        message.Clear()
        message.MergeFromString(lenient.SerializeToString())


@cache
def _make_lenient_messages() -> RawMessages:
    """Return OTLP's messages with bytes for strings."""
    return RawMessages(lambda field: field.type == FieldDescriptorProto.TYPE_STRING)


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
