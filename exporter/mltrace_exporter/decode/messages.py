"""OTLP's messages with bytes for some of their fields: strings and messages are written alike.

Source: https://protobuf.dev/programming-guides/encoding/#length-types.
"""

from collections.abc import Callable

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_FILES = (
    common_pb2.DESCRIPTOR,
    resource_pb2.DESCRIPTOR,
    trace_pb2.DESCRIPTOR,
    trace_service_pb2.DESCRIPTOR,
)


class RawMessages:
    """OTLP's messages, in which some fields hold bytes, as they are written.

    Attributes:
        fields: full names of these fields.

    Args:
        is_raw: says of a string or a message whether it is to be one of them.
    """

    def __init__(self, is_raw: Callable[[FieldDescriptorProto], bool]) -> None:
        self._pool, fields = descriptor_pool.DescriptorPool(), set()
        for file in _FILES:
            proto = descriptor_pb2.FileDescriptorProto()
            file.CopyToProto(proto)
            waiting = [(f"{proto.package}.{each.name}", each) for each in proto.message_type]
            for prefix, message in waiting:
                waiting += [(f"{prefix}.{inner.name}", inner) for inner in message.nested_type]
                for field in filter(is_raw, message.field):
                    field.type = FieldDescriptorProto.TYPE_BYTES
                    field.ClearField("type_name")
                    fields.add(f"{prefix}.{field.name}")
            self._pool.Add(proto)
        self.fields = frozenset(fields)

    def get_class(self, full_name: str) -> type[Message]:
        """Return the class of the message with this name in OTLP."""
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(full_name))
