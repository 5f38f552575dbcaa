"""One PostgreSQL server as a child process: data directory in, SQLAlchemy URL out.

It listens on a Unix socket only, which only its own user (and root) can reach. It never outlives
us: `child` has the kernel end it when we die, however we die.
"""

import fcntl
import logging
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, NoReturn, Self

import psycopg2

from mltrace_exporter.embedded.programs import Programs, find_programs
from mltrace_exporter.errors import SettingsError, Unavailable

_LOCK_TIMEOUT_S = 5.0
_START_TIMEOUT_S = 120.0
_STOP_TIMEOUT_S = 30.0
_POLL_S = 0.02
_LOOK_EVERY_S = 1.0
_TRY_EVERY_S = 5.0
_SOCKET_PATH_LIMIT_BYTES = 107
_PORT = 5432
_SOCKET_NAME = f".s.PGSQL.{_PORT}.lock"
_OPTIONS = {
    # Statistics soon: without any, questions about the first thousands of runs take seconds.
    "autovacuum_naptime": "5s",
    "jit": "off",
    "listen_addresses": "",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
    "max_connections": "60",
    "max_wal_size": "2GB",
    "port": str(_PORT),
    "shared_buffers": "512MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "unix_socket_permissions": "0700",
    "work_mem": "16MB",
}

_log = logging.getLogger(__name__)


