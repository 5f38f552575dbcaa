"""The gRPC door: OTLP requests come in, answers after the commit go out.

Source: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc.
"""

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import grpc

from mltrace_exporter.access import REQUEST_ID, TRACEPARENT, tell_request
from mltrace_exporter.decode import Encoding
from mltrace_exporter.errors import SettingsError
from mltrace_exporter.ingest import Ingest
from mltrace_exporter.logs import enter_request
from mltrace_exporter.receive.replies import Reply, reply_to
from mltrace_exporter.receive.sizes import check_size

THREADS = 16
"""Requests that are decoded, or wait for their commit, at one time. More wait in the sender."""

_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
_PATH = f"/{_SERVICE}/Export"
# Above the limit gRPC refuses by itself; a little above, we do, and say what to do.
_SLACK_BYTES = 1024 * 1024


class GrpcDoor:
    """A gRPC server of ``TraceService/Export``. It listens from the start and serves later."""

    def __init__(self, address: str, limit_bytes: int, timeout_s: float) -> None:
        """Bind an address.

        Args:
            address: ``host:port``, port 0 for any.
            limit_bytes: size of the largest request.
            timeout_s: after so long a connection takes no new requests, after twice as long it is
                closed: what is trickling in on it is not waited for. Senders connect again.

        Raises:
            SettingsError: the address cannot be bound.
        """
        self._limit_bytes = limit_bytes
        self._server = grpc.server(
            ThreadPoolExecutor(THREADS, "otlp-grpc"),
            options=[
                ("grpc.max_receive_message_length", limit_bytes + _SLACK_BYTES),
                ("grpc.so_reuseport", 0),
                ("grpc.max_connection_age_ms", int(timeout_s * 1000)),
                ("grpc.max_connection_age_grace_ms", int(timeout_s * 1000)),
            ],
        )
        try:
            self.port = self._server.add_insecure_port(address)
        except RuntimeError:
            raise SettingsError(f"gRPC cannot listen on {address}.") from None

    def serve(self, ingest: Ingest) -> None:
        """Serve in threads of its own; return at once."""

        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            begun_s, status = time.perf_counter(), grpc.StatusCode.OK
            _enter(context)
            try:
                check_size(body, self._limit_bytes)
                ingest.accept(body, Encoding.PROTOBUF)
            except Exception as error:  # noqa: BLE001 - every failure has its reply, see `reply_to`
                reply = reply_to(error, ingest)
                status = reply.grpc_code
                _refuse(context, reply)
            tell_request(logging.DEBUG, "gRPC", _PATH, status.name, begun_s)
            # ExportTraceServiceResponse without partial_success is zero bytes.
            return b""

        # No deserialiser: what cannot be read must reach our code, not become INTERNAL.
        method: grpc.RpcMethodHandler[bytes, bytes] = grpc.unary_unary_rpc_method_handler(export)
        handler = grpc.method_handlers_generic_handler(_SERVICE, {"Export": method})
        self._server.add_generic_rpc_handlers((handler,))
        self._server.start()

    def stop(self, grace_s: float) -> threading.Event:
        """Take no more requests; the event is set when those in flight are answered, or cut."""
        return self._server.stop(grace_s)


def _enter(context: grpc.ServicerContext) -> None:
    """Name the request in what is logged while it is answered, and to its sender."""
    metadata = {pair[0]: pair[1] for pair in context.invocation_metadata()}
    caller = enter_request(_read(metadata, REQUEST_ID), _read(metadata, TRACEPARENT))
    context.send_initial_metadata(((REQUEST_ID, caller.request_id),))


def _read(metadata: Mapping[str, str | bytes], key: str) -> str | None:
    value = metadata.get(key)
    return value if isinstance(value, str) else None


def _refuse(context: grpc.ServicerContext, reply: Reply) -> None:
    """Send a reply; Python's SDK reads one trailer for when to retry, the Collector the other."""
    trailers = [("grpc-status-details-bin", reply.status.SerializeToString())]
    if reply.retry_info is not None:
        trailers.append(("google.rpc.retryinfo-bin", reply.retry_info.SerializeToString()))
    context.set_trailing_metadata(tuple(trailers))
    context.set_code(reply.grpc_code)
    context.set_details(reply.status.message)
