"""Reading OTLP: a request's bytes come in, what it says of runs goes out. Nothing is stored."""

from mltrace_exporter.decode.request import Encoding, decode_request

__all__ = ["Encoding", "decode_request"]
