import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from mltrace_exporter.logs import LogFormat, LogLevel, configure, enter_request

TRACE = "0af7651916cd43dd8448eb211c80319c"
_log = logging.getLogger("somebody.else")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root, hook = logging.getLogger(), threading.excepthook
    before, level = root.handlers[:], root.level
    yield
    root.handlers[:], threading.excepthook = before, hook
    root.setLevel(level)
    logging.captureWarnings(capture=False)


def read(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_of_json_has_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogFormat.JSON, LogLevel.INFO)
    _log.info("%d runs\nstored \ud800", 3, extra={"count": 3, "color_message": "x"})
    _log.debug("not this")
    (line,) = read(capsys)
    assert list(line) == ["time", "level", "logger", "message", "count"]
    assert line["time"].endswith("+00:00")
    assert line["message"] == "3 runs\nstored \ud800"
    assert (line["level"], line["logger"], line["count"]) == ("INFO", "somebody.else", 3)


def test_an_error_brings_its_traceback_in_the_same_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(LogFormat.JSON, LogLevel.ERROR)
    try:
        raise ValueError("odd")  # noqa: TRY301 - what is to be logged
    except ValueError:
        _log.exception("It failed.")
    (line,) = read(capsys)
    assert line["exception"].startswith("Traceback")
    assert line["exception"].endswith("ValueError: odd")


def test_warnings_and_ends_of_threads_are_lines_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure(LogFormat.JSON, LogLevel.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("soon gone", FutureWarning, stacklevel=1)
    thread = threading.Thread(target=lambda: 1 / 0, name="worker")
    thread.start()
    thread.join()
    warned, ended = read(capsys)
    assert "FutureWarning: soon gone" in warned["message"]
    assert ended["message"] == "The thread worker ended by an error."
    assert "ZeroDivisionError" in ended["exception"]


@pytest.mark.parametrize(
    ("given", "kept"),
    [("01HF-2.a:b/c=", True), ("two words", False), ("x" * 129, False), ("\n", False), ("", False)],
)
def test_an_id_is_kept_if_it_is_a_plain_word(given: str, *, kept: bool) -> None:
    caller = enter_request(given, None)
    assert (caller.request_id == given) == kept
    assert caller.request_id


@pytest.mark.parametrize(
    ("traceparent", "trace_id"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", None),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_a_trace_is_named_if_there_is_one(
    capsys: pytest.CaptureFixture[str], traceparent: str | None, trace_id: str | None
) -> None:
    configure(LogFormat.JSON, LogLevel.INFO)

    def answer() -> None:
        enter_request("mine", traceparent)
        _log.info("in it")

    thread = threading.Thread(target=answer)
    thread.start()
    thread.join()
    (line,) = read(capsys)
    assert (line["request_id"], line.get("trace_id")) == ("mine", trace_id)


def test_auto_is_text_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert configure(LogFormat.AUTO, LogLevel.INFO)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert not configure(LogFormat.AUTO, LogLevel.INFO)
    _log.warning("for people")
    assert capsys.readouterr().err.endswith(" WARNING somebody.else: for people\n")


def test_a_line_of_text_is_one_line_whatever_a_path_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(LogFormat.TEXT, LogLevel.INFO)
    _log.info("GET %s: 404", "/api/\u00e9\n2026-11-28 INFO forged\x1b[2J\u202e")
    told = capsys.readouterr().err
    assert told.endswith("GET /api/\u00e9\\n2026-11-28 INFO forged\\x1b[2J\\u202e: 404\n")


def test_a_loop_without_file_descriptors_fills_no_disk(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(LogFormat.JSON, LogLevel.INFO)
    loop = logging.getLogger("asyncio")
    for number in range(2048):
        loop.error("socket.accept() out of system resource\nsocket: %d", number)
    loop.error("something else")
    assert len(read(capsys)) == 2
