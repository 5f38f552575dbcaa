"""Calls the program `mltrace` as a process of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = Path(sys.executable).parent / "mltrace"
_KEPT = ("PATH", "HOME", "MLTRACE_HOME")


@dataclass(frozen=True)
class Mltrace:
    """The program, with the address of the server that it asks. Its screen has 80 columns."""

    address: str

    def __call__(
        self, *arguments: str, stdin: str = "", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; ``variables`` join its environment."""
        kept = {key: os.environ[key] for key in _KEPT if key in os.environ}
        return subprocess.run(  # noqa: S603 - our own program
            [_PROGRAM, *arguments],
            input=stdin,
            env={**kept, "MLTRACE_ADDRESS": self.address, "COLUMNS": "80", **variables},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def show(self, *arguments: str, **variables: str) -> str:
        """Return what a command prints, which must succeed."""
        done = self(*arguments, **variables)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout
