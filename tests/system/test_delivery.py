"""No finished run is lost, whatever happens to programs, servers and disks.

Real programs run against real receivers; where the end of the way matters, against `mltrace up`.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
import pytest
from receiving import Ended, Receiver, Reply, receive_http, run_program
from services import Exporter, await_value

MLTRACE = Path(sys.executable).with_name("mltrace")
NOBODY = "http://127.0.0.1:9"

WORK = """
    import os, signal, sys, time
    import mltrace_otel

    @mltrace_otel.Component("work").run(output_vars=["name"])
    def work(name):
        return name

"""


def run(home: Path, body: str, endpoint: str = NOBODY, **variables: str) -> Ended:
    """Run a program that can `work`, in a home of its own."""
    return run_program(
        home if home.is_dir() else home.parent,
        dedent(WORK) + dedent(body),
        MLTRACE_HOME=str(home),
        OTEL_EXPORTER_OTLP_ENDPOINT=endpoint,
        **variables,
    )


def send(home: Path, endpoint: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `mltrace spool send`."""
    return subprocess.run(  # noqa: S603 - our own program
        [MLTRACE, "spool", "send", *options],
        env={
            **os.environ,
            "MLTRACE_HOME": str(home),
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "COLUMNS": "200",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def deliver_rest(home: Path, receiver: Receiver) -> list[str]:
    """Send what is left and return the names of all outputs that the receiver has, sorted."""
    done = send(home, receiver.url)
    assert done.returncode == 0, done.stderr
    return sorted(run.io[0].name for run in receiver.runs())


def names(prefix: str, count: int) -> list[str]:
    return sorted(f"{prefix}-{number}" for number in range(count))


def read_api(exporter: Exporter, path: str) -> Any:  # the API's JSON
    return httpx.get(f"{exporter.panel}/api/{path}").raise_for_status().json()


# Programs that die


def test_a_program_killed_right_after_its_last_run_loses_none(home: Path) -> None:
    with receive_http() as receiver:
        killed = run(
            home,
            """
            for number in range(1000):
                work(f"run-{number}")
            os.kill(os.getpid(), signal.SIGKILL)
            """,
            receiver.url,
        )
        assert killed.status == -signal.SIGKILL
        # The next program has its own to do and delivers what the dead one left.
        run(home, "work('next'); time.sleep(1)", receiver.url)

        outputs = sorted(run.io[0].name for run in receiver.runs())
    assert sorted(set(outputs)) == sorted(["next", *names("run", 1000)])


@pytest.mark.parametrize(
    "end",
    ["os._exit(3)", "raise SystemExit(3)", "1 / 0", "os.kill(os.getpid(), signal.SIGTERM)"],
)
def test_however_a_program_ends_its_runs_are_on_disk(home: Path, end: str) -> None:
    run(home, f"for number in range(20): work(f'run-{{number}}')\n{end}")

    with receive_http() as receiver:
        assert deliver_rest(home, receiver) == names("run", 20)


def test_children_of_any_kind_lose_none(home: Path) -> None:
    body = """
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        def child(name):
            work(name)

        def main():
            work("parent-0")
            for number in range(3):
                if os.fork() == 0:
                    work(f"forked-{number}")
                    os._exit(0)
            for method in ("fork", "spawn", "forkserver"):
                context = multiprocessing.get_context(method)
                process = context.Process(target=child, args=(f"{method}-0",))
                process.start()
                process.join()
                with context.Pool(2) as pool:
                    pool.map(child, [f"{method}-pool-{number}" for number in range(10)])
                with ProcessPoolExecutor(2, context) as executor:
                    list(executor.map(child, [f"{method}-exec-{number}" for number in range(10)]))
            for _ in range(3):
                os.wait()
            work("parent-1")

        if __name__ == "__main__":
            main()
    """
    expected = [*names("parent", 2), *names("forked", 3)]
    for method in ("fork", "spawn", "forkserver"):
        expected += [*names(method, 1), *names(f"{method}-pool", 10), *names(f"{method}-exec", 10)]
    with receive_http() as receiver:
        ended = run(home, body, receiver.url)
        assert (ended.status, ended.stderr) == (0, "")
        deliver_rest(home, receiver)
        # A pool kills its workers, maybe between a delivery and its note: then it comes twice.
        outputs = {run.id: run.io[0].name for run in receiver.runs()}
        processes = {run.resource["process.pid"] for run in receiver.runs()}

    assert sorted(outputs.values()) == sorted(expected)
    assert len(processes) >= 1 + 3 + 3


def test_two_programs_share_a_home_and_send_each_its_own(home: Path) -> None:
    body = """
        for number in range(2000):
            work(f"{sys.argv[1]}-{number}")
        print(mltrace_otel.flush())
    """
    program = home / "program.py"
    program.write_text(dedent(WORK) + dedent(body))
    with receive_http() as receiver:
        programs = [
            subprocess.Popen(  # noqa: S603 - a program that this test wrote
                [sys.executable, program, name],
                env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url},
                stdout=subprocess.PIPE,
                text=True,
            )
            for name in ("a", "b")
        ]
        assert [program.communicate(timeout=60)[0] for program in programs] == ["True\n"] * 2
        outputs = [run.io[0].name for run in receiver.runs()]

    assert sorted(outputs) == sorted([*names("a", 2000), *names("b", 2000)])
    assert [path for path in (home / "spool").iterdir() if path.suffix == ".runs"] == []


def test_a_run_that_is_killed_is_seen_running_and_then_aborted(home: Path) -> None:
    body = """
        @mltrace_otel.Component("train", owner="ada", tags=["nightly"]).run(input_vars=["data"])
        def train(data):
            time.sleep(60)

        work("before")
        train("raw.csv")
    """
    program = home / "program.py"
    program.write_text(dedent(WORK) + dedent(body))
    with Exporter(home) as exporter:
        process = subprocess.Popen(  # noqa: S603 - a program that this test wrote
            [sys.executable, program],
            env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": exporter.otlp_http},
        )
        try:
            running = await_value(
                lambda: read_api(exporter, "runs?component=train")["items"], "the start marker", 30
            )
        finally:
            process.kill()
            process.wait()
        assert [run["execution"] for run in running] == ["running"]
        assert running[0]["inputs"] == ["raw.csv"]

        aborted = await_value(
            lambda: [
                run
                for run in read_api(exporter, "runs?component=train")["items"]
                if run["execution"] == "aborted"
            ],
            "the server's own look at what dead programs left",
            40,
        )
        assert [run["id"] for run in aborted] == [running[0]["id"]]
        assert aborted[0]["duration_s"] >= 2


def test_up_records_what_programs_left_before_it(home: Path) -> None:
    run(home, "for number in range(20): work(f'run-{number}')")
    with Exporter(home) as exporter:
        items = await_value(
            lambda: httpx.get(f"{exporter.panel}/api/runs?limit=100").json()["items"],
            "the delivery of what was left",
        )
        assert sorted(item["outputs"][0] for item in items) == names("run", 20)


# Servers that are away, or worse


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
        from mltrace_otel.sender import SENDER

        work("run-0")
        began_s = time.monotonic()
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


# Disks that fail


def test_a_full_disk_costs_nothing_as_long_as_the_server_is_there(home: Path) -> None:
    """No file of the program may grow beyond some kilobytes, as if the disk were full."""
    body = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        for number in range(500):
            work(f"run-{number}")
    """
    with receive_http() as receiver:
        ended = run(home, body, receiver.url)
        outputs = sorted({run.io[0].name for run in receiver.runs()})

    assert ended.status == 0
    assert outputs == names("run", 500)
    (warning,) = ended.stderr.splitlines()
    assert warning.startswith("Runs wait in memory only, because no file can hold them: ")


def test_what_a_full_disk_holds_is_whole(home: Path) -> None:
    body = """
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
        for number in range(500):
            work(f"run-{number}")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    run(home, body)
    (file,) = (home / "spool").iterdir()
    assert 15_000 < file.stat().st_size <= 20_000
    with receive_http() as receiver:
        outputs = deliver_rest(home, receiver)
    assert set(outputs) == set(names("run", len(outputs)))


def test_a_home_that_cannot_be_written_costs_one_warning(home: Path) -> None:
    (home / "file").write_text("no folder")
    with receive_http() as receiver:
        ended = run(home / "file", "print(work('run-0'), work('run-1'))", receiver.url)
        assert sorted(run.io[0].name for run in receiver.runs()) == names("run", 2)

    assert (ended.status, ended.stdout) == (0, "run-0 run-1\n")
    (warning,) = ended.stderr.splitlines()
    assert "Runs wait in memory only" in warning


def test_damage_in_the_middle_of_a_file_costs_one_run(home: Path) -> None:
    run(home, "for number in range(50): work(f'run-{number}')")
    (file,) = (home / "spool").glob("*.runs")
    file.write_bytes(file.read_bytes().replace(b"run-25", b"run-??"))

    with receive_http() as receiver:
        done = send(home, receiver.url)
        outputs = sorted(run.io[0].name for run in receiver.runs())

    assert done.returncode == 1
    assert f"! 1 record refused, kept in {home}/spool/rejected" in done.stdout
    assert outputs == sorted({*names("run", 50)} - {"run-25"})


@pytest.mark.parametrize("garbage", [b"", b"x", b"mltrace\x01", os.urandom(5000), bytes(5000)])
def test_files_that_are_garbage_stop_nothing(home: Path, garbage: bytes) -> None:
    (home / "spool").mkdir()
    for suffix in ("runs", "kept"):
        (home / "spool" / f"0000-0-1.{suffix}").write_bytes(garbage)
    with receive_http() as receiver:
        ended = run(home, "work('run-0'); time.sleep(0.5)", receiver.url)
        assert deliver_rest(home, receiver) == ["run-0"]
    assert ended.status == 0


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


def test_a_full_spool_refuses_loudly_and_keeps_what_it_has(home: Path) -> None:
    ended = run(
        home,
        "for number in range(1000): work(f'run-{number}')",
        MLTRACE_SPOOL_LIMIT="100 kB",
    )
    assert ended.status == 0
    assert "is full: MLTRACE_SPOOL_LIMIT allows" in ended.stderr
    with receive_http() as receiver:
        outputs = deliver_rest(home, receiver)
    assert sorted(outputs) == names("run", len(outputs))
    assert len(outputs) > 50
