"""Reading OTLP: an export request's bytes come in, component runs go out. Nothing is stored."""

from mltrace_exporter.decode.request import Decoded, Encoding, decode_request

__all__ = ["Decoded", "Encoding", "decode_request"]
