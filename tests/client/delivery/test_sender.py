import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest
from receiving import Receiver, Reply, receive_http, run_program
from services import find_free_ports

from mltrace_exporter.model import Run
from mltrace_otel import ComponentRun, log_component_run
from mltrace_otel.delivery.memory import LIMIT_BYTES
from mltrace_otel.delivery.rejected import count_rejected
from mltrace_otel.delivery.sender import Sender

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
QUICK_RUNS = """
    import mltrace_otel

    @mltrace_otel.Component("quick").run(output_vars=["name"])
    def work(number):
        name = f"out-{number}"
        return name

    for number in range(%d):
        work(number)
"""


@pytest.fixture
def sender() -> Sender:
    """A sender of the test's own."""
    return Sender()


def encode(text: str) -> bytes:
    """Return a request that holds one span of this name, which has less than 100 letters."""
    name = text.encode()
    span = bytes([0x2A, len(name)]) + name
    scope = bytes([0x12, len(span)]) + span
    group = bytes([0x12, len(scope)]) + scope
    return bytes([0x0A, len(group)]) + group


def span_names(receiver: Receiver) -> list[str]:
    return [span.name for span in receiver.spans()]


def test_a_program_whose_server_is_absent_ends_soon_and_says_what_is_lost(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{find_free_ports(1)[0]}"

    ended = run_program(tmp_path, QUICK_RUNS % 20, **{ENDPOINT: url})

    assert ended.status == 0
    assert ended.stderr == (
        f"20 component run(s) wait in {tmp_path}/.mltrace/spool, because {url}/v1/traces did not "
        "take them: [Errno 111] Connection refused. The next program sends them, or "
        "`mltrace spool send`.\n"
    )
    assert ended.duration_s < 10  # Python and the SDK start for a while where others work too
    assert ended.stdout == ""


def test_a_program_whose_server_never_answers_ends_soon(tmp_path: Path) -> None:
    with receive_http(delay_s=30) as receiver:
        ended = run_program(tmp_path, QUICK_RUNS % 1, **{ENDPOINT: receiver.url})

    assert ended.status == 0
    assert ended.stderr.startswith("1 component run(s) wait in")
    assert "it has not answered yet" in ended.stderr
    assert ended.duration_s < 10


def test_a_slow_server_gets_everything_before_the_program_ends(tmp_path: Path) -> None:
    with receive_http(delay_s=0.2) as receiver:
        ended = run_program(tmp_path, QUICK_RUNS % 2000, **{ENDPOINT: receiver.url})
        outputs = [run.io[0].name for run in receiver.runs()]

    assert (ended.status, ended.stderr) == (0, "")
    assert outputs == [f"out-{number}" for number in range(2000)]


def test_a_raising_program_still_delivers(tmp_path: Path) -> None:
    with receive_http() as receiver:
        ended = run_program(
            tmp_path, QUICK_RUNS % 3 + "    raise SystemExit(7)", **{ENDPOINT: receiver.url}
        )
        assert len(receiver.runs()) == 3

    assert ended.status == 7


def test_children_of_multiprocessing_deliver_as_processes_of_their_own(tmp_path: Path) -> None:
    program = """
        import multiprocessing
        import os
        import sys

        import mltrace_otel

        @mltrace_otel.Component("work").run(input_vars=["name"])
        def work(name):
            return name

        def child(number):
            for each in range(5):
                work(f"child-{number}-{each}")
            sys.exit(0)

        def pooled(number):
            return work(f"pooled-{number}")

        if __name__ == "__main__":
            work("before")
            fork = multiprocessing.get_context("fork")
            children = [fork.Process(target=child, args=(n,)) for n in range(2)]
            for each in children:
                each.start()
            for each in children:
                each.join()
            with fork.Pool(2) as pool:
                pool.map(pooled, range(4))
                pool.close()
                pool.join()
            if os.fork() == 0:
                work("forked")
                sys.exit()
            os.wait()
            work("after")
    """
    with receive_http() as receiver:
        ended = run_program(tmp_path, program, **{ENDPOINT: receiver.url})
        runs = receiver.runs()

    assert (ended.status, ended.stderr) == (0, "")
    expected = ["after", "before", "forked"]
    expected += [f"child-{number}-{each}" for number in range(2) for each in range(5)]
    expected += [f"pooled-{number}" for number in range(4)]
    assert sorted(run.io[0].name for run in runs) == sorted(expected)
    assert len({run.id for run in runs}) == len(runs)
    pids = {run.io[0].name.rpartition("-")[0]: run.resource["process.pid"] for run in runs}
    assert len({pids["child-0"], pids["child-1"], pids[""]}) == 3


def test_a_server_that_comes_up_later_gets_everything(
    sender: Sender, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (port,) = find_free_ports(1)
    monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{port}")
    for number in range(5):
        sender.submit(encode(f"run-{number}"))
    assert not sender.flush(0.5)

    with receive_http(port) as receiver:
        assert sender.flush(20)
        assert span_names(receiver) == [f"run-{number}" for number in range(5)]

    assert caplog.records == []


def test_an_overloaded_server_is_asked_again_when_it_says(
    sender: Sender, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.replies = deque([Reply(503, headers=(("Retry-After", "1"),)), Reply(429)])
    started_s = time.monotonic()

    sender.submit(encode("run"))

    assert sender.flush(10)
    assert time.monotonic() - started_s > 1
    assert len(receiver.headers) == 3
    assert span_names(receiver) == ["run"]
    assert caplog.records == []


@pytest.mark.parametrize("asked", ["soon", "-5", "nan", "inf", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_server_that_asks_for_an_odd_delay_still_gets_the_run(
    sender: Sender, receiver: Receiver, asked: str
) -> None:
    receiver.replies = deque([Reply(503, headers=(("Retry-After", asked),))])

    sender.submit(encode("run"))

    assert sender.flush(10)
    assert span_names(receiver) == ["run"]


def test_a_refused_run_is_dropped_with_the_servers_words_and_costs_no_neighbour(
    sender: Sender, receiver: Receiver, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.refuses = lambda body: b"bad" in body
    receiver.replies = deque([Reply(503)])  # so that the others wait and go together
    good = [f"run-{number}" for number in range(200)]

    for name in (*good[:150], "bad", *good[150:]):
        sender.submit(encode(name))

    assert not sender.flush(20)  # one is lost
    assert sender.flush(0)
    assert span_names(receiver) == good
    (warning,) = caplog.records
    assert warning.levelno == logging.WARNING
    assert warning.getMessage() == (
        "1 component run(s) were not recorded: HTTP 400: this run is bad. "
        f"Kept aside: {home}/spool/rejected"
    )
    assert count_rejected(home / "spool" / "rejected") == {"HTTP 400: this run is bad": 1}
    assert len(receiver.headers) < 40, "the neighbours were sent again and again"


def test_a_warning_about_part_of_a_request_is_said(
    sender: Sender, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    partial = b"\x0a\x0a\x08\x02\x12\x06no tag"
    receiver.replies = deque([Reply(200, partial)])

    sender.submit(encode("run"))

    assert sender.flush(10)
    assert [record.getMessage() for record in caplog.records] == [
        "The server did not take every run: 2 refused: no tag"
    ]


def test_settings_that_make_no_sense_are_said_and_stop_nothing(
    sender: Sender,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "pigeon")
        sender.submit(encode("one"))
        assert not sender.flush(0.5)
    sender.submit(encode("two"))

    assert sender.flush(10)
    (warning,) = caplog.records
    assert "OTEL_EXPORTER_OTLP_PROTOCOL='pigeon'" in warning.getMessage()
    assert span_names(receiver) == ["one", "two"]


def test_where_no_file_can_be_runs_wait_in_memory_which_refuses_loudly_once_full(
    sender: Sender, home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (home / "spool").write_text("no folder")
    (port,) = find_free_ports(1)
    monkeypatch.setenv(ENDPOINT, f"http://127.0.0.1:{port}")
    record = encode("x") * 100_000
    fitting = LIMIT_BYTES // len(record)
    started_s = time.monotonic()

    for _ in range(fitting + 3):
        sender.submit(record)

    assert time.monotonic() - started_s < 2
    no_file, *losses = (each.getMessage() for each in caplog.records)
    assert no_file.startswith("Runs wait in memory only, because no file can hold them: ")
    assert losses == [
        f"{count} component run(s) were not recorded: more than 64 MiB of runs wait in memory."
        for count in (1, 2)
    ]
    with receive_http(port) as receiver:
        sender.flush(30)
        assert len(b"".join(receiver.accepted)) == fitting * len(record)


def test_grpc_delivers_retries_and_drops(
    sender: Sender,
    grpc_receiver: Receiver,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(ENDPOINT, grpc_receiver.url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=secret")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    grpc_receiver.refuses = lambda body: b"bad" in body
    grpc_receiver.replies = deque([Reply(grpc="UNAVAILABLE")])

    for name in ("one", "bad", "two"):
        sender.submit(encode(name))

    assert not sender.flush(20)
    assert span_names(grpc_receiver) == ["one", "two"]
    assert grpc_receiver.headers[0]["api-key"] == "secret"
    (warning,) = caplog.records
    assert warning.getMessage() == (
        "1 component run(s) were not recorded: INVALID_ARGUMENT: this run is bad. "
        f"Kept aside: {home}/spool/rejected"
    )


def test_http_carries_headers_and_is_packed_when_asked(
    sender: Sender, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "Api-Key=a%20secret")
    sender.submit(encode("plain"))
    assert sender.flush(10)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    sender.submit(encode("packed"))
    assert sender.flush(10)

    plain, packed = receiver.headers
    assert plain[":path"] == "/v1/traces"
    assert plain["content-type"] == "application/x-protobuf"
    assert plain["api-key"] == "a secret"
    assert "content-encoding" not in plain
    assert packed["content-encoding"] == "gzip"
    assert span_names(receiver) == ["plain", "packed"]


def test_a_run_built_by_hand_arrives(recorded: Callable[[], list[Run]]) -> None:
    run = ComponentRun("cleaning", notes="by hand")
    run.set_start_timestamp()
    run.add_input("raw.csv")
    run.add_outputs(["clean.csv", Path("report.json")])
    run.set_upstream(["ingest", "ingest"])
    run.set_end_timestamp()

    log_component_run(run, set_dependencies_from_inputs=False, staleness_threshold=5)

    (stored,) = recorded()
    assert (stored.component, stored.notes) == ("cleaning", "by hand")
    assert [(io.direction, io.name) for io in stored.io] == [
        ("input", "raw.csv"),
        ("output", "clean.csv"),
        ("output", "report.json"),
    ]
    assert (stored.upstream, stored.infers_dependencies) == (("ingest",), False)
    assert stored.staleness_threshold_s == 5
    assert run.start_timestamp is not None
    assert stored.started_at == run.start_timestamp
