"""Taking typed values out of attributes: what is of another type than asked for stays there."""

from collections.abc import Mapping

Rest = dict[str, object]

_ELLIPSIS = "…"


def shorten(text: str, limit_bytes: int) -> str:
    """Return the text, cut so that it takes at most ``limit_bytes`` in UTF-8."""
    encoded = text.encode()
    if len(encoded) <= limit_bytes:
        return text
    kept = encoded[: limit_bytes - len(_ELLIPSIS.encode())]
    return kept.decode(errors="ignore") + _ELLIPSIS


def get_text(said: Mapping[str, object], key: str) -> str | None:
    """Return a string, or None."""
    value = said.get(key)
    return value if isinstance(value, str) else None


def take_text(rest: Rest, key: str) -> str | None:
    """Remove and return a string."""
    value = rest.get(key)
    if not isinstance(value, str):
        return None
    del rest[key]
    return value


def take_texts(rest: Rest, key: str) -> tuple[str, ...]:
    """Remove and return a list of strings; one string counts as a list of one."""
    value = rest.get(key)
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        return ()
    del rest[key]
    return tuple(value)


def take_bool(rest: Rest, key: str) -> bool | None:
    """Remove and return a boolean."""
    value = rest.get(key)
    if not isinstance(value, bool):
        return None
    del rest[key]
    return value


def take_count(rest: Rest, key: str, limit: int) -> int | None:
    """Remove and return an integer from 0 up to, but not including, ``limit``."""
    value = rest.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < limit:
        return None
    del rest[key]
    return value


def take_duration(rest: Rest, key: str, limit_s: float) -> float | None:
    """Remove and return a number of seconds, not negative and at most ``limit_s``."""
    value = rest.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        return None
    del rest[key]
    return min(float(value), limit_s)
