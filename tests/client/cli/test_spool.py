"""What waits on this machine is shown, and sent when asked."""

import json
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
from calling import Mltrace
from otlp import write_protobuf
from receiving import receive_http
from services import find_free_ports

from mltrace_otel.delivery.spool import Spool
from mltrace_otel.settings import SpoolSettings

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.fixture
def mltrace() -> Mltrace:
    """The program; it has no API to ask."""
    return Mltrace("http://127.0.0.1:9")


@pytest.fixture
def make_spool(home: Path) -> Callable[[int], Spool]:
    """Make a program's part of the spool, with as many records as wanted."""

    def make(count: int) -> Spool:
        spool = Spool(SpoolSettings(home / "spool", 1 << 30, is_synced=False))
        for _ in range(count):
            spool.append(write_protobuf([]) + b"\x0a\x00")
        return spool

    return make


def test_an_empty_spool_says_so(mltrace: Mltrace, home: Path) -> None:
    assert mltrace.show("spool", "status").splitlines()[0] == "0 records of runs wait to be sent"
    told = json.loads(mltrace.show("spool", "status", "--json"))
    assert told["folder"] == f"{home}/spool"
    assert (told["backlogs"], told["rejected"]) == ([], {})
    assert not (home / "spool").exists(), "to look at it changes nothing"


def test_status_tells_whose_records_wait_and_what_was_refused(
    mltrace: Mltrace, make_spool: Callable[[int], Spool]
) -> None:
    alive, dead = make_spool(3), make_spool(1200)
    dead.keep(b"8 bytes.", b"last words")
    dead.set_aside([b"1", b"2"], "HTTP 400: no name\x1b[2J")
    dead.close()
    (alive.folder / "notes.runs").write_text("no file of ours")

    shown = mltrace.show("spool", "status", COLUMNS="200")
    told = json.loads(mltrace.show("spool", "status", "--json"))

    assert shown.startswith("1,203 records of runs wait to be sent\nin ")
    assert "it sends them" in shown
    assert "runs that were aborted" in shown
    assert "2  HTTP 400: no name\\x1b[2J" in shown
    assert "mltrace spool send" in shown
    assert [
        (each["records"], each["is_alive"], each["is_unfinished"]) for each in told["backlogs"]
    ] == [(3, True, False), (1200, False, False), (1, False, True)]
    assert told["rejected"] == {"HTTP 400: no name\x1b[2J": 2}
    alive.close()


def test_send_delivers_what_the_dead_left_and_leaves_the_living_theirs(
    mltrace: Mltrace, make_spool: Callable[[int], Spool]
) -> None:
    alive, dead = make_spool(3), make_spool(1200)
    dead.close()
    with receive_http() as receiver:
        shown = mltrace.show("spool", "send", **{ENDPOINT: receiver.url})
        again = json.loads(mltrace.show("spool", "send", "--json", **{ENDPOINT: receiver.url}))

    assert shown == (
        f"{receiver.url}/v1/traces took 1,200 records.\n1 program runs and sends its own.\n"
    )
    assert again == {"endpoint": f"{receiver.url}/v1/traces", "sent": 0, "rejected": 0}
    assert alive.waiting == 3
    alive.close()


def test_send_says_that_no_server_is_there(
    mltrace: Mltrace, make_spool: Callable[[int], Spool], home: Path
) -> None:
    make_spool(1).close()
    done = mltrace("spool", "send", **{ENDPOINT: "http://127.0.0.1:9"})
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"mltrace: Runs still wait in {home}/spool: http://127.0.0.1:9/v1/traces did not take them "
        "([Errno 111] Connection refused). Start the server with `mltrace up`, or say where it is "
        "with OTEL_EXPORTER_OTLP_ENDPOINT.\n"
    )


@pytest.mark.parametrize(
    ("name", "value"), [("MLTRACE_SPOOL_LIMIT", "much"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "pigeon")]
)
def test_settings_that_make_no_sense_are_a_matter_of_usage(
    mltrace: Mltrace, name: str, value: str
) -> None:
    done = mltrace("spool", "send", **{name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr


def test_send_that_waits_ends_when_a_server_has_come(
    mltrace: Mltrace, make_spool: Callable[[int], Spool]
) -> None:
    make_spool(5).close()
    (port,) = find_free_ports(1)
    shown: list[str] = []
    endpoint = {ENDPOINT: f"http://127.0.0.1:{port}"}
    waiting = Thread(
        target=lambda: shown.append(mltrace.show("spool", "send", "--wait", **endpoint))
    )
    waiting.start()
    waiting.join(2)
    assert waiting.is_alive()

    with receive_http(port):
        waiting.join(30)

    assert shown == [f"http://127.0.0.1:{port}/v1/traces took 5 records.\n"]


def test_refused_records_are_a_failure_of_their_own(
    mltrace: Mltrace, make_spool: Callable[[int], Spool], home: Path
) -> None:
    make_spool(2).close()

    # Not the receiver of this process, which may still have runs of another test to send.
    with receive_http() as receiver:
        receiver.refuses = lambda _: True
        done = mltrace("spool", "send", **{ENDPOINT: receiver.url, "COLUMNS": "200"})

    assert done.returncode == 1
    assert done.stdout == (
        f"{receiver.url}/v1/traces took 0 records.\n"
        f"! 2 records refused, kept in {home}/spool/rejected\n"
    )
