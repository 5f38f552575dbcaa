"""Finished runs as OTLP: their spans, and the bytes of a request."""
