"""Runs PgBouncer before a private PostgreSQL."""

from dataclasses import replace
from pathlib import Path

import psycopg2
from services import Program, require

from mltrace_exporter.embedded.programs import find_programs

_PORT = 6432
_CONFIGURATION = """\
[databases]
* = host={postgres} port=5432
[pgbouncer]
listen_addr =
listen_port = {port}
unix_socket_dir = {folder}
auth_type = trust
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = {size}
server_login_retry = 0.5
query_wait_timeout = 2
logfile = {folder}/pgbouncer.log
pidfile = {folder}/pgbouncer.pid
"""


class Pooler(Program):
    """PgBouncer, which has so many connections to a PostgreSQL.

    Args:
        folder: for what it writes; made here.
        postgres: folder of the PostgreSQL's data and socket.
        mode: ``session`` or ``transaction``.
        size: how many connections.
    """

    def __init__(self, folder: Path, postgres: Path, mode: str, size: int) -> None:
        folder.mkdir()
        # It does not run as root either.
        programs = replace(find_programs(postgres), folder=require("pgbouncer").parent)
        programs.give(folder)
        (folder / "users").write_text('"postgres" ""\n')
        configuration = folder / "pgbouncer.ini"
        values = {"postgres": postgres, "folder": folder, "mode": mode, "size": size, "port": _PORT}
        configuration.write_text(_CONFIGURATION.format(**values))
        self.url = f"postgresql://postgres@/postgres?host={folder}&port={_PORT}"
        super().__init__(programs.command("pgbouncer", [str(configuration)]), folder / "output.log")

    def _answers(self, log: str) -> bool:
        del log
        try:
            psycopg2.connect(self.url).close()
        except psycopg2.OperationalError:
            return False
        return True
