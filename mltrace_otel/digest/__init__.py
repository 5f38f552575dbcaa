"""Digests of content. In: a value, a file or a folder. Out: what identifies it, and its size.

Equal content gives equal digests, in any process; nothing is judged by its repr. Libraries are
looked up among the program's loaded modules and never imported for their own sake.
"""

from mltrace_otel.digest.content import Digest, hash_bytes, hash_text
from mltrace_otel.digest.files import digest_file
from mltrace_otel.digest.objects import read_object
from mltrace_otel.notices import log

__all__ = ["Digest", "digest", "digest_file"]


def digest(value: object) -> Digest | None:
    """Return the digest of a value's whole content, or None if it has none. Changes nothing.

    Bytes and texts have the digest of a file with the same content.
    """
    try:
        if isinstance(value, bytes | bytearray | memoryview):
            return hash_bytes(value).digest()
        if isinstance(value, str):
            return hash_text(value).digest()
        return read_object(value).digest()
    except Exception as error:  # noqa: BLE001 - any object may refuse to be read, in its own way
        # Without the error's own words: a value's exception may fail to print, too.
        log.debug("A %s has no digest: %s", type(value).__name__, type(error).__name__)
        return None
