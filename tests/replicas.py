"""Makes streaming replicas of a private PostgreSQL."""

import subprocess
from pathlib import Path

from mltrace_exporter.embedded.programs import find_programs


def copy_server(primary: Path, data: Path) -> None:
    """Copy the data of a server that runs, so that a server on the copy is its replica."""
    programs = find_programs(data)
    data.mkdir(mode=0o700)
    programs.give(data)
    source = [f"--host={primary}", "--username=postgres", "--checkpoint=fast", "--no-sync"]
    command = programs.command(
        "pg_basebackup", [*source, f"--pgdata={data}", "--write-recovery-conf"]
    )
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
    # It lies among the data, and is not part of them.
    (data / ".s.PGSQL.5432.lock").unlink()
