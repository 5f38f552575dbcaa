"""Spans that could not be stored, over HTTP."""

import base64
from datetime import UTC, datetime

import httpx
import sqlalchemy as sa

from mltrace_exporter.model import DeadLetter
from mltrace_exporter.store.dead_letters import CONTENT_LIMIT_BYTES, write_dead_letters


def test_dead_letters_are_listed_newest_first_in_pages(
    api: httpx.Client, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        for number in range(3):
            letter = DeadLetter(f"reason {number}", b"\xff\x00", "application/x-protobuf", "etl")
            write_dead_letters(connection, [letter])
    first = api.get("/api/dead-letters", params={"limit": 2}).raise_for_status().json()
    assert [item["reason"] for item in first["items"]] == ["reason 2", "reason 1"]
    assert base64.b64decode(first["items"][0]["content"]) == b"\xff\x00"
    assert datetime.fromisoformat(first["items"][0]["received_at"]) < datetime.now(UTC)
    before = first["next_cursor"]
    rest = api.get("/api/dead-letters", params={"before": before}).raise_for_status().json()
    assert [item["reason"] for item in rest["items"]] == ["reason 0"]
    assert rest["next_cursor"] is None


def test_of_a_long_span_the_beginning_is_kept_and_its_size(
    api: httpx.Client, engine: sa.Engine
) -> None:
    with engine.begin() as connection:
        write_dead_letters(connection, [DeadLetter("long", b"a" * 1_000_000, "text/plain")])
    (item,) = api.get("/api/dead-letters").raise_for_status().json()["items"]
    assert item["size_bytes"] == 1_000_000
    assert base64.b64decode(item["content"]) == b"a" * CONTENT_LIMIT_BYTES
