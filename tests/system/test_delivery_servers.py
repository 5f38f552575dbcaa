"""No finished run is lost when servers are away, slow, broken or refuse it, nor by settings."""

from pathlib import Path
from textwrap import dedent

import pytest
from delivering import NOBODY, WORK, deliver_rest, names, run, send
from receiving import Reply, receive_http, run_program


def test_a_server_that_comes_after_the_programs_life_gets_everything(home: Path) -> None:
    ended = run(home, "for number in range(200): work(f'run-{number}')")
    assert ended.status == 0
    assert ended.duration_s < 10
    assert f"200 component run(s) wait in {home}/spool" in ended.stderr

    refused = send(home, NOBODY)
    assert refused.returncode == 3
    assert f"Runs still wait in {home}/spool" in refused.stderr

    with receive_http() as receiver:
        assert deliver_rest(home, receiver) == names("run", 200)
        again = send(home, receiver.url)
    assert again.stdout == "No program that has ended left anything to send.\n"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503, headers=(("Retry-After", "60"),)),
        Reply(429),
        Reply(302, headers=(("Location", "/elsewhere"),)),
        Reply(401),
        Reply(404),
    ],
    ids=lambda reply: str(reply.status),
)
def test_a_server_that_does_not_take_runs_now_gets_them_later(home: Path, reply: Reply) -> None:
    with receive_http() as receiver:
        receiver.replies.extend([reply] * 1000)
        ended = run(home, "for number in range(20): work(f'run-{number}')", receiver.url)
        assert ended.status == 0
        assert ended.duration_s < 10
        assert f"HTTP {reply.status}" in ended.stderr
        assert receiver.accepted == []
        receiver.replies.clear()
        assert deliver_rest(home, receiver) == names("run", 20)


def test_what_a_server_refuses_is_kept_aside_and_the_others_arrive(home: Path) -> None:
    with receive_http() as receiver:
        receiver.refuses = lambda body: b"run-7" in body
        ended = run(home, "for number in range(20): work(f'run-{number}')", receiver.url)
        outputs = [run.io[0].name for run in receiver.runs()]

    assert sorted([*outputs, "run-7"]) == names("run", 20)
    assert ended.stderr == (
        "1 component run(s) were not recorded: HTTP 400: this run is bad. "
        f"Kept aside: {home}/spool/rejected\n"
    )
    (kept,) = (home / "spool" / "rejected").iterdir()
    assert "this run is bad" in kept.read_text()


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_server_that_hangs_keeps_no_program(home: Path, protocol: str) -> None:
    with receive_http(delay_s=60) as silent:
        ended = run(
            home,
            "work('run-0')",
            silent.url,
            OTEL_EXPORTER_OTLP_PROTOCOL=protocol,
        )
    assert ended.status == 0
    assert ended.duration_s < 10
    assert f"1 component run(s) wait in {home}/spool" in ended.stderr
    with receive_http() as receiver:
        assert deliver_rest(home, receiver) == ["run-0"]


def test_the_end_of_a_program_takes_two_seconds_at_most(home: Path) -> None:
    body = """
        import multiprocessing.util  # which calls it as well
        from mltrace_otel.delivery.sender import SENDER

        work("run-0")
        began_s = time.monotonic()
        SENDER.finish()
        SENDER.finish()
        print(time.monotonic() - began_s)
    """
    with receive_http(delay_s=60) as silent:
        assert 1.9 < float(run(home, body, silent.url).stdout) < 2.5
    assert float(run(home, body, NOBODY).stdout) < 1.9, "nobody waits for a server that is away"


def test_a_server_that_closes_connections_gets_everything_in_the_end(home: Path) -> None:
    with receive_http() as receiver:
        receiver.hang_ups = 3
        ended = run(home, "work('run-0'); print(mltrace_otel.flush(20))", receiver.url)
        assert ended.stdout == "True\n"
        assert deliver_rest(home, receiver) == ["run-0"]


def test_ten_thousand_quick_runs_reach_a_slow_server(home: Path) -> None:
    with receive_http(delay_s=0.2) as receiver:
        ended = run(home, "for number in range(10_000): work(f'run-{number}')", receiver.url)
        assert (ended.status, ended.stderr) == (0, "")
        outputs = [run.io[0].name for run in receiver.runs()]
    assert sorted(outputs) == names("run", 10_000)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "pigeon"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere:x"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nowhere/ca.pem"),
        ("MLTRACE_SPOOL_LIMIT", "much"),
        ("MLTRACE_SPOOL_SYNC", "perhaps"),
    ],
)
def test_settings_without_sense_are_said_and_change_no_result(
    home: Path, name: str, value: str
) -> None:
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://127.0.0.1:9", name: value}
    ended = run_program(
        home,
        dedent(WORK) + "print(work('run-0'))\n",
        MLTRACE_HOME=str(home),
        **variables,
    )

    assert (ended.status, ended.stdout) == (0, "run-0\n")
    assert value in ended.stderr
    with receive_http() as receiver:
        assert deliver_rest(home, receiver) == ["run-0"]
