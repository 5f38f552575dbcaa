"""The doors: OTLP over HTTP and over gRPC. Both hand the request's bytes to ``Ingest.accept``."""

from mltrace_exporter.receive.otlp_grpc import GrpcDoor
from mltrace_exporter.receive.otlp_http import create_http_door

__all__ = ["GrpcDoor", "create_http_door"]
