"""What routes share: limits, and texts. No text that PostgreSQL stores holds a NUL."""

from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator


def refuse_nul(text: str) -> str:
    """Return ``text``, or raise ValueError if it holds a character that no stored text can hold."""
    if "\0" in text:
        raise ValueError("must not contain the NUL character")
    return text


Text = Annotated[str, AfterValidator(refuse_nul)]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many to answer with, at most.")]
