"""What routes share: limits, cursors, and texts. No text that PostgreSQL stores holds a NUL."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator
from starlette.convertors import PathConvertor, register_url_convertor

from mltrace_otel.contract.api import LARGEST_TRACE

TEXT_LIMIT = 100_000


def refuse_nul(text: str) -> str:
    """Return ``text``, or raise ValueError if it holds what no stored text can hold."""
    if "\0" in text:
        raise ValueError("must not contain the NUL character")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must not contain half of a character (a lone surrogate)")
    return text


def check_texts(**texts: str | None) -> None:
    """Raise ValueError if one of the texts cannot be stored, or is too long."""
    for name, text in texts.items():
        if text is not None:
            if len(text) > TEXT_LIMIT:
                raise ValueError(f"{name}: at most {TEXT_LIMIT:,} characters")
            refuse_nul(text)


def check_names(names: Iterable[str]) -> None:
    """Raise ValueError if one of the names is empty or cannot be stored."""
    for name in names:
        if not name:
            raise ValueError("a name must not be empty")
        refuse_nul(name)


def _in_utc(moment: datetime) -> datetime:
    # PostgreSQL refuses zones that are more than 16 hours away, which Python does not.
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError as error:
        raise ValueError("must be between the years 1 and 9999 in UTC") from error


class _AnyName(PathConvertor):
    """What a path ends with, whatever characters are in it: also slashes and line breaks."""

    regex = "(?s:.*)"


register_url_convertor("any", _AnyName())

Text = Annotated[str, AfterValidator(refuse_nul)]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many to answer with, at most.")]
Depth = Annotated[
    int | None,
    Query(ge=0, le=10_000, description="How many edges away a run may be; all if not said."),
]
RunLimit = Annotated[
    int, Query(ge=1, le=LARGEST_TRACE, description="How many runs to answer with, at most.")
]
Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A time; one that names no zone is in UTC."""
