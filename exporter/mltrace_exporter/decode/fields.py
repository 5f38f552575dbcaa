"""Typed values out of attributes. What is of another type than asked for counts as not given."""

from collections.abc import Mapping

Rest = dict[str, object]
Said = Mapping[str, object]

_ELLIPSIS = "…"


def shorten(text: str, limit_bytes: int) -> str:
    """Return the text, cut so that it takes at most ``limit_bytes`` in UTF-8."""
    # No character takes more than four bytes, and most names are short.
    if len(text) * 4 <= limit_bytes:
        return text
    encoded = text.encode()
    if len(encoded) <= limit_bytes:
        return text
    kept = encoded[: limit_bytes - len(_ELLIPSIS.encode())]
    return kept.decode(errors="ignore") + _ELLIPSIS


def get_text(said: Said, key: str) -> str | None:
    """Return a string, or None."""
    value = said.get(key)
    return value if isinstance(value, str) else None


def get_texts(said: Said, key: str) -> tuple[str, ...]:
    """Return a list of strings, or an empty one; one string counts as a list of one."""
    value = said.get(key)
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return ()


def get_count(said: Said, key: str, limit: int) -> int | None:
    """Return an integer from 0 up to, but not including, ``limit``."""
    value = said.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < limit:
        return value
    return None


def get_duration(said: Said, key: str, limit_s: float) -> float | None:
    """Return a number of seconds, not negative and at most ``limit_s``."""
    value = said.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        return None
    return min(float(value), limit_s)


def take_text(rest: Rest, key: str) -> str | None:
    """Remove and return a string."""
    value = rest.get(key)
    if not isinstance(value, str):
        return None
    del rest[key]
    return value


def take_texts(rest: Rest, key: str) -> tuple[str, ...]:
    """Remove and return a list of strings; one string counts as a list of one."""
    values = get_texts(rest, key)
    if values or rest.get(key) == []:
        del rest[key]
    return values


def take_bool(rest: Rest, key: str) -> bool | None:
    """Remove and return a boolean."""
    value = rest.get(key)
    if not isinstance(value, bool):
        return None
    del rest[key]
    return value


def take_count(rest: Rest, key: str, limit: int) -> int | None:
    """Remove and return an integer from 0 up to, but not including, ``limit``."""
    value = get_count(rest, key, limit)
    if value is not None:
        del rest[key]
    return value


def take_duration(rest: Rest, key: str, limit_s: float) -> float | None:
    """Remove and return a number of seconds, not negative and at most ``limit_s``."""
    value = get_duration(rest, key, limit_s)
    if value is not None:
        del rest[key]
    return value
