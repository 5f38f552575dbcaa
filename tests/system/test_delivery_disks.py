"""No finished run is lost when disks are full, cannot be written or change their mind."""

import os
from pathlib import Path

import pytest
from delivering import deliver_rest, names, run, send
from receiving import receive_http


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
