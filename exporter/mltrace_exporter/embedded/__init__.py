"""A private PostgreSQL: a data directory comes in, the address of a running database goes out."""

from mltrace_exporter.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres"]
