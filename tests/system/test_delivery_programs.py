"""No finished run is lost when programs are killed, fork, or share a home."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import httpx
import pytest
from delivering import WORK, deliver_rest, names, run
from receiving import receive_http
from services import Exporter, await_value


def list_runs(exporter: Exporter, component: str, execution: str) -> list[dict[str, Any]]:
    """Return the runs of a component in this state, as the API has them."""
    answer = httpx.get(f"{exporter.panel}/api/runs", params={"component": component})
    items = answer.json()["items"] if answer.is_success else []  # a component that nobody knows
    return [item for item in items if item["execution"] == execution]


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
                lambda: list_runs(exporter, "train", "running"), "the start marker"
            )
        finally:
            process.kill()
            process.wait()
        assert running[0]["inputs"] == ["raw.csv"]

        aborted = await_value(
            lambda: list_runs(exporter, "train", "aborted"),
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
