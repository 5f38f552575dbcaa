"""Become a PostgreSQL program that dies with the process that started it.

Run as a script, with the parent's process id, a user id and group id (-1: stay who we are) and the
command. Popen's ``preexec_fn`` could do the same, but not safely where threads run.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent_pid: int, uid: int, gid: int, command: list[str]) -> None:
    """Drop root, ask for SIGINT (a fast and clean shutdown) at the parent's death, run the command.

    The order matters: the kernel forgets the signal asked for when the user changes. A parent that
    died before it was asked for is noticed by its process id.
    """
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGINT) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:
        sys.exit("the process that asked for PostgreSQL has ended")
    os.execv(command[0], command)  # noqa: S606 - a list that the parent built, no shell


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
