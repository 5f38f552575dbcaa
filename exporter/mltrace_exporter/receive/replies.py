"""What senders are told: an error comes in, its HTTP status, gRPC code and message go out.

The one table of both doors. It decides whether a sender keeps its data: OTLP's senders repeat what
is answered with 503 or UNAVAILABLE and throw away what is answered with 400, 413 or 500.
Source: https://opentelemetry.io/docs/specs/otlp/#failures, google/rpc/status.proto.
"""

import logging
import math
from dataclasses import dataclass
from http import HTTPStatus

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status

from mltrace_exporter.errors import (
    ExporterError,
    MalformedRequest,
    RequestTooLarge,
    Unavailable,
    UnsupportedEncoding,
)
from mltrace_exporter.ingest import Ingest

_log = logging.getLogger(__name__)

_TABLE: dict[type[ExporterError], tuple[HTTPStatus, grpc.StatusCode]] = {
    MalformedRequest: (HTTPStatus.BAD_REQUEST, grpc.StatusCode.INVALID_ARGUMENT),
    RequestTooLarge: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, grpc.StatusCode.RESOURCE_EXHAUSTED),
    UnsupportedEncoding: (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, grpc.StatusCode.INVALID_ARGUMENT),
    Unavailable: (HTTPStatus.SERVICE_UNAVAILABLE, grpc.StatusCode.UNAVAILABLE),
}
_MESSAGE_LIMIT_CHARACTERS = 500
_FAILURE_RETRY_AFTER_S = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """One refusal as both doors send it.

    Attributes:
        http_status: for the HTTP door.
        grpc_code: for the gRPC door.
        status: the message that either door sends, with its details.
        retry_info: when to send the same again; None where that cannot help.
        retry_after_s: the same as whole seconds.
    """

    http_status: HTTPStatus
    grpc_code: grpc.StatusCode
    status: Status
    retry_info: RetryInfo | None = None
    retry_after_s: int | None = None


def reply_to(error: Exception, ingest: Ingest) -> Reply:
    """Return the reply to an error, which is counted and told to the log.

    An error of no kind that the table knows is a failure of ours. It is logged, and the sender is
    asked to keep its data: the next version, or a machine with free memory, can take them.
    """
    if not isinstance(error, tuple(_TABLE)):
        _log.error("A request failed for a reason unknown.", exc_info=error)
        error = Unavailable("The exporter failed; its log says why.", _FAILURE_RETRY_AFTER_S)
    http_status, grpc_code = next(
        reply for kind, reply in _TABLE.items() if isinstance(error, kind)
    )
    text = str(error)[:_MESSAGE_LIMIT_CHARACTERS]
    is_temporary = isinstance(error, Unavailable)
    ingest.tell_refusal(text, is_temporary=is_temporary)
    if not isinstance(error, Unavailable):
        fault = BadRequest.FieldViolation(field="body", description=text)
        details = BadRequest(field_violations=[fault])
        return Reply(http_status, grpc_code, _make_status(grpc_code, text, details))
    retry_info = RetryInfo()
    retry_info.retry_delay.FromMilliseconds(int(error.retry_after_s * 1000))
    return Reply(
        http_status,
        grpc_code,
        _make_status(grpc_code, text, retry_info),
        retry_info,
        math.ceil(error.retry_after_s),
    )


def reply_to_path(http_status: int, text: str) -> Reply:
    """Return the reply to a request for a path or method that the HTTP door does not have."""
    code = grpc.StatusCode.UNIMPLEMENTED
    return Reply(HTTPStatus(http_status), code, _make_status(code, text))


def _make_status(code: grpc.StatusCode, text: str, details: Message | None = None) -> Status:
    number: int = code.value[0]
    status = Status(code=number, message=text)
    if details is not None:
        status.details.add().Pack(details)
    return status