class EmbeddedPostgres:
    """Context manager: a PostgreSQL 18 of our own runs while it is entered.

    Enter it from a thread that lives as long as it is needed, normally the main one: the kernel
    ties the server's life to the thread that started it. The data survive from one use to the next,
    also when this process or the server was killed.
    """

    def __init__(self, data_dir: Path, *, options: Mapping[str, str] | None = None) -> None:
        """Take the directory for the data, made at first use, and server settings beside ours."""
        self._data_dir = data_dir.absolute()
        self._options = {**_OPTIONS, **(options or {})}
        self._cleanup = ExitStack()
        self._socket_dir = _find_socket_dir(self._data_dir)
        self._command: list[str] = []
        self._lock_number = -1
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The database's address for SQLAlchemy, also of a server that another program runs."""
        return f"postgresql+psycopg2://postgres@/postgres?host={self._socket_dir}&port={_PORT}"

    def __enter__(self) -> Self:
        """Start the server and return when it answers.

        Raises:
            SettingsError: the directory cannot be used, e.g. another server is using it.
            Unavailable: the server does not start; the message has the reason from its log.
        """
        with ExitStack() as cleanup:
            self._start(cleanup)
            self._cleanup = cleanup.pop_all()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop the server: its connections are cut, what was committed is on disk."""
        self._cleanup.close()

    def keep_running(self) -> NoReturn:
        """Start the server again whenever it ends, e.g. killed, or for want of room for its log.

        Call from the thread that entered. Only an exception from outside ends it.
        """
        while True:
            time.sleep(_LOOK_EVERY_S)
            try:
                self.restart_if_ended()
            except (Unavailable, OSError) as error:
                _log.error("%s", error)
                time.sleep(_TRY_EVERY_S)

    def restart_if_ended(self) -> bool:
        """Start the server again and return True if it has ended.

        Call from the thread that entered.

        Raises:
            Unavailable: it does not start; call again later.
        """
        if self._process is None or self._process.poll() is None:
            return False
        _log.error("PostgreSQL has ended with %d. Starting it again.", self._process.returncode)
        self._launch()
        return True

    def _start(self, cleanup: ExitStack) -> None:
        programs = find_programs(self._data_dir)
        lock = cleanup.enter_context(_lock(self._data_dir))
        if not (self._data_dir / "PG_VERSION").exists():
            _initialise(programs, self._data_dir, sync=self._options.get("fsync") != "off")
        programs.give(self._data_dir)
        self._socket_dir = _choose_socket_dir(programs, self._data_dir, cleanup)
        self._command = programs.command("postgres", self._arguments())
        self._lock_number = lock.fileno()
        cleanup.callback(self._stop)
        self._launch()

    def _launch(self) -> None:
        _forget_dead_server(self._data_dir)
        log_path = self._data_dir / "postgres.log"
        with log_path.open("ab") as log:
            log_start = log.tell()
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # The terminal's Ctrl-C must reach us only: we drain before the database goes.
                start_new_session=True,
                # The lock is held until the last process of the server has gone.
                pass_fds=[self._lock_number],
            )
        _await_answer(self._process, self._socket_dir, lambda: _read_log(log_path, log_start))

    def _stop(self) -> None:
        if self._process is not None:
            _stop(self._process)

    def _arguments(self) -> list[str]:
        options = {**self._options, "unix_socket_directories": str(self._socket_dir)}
        settings = [word for key, value in options.items() for word in ("-c", f"{key}={value}")]
        return ["-D", str(self._data_dir), *settings]


@contextmanager
def _lock(data_dir: Path) -> Iterator[IO[bytes]]:
    """Hold the data directory; a server that is just ending is waited for."""
    with _blame(data_dir):
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        lock = data_dir.with_name(f"{data_dir.name}.lock").open("ab")
    with lock:
        deadline = time.monotonic() + _LOCK_TIMEOUT_S
        while not _try_lock(lock):
            if time.monotonic() > deadline:
                raise SettingsError(
                    f"The data in {data_dir} are in use by another mltrace: "
                    "stop it, or choose another directory."
                )
            time.sleep(_POLL_S)
        yield lock


@contextmanager
def _blame(data_dir: Path) -> Iterator[None]:
    """Say of any failure of the file system that it is about the data directory."""
    try:
        yield
    except OSError as error:
        raise SettingsError(f"Cannot keep data in {data_dir}: {error.strerror}.") from None


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _initialise(programs: Programs, data_dir: Path, *, sync: bool) -> None:
    """Make the data directory beside its place and move it there, so that it is whole or absent."""
    fresh = data_dir.with_name(f"{data_dir.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with _blame(data_dir):
        fresh.mkdir(mode=0o700)
        programs.give(fresh)
    arguments = ["-D", str(fresh), "-U", "postgres", "--auth=trust", "--encoding=UTF8"]
    # PostgreSQL's own Unicode order: an operating system's may change and spoil indexes.
    arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    made = subprocess.run(  # noqa: S603 - our own command, no shell
        programs.command("initdb", arguments + ([] if sync else ["--no-sync"])),
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    if made.returncode != 0:
        reason = " ".join(made.stdout.decode(errors="replace").split())
        raise Unavailable(f"PostgreSQL could not make {data_dir}: {reason}")
    with _blame(data_dir):
        fresh.rename(data_dir)


def _forget_dead_server(data_dir: Path) -> None:
    """Remove the pid file of a killed server if its process id now belongs to somebody else.

    PostgreSQL itself does so only if no process of the same user has the id: not so after a restart
    of a container, where ids are small and the same.
    """
    pid_file = data_dir / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split(maxsplit=1)[0])
        is_server = Path(f"/proc/{pid}/cwd").samefile(data_dir)
    except (OSError, ValueError, IndexError):
        is_server = False
    if not is_server:
        pid_file.unlink(missing_ok=True)


def _find_socket_dir(data_dir: Path) -> Path:
    """Return where the server that runs on the data listens, if one does.

    Source: PostgreSQL, src/include/utils/pidfile.h, LOCK_FILE_LINE_SOCKET_DIR.
    """
    try:
        return Path((data_dir / "postmaster.pid").read_text().splitlines()[4])
    except (OSError, IndexError):
        return data_dir


def _choose_socket_dir(programs: Programs, data_dir: Path, cleanup: ExitStack) -> Path:
    """Return the data directory, or one with a short path if the socket's would be too long."""
    if len(os.fsencode(data_dir / _SOCKET_NAME)) <= _SOCKET_PATH_LIMIT_BYTES:
        return data_dir
    folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="mltrace-")))
    programs.give(folder)
    return folder


def _await_answer(
    process: subprocess.Popen[bytes], socket_dir: Path, read_log: Callable[[], str]
) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None:
        try:
            psycopg2.connect(
                host=str(socket_dir), port=_PORT, user="postgres", dbname="postgres"
            ).close()
        except psycopg2.OperationalError:
            if time.monotonic() > deadline:
                break
            time.sleep(_POLL_S)
        else:
            return
    raise Unavailable(f"PostgreSQL did not start: {read_log() or 'it says nothing'}")


def _read_log(path: Path, start: int) -> str:
    """Return the last complaints in the log, on one line."""
    with path.open("rb") as log:
        log.seek(start)
        lines = log.read().decode(errors="replace").splitlines()
    told = [line.partition("] ")[2] or line for line in lines]
    complaints = [line for line in told if line.startswith(("FATAL", "PANIC", "DETAIL", "HINT"))]
    return " ".join(" ".join(complaints or told).split())[-1000:]


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server: politely, then at once (it recovers at the next start), then by force."""
    for number, timeout_s in (
        (signal.SIGINT, _STOP_TIMEOUT_S),
        (signal.SIGQUIT, 5.0),
        (signal.SIGKILL, 5.0),
    ):
        process.send_signal(number)
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            continue
        return
