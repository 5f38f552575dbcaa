"""Long answers read in parts: PostgreSQL works on the next one while Python shapes the last."""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_PART = 2000

_Asked = TypeVar("_Asked")
_Read = TypeVar("_Read")


def read_ahead(
    read: Callable[[Collection[_Asked]], _Read], asked: Collection[_Asked]
) -> Iterator[_Read]:
    """Yield what is read of each part of what is asked, in order.

    Of more than one part, each is read in another thread while the caller works on those before:
    until all are read, the caller must not use the connection that ``read`` uses.
    """
    if len(asked) <= _PART:
        yield read(asked)
        return
    rest = iter(asked)
    parts = iter(lambda: list(islice(rest, _PART)), [])
    with ThreadPoolExecutor(1) as reader:
        yield from reader.map(read, parts)
