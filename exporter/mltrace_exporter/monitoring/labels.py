"""Names that users chose, as values of labels: short, printable, and still told apart."""

import hashlib
from functools import lru_cache

LENGTH_LIMIT = 200
"""In characters."""

_MARK_LENGTH = 9


@lru_cache(maxsize=65_536)
def label(name: str) -> str:
    """Return ``name`` as the value of a label.

    Control characters are spelt out, what is long is cut. A name that is changed so ends in a mark
    made from the whole of it, so that no two names become one.
    """
    if len(name) <= LENGTH_LIMIT and name.isprintable():
        return name
    mark = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in name[:LENGTH_LIMIT]
    )
    return f"{shown[: LENGTH_LIMIT - _MARK_LENGTH]}~{mark}"
