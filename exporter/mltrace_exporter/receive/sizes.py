"""The size of requests: compressed bytes in, plain bytes out, and never more than the limit."""

import zlib

from mltrace_exporter.errors import MalformedRequest, RequestTooLarge, UnsupportedEncoding

_GZIP_WBITS = 31


def check_encoding(content_encoding: str) -> None:
    """Raise unless the ``Content-Encoding`` is one that `decompress` reads.

    Raises:
        UnsupportedEncoding: it is not.
    """
    if content_encoding not in ("", "identity", "gzip"):
        raise UnsupportedEncoding(
            f"The compression {content_encoding[:40]!r} is not known here: send gzip, or none."
        )


def decompress(body: bytes, content_encoding: str, limit_bytes: int) -> bytes:
    """Return the plain bytes of a body; never more than ``limit_bytes`` are made.

    Raises:
        RequestTooLarge: the plain body is over the limit.
        MalformedRequest: the body is no gzip.
    """
    return _decompress_gzip(body, limit_bytes) if content_encoding == "gzip" else body


def _decompress_gzip(body: bytes, limit_bytes: int) -> bytes:
    """Read all members of a gzip file, as RFC 1952 has it."""
    plain = bytearray()
    while body:
        member = zlib.decompressobj(_GZIP_WBITS)
        try:
            plain += member.decompress(body, limit_bytes + 1 - len(plain))
        except zlib.error as error:
            raise MalformedRequest(f"The body is no gzip: {error}") from None
        if len(plain) > limit_bytes:
            raise too_large(limit_bytes)
        if not member.eof:
            raise MalformedRequest("The body is no whole gzip: it ends too early.")
        body = member.unused_data
    return bytes(plain)


def check_size(body: bytes, limit_bytes: int) -> None:
    """Raise unless the body is within the limit.

    Raises:
        RequestTooLarge: it is over it.
    """
    if len(body) > limit_bytes:
        raise too_large(limit_bytes)


def too_large(limit_bytes: int) -> RequestTooLarge:
    """Return the error for a request over the limit."""
    return RequestTooLarge(
        f"The request is larger than {limit_bytes} bytes: send fewer spans at once, "
        "or raise --request-limit."
    )
