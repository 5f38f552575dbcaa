"""Runs the services of docker-compose.yaml as processes, confined as their containers would be.

In: the file, as the library of `docker compose` reads it. Out: running services, each with the
exact command, environment, user, files and volumes that the file gives it, in a network and a root
of its own: what its container would not have is not there, and the root is read-only. What stands
in for the images are this machine's programs, and for Docker the kernel's namespaces, which only
root may make. Limits of resources and restarts are not tried.
"""

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from services import REPOSITORY, Program, require

_COMPOSE = REPOSITORY / "docker-compose.yaml"
_SUBNET = "10.89.0"
_HOST = f"{_SUBNET}.1"
# Who the users of the images are, by name. Numbers need no entry.
_USERS = {"root": 0, "postgres": 999, "nobody": 65_534}
# Folders that the images have, and whose they are: a new volume there becomes theirs.
_FOLDERS = {"/var/lib/postgresql": 999, "/prometheus": 65_534, "/alertmanager": 65_534}
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/proc", "/dev")
_FILES = ("/etc/nsswitch.conf", "/etc/ld.so.cache", "/etc/ssl", "/etc/alternatives")
_PATH = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"


def read_compose(variables: Mapping[str, str], *profiles: str) -> dict[str, Any]:
    """Return the file as `docker compose` reads it with these variables; faults are raised."""
    done = subprocess.run(  # noqa: S603 - our own program
        [require("compose"), _COMPOSE, *profiles],
        env=dict(variables),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ValueError(done.stderr)
    project: dict[str, Any] = json.loads(done.stdout)
    return project


@dataclass(frozen=True)
class Mount:
    """What a container sees at a path: a file or folder of this machine, or an empty folder."""

    target: str
    source: Path | None = None
    writable: bool = False

    def script(self, root: str) -> Iterator[str]:
        """Return the commands that make it, below ``root``."""
        at = shlex.quote(f"{root}{self.target}")
        if self.source is None:
            yield f"mkdir -p {at} && mount -t tmpfs -o mode=1777 tmpfs {at}"
            return
        source = shlex.quote(str(self.source))
        if self.source.is_dir():
            yield f"mkdir -p {at}"
        else:
            yield f"mkdir -p $(dirname {at}) && touch {at}"
        yield f"mount --rbind {source} {at}"
        if not self.writable:
            yield f"mount -o remount,bind,ro {at}"


class Service(Program):
    """One service: `start` returns when its health check passes, or else when it runs."""

    def __init__(
        self, name: str, spec: Mapping[str, Any], mounts: list[Mount], net: str, log: Path
    ) -> None:
        self.name = name
        self.spec = spec
        self._mounts = mounts
        self._net = net
        super().__init__(self.confine(_find_command(spec)), log)

    def confine(self, command: list[str], user: str | None = None) -> list[str]:
        """Return a command that runs another one in the service's container."""
        root = "/mnt"
        uid, _, gid = (user or self.spec["user"]).partition(":")
        number = _USERS.get(uid) if uid in _USERS else int(uid)
        caps = "".join(f",+{cap.lower()}" for cap in self.spec.get("cap_add", ()))
        variables = {"PATH": _PATH, "HOME": "/", **self.spec.get("environment", {})}
        drop = ["setpriv", f"--reuid={number}", f"--regid={gid or number}", "--clear-groups"]
        drop += [f"--bounding-set=-all{caps}", "--inh-caps=-all", "--no-new-privs"]
        clean = ["env", "-i", *(f"{name}={value}" for name, value in variables.items())]
        script = [
            "set -eu",
            f"mount -t tmpfs -o mode=755 tmpfs {root}",
            *(line for mount in self._mounts for line in mount.script(root)),
            f"mount -o remount,ro {root}",
            f"exec chroot {root} {shlex.join([*drop, *clean, *command])}",
        ]
        inside = ["unshare", "--mount", "--propagation=private", "sh", "-c", "\n".join(script)]
        return ["ip", "netns", "exec", self._net, *inside]

    def run(self, *command: str, user: str | None = None) -> "subprocess.CompletedProcess[str]":
        """Run a command as `docker compose exec` does."""
        return subprocess.run(  # noqa: S603 - what a test asks for
            self.confine(list(command), user),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd="/",
        )

    def await_end(self) -> int:
        """Return the exit code of a service that ends by itself."""
        assert self._process
        return self._process.wait(30)

    def _answers(self, log: str) -> bool:
        del log
        kind, *command = self.spec.get("healthcheck", {}).get("test", ["NONE"])
        assert kind in {"NONE", "CMD"}
        return kind == "NONE" or self.run(*command).returncode == 0


@dataclass(frozen=True)
class Stack:
    """Services that run, by name, and the network of the machine that they would be on."""

    services: dict[str, Service]
    addresses: dict[str, str]
    net: str

    def ask(self, url: str) -> str:
        """Return what a URL answers, asked from the machine; the host is a service's name."""
        name, rest = re.fullmatch(r"http://([^:/]+)(.*)", url, re.DOTALL).groups()  # type: ignore[union-attr]
        url = f"http://{self.addresses[name]}{rest}"
        code = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1]).read().decode())"
        return self.run([sys.executable, "-c", code, url])

    def run(self, command: list[str], **variables: str) -> str:
        """Return what a program prints that runs on the machine."""
        done = subprocess.run(  # noqa: S603 - what a test asks for
            ["ip", "netns", "exec", self.net, *command],  # noqa: S607 - where the system has it
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def run_stack(project: Mapping[str, Any], folder: Path, names: tuple[str, ...]) -> Iterator[Stack]:
    """Run services in the order that the file asks for; ``folder`` keeps their volumes and logs."""
    if os.geteuid() != 0:
        pytest.skip("only root may confine processes as containers are")
    require("ip")
    hub = f"mltrace-{os.getpid()}"
    addresses = {name: f"{_SUBNET}.{2 + i}" for i, name in enumerate(project["services"])}
    with ExitStack() as cleanup:
        _make_net(hub, cleanup)
        _ip(hub, "link add br0 type bridge", "link set br0 up", f"addr add {_HOST}/24 dev br0")
        services: dict[str, Service] = {}
        for name in _sort(project["services"], names):
            spec = project["services"][name]
            if spec.get("network_mode") == "none":
                _make_net(f"{hub}-{name}", cleanup)
            else:
                _join(hub, name, addresses[name], cleanup)
            mounts = _list_mounts(project, spec, folder, addresses)
            log = folder / f"{name}.log"
            service = Service(name, spec, mounts, f"{hub}-{name}", log)
            cleanup.enter_context(service)
            if _is_one_shot(project, name):
                assert service.await_end() == 0, service.read_log_end()
            services[name] = service
        yield Stack(services, addresses, hub)


def _find_command(spec: Mapping[str, Any]) -> list[str]:
    """Return what the container would run; for its image's entry point, what stands in for it."""
    image = spec["image"].partition(":")[0]
    given = spec.get("command")
    if spec.get("entrypoint"):
        return [*spec["entrypoint"], *(given or [])]
    entry, default = _ENTRY_POINTS[image]()
    return [*entry, *(given or default)]


def _enter_postgres() -> tuple[list[str], list[str]]:
    return ["sh", "-eu", str(Path(__file__).with_name("postgres-image.sh"))], ["postgres"]


def _enter_exporter() -> tuple[list[str], list[str]]:
    dockerfile = (REPOSITORY / "exporter" / "Dockerfile").read_text()
    found = re.findall(r"^(?:ENTRYPOINT|CMD) (\[.*\])$", dockerfile, re.MULTILINE)
    entry, default = (json.loads(each) for each in found[-2:])
    return entry, default


def _enter(program: str) -> tuple[list[str], list[str]]:
    return [str(require(program))], []


_ENTRY_POINTS: dict[str, Callable[[], tuple[list[str], list[str]]]] = {
    "postgres": _enter_postgres,
    "mltrace-exporter": _enter_exporter,
    "otel/opentelemetry-collector-contrib": partial(_enter, "collector"),
    "prom/prometheus": partial(_enter, "prometheus"),
    "prom/alertmanager": partial(_enter, "prometheus-alertmanager"),
}


def _list_mounts(
    project: Mapping[str, Any],
    spec: Mapping[str, Any],
    folder: Path,
    addresses: Mapping[str, str],
) -> list[Mount]:
    assert spec["read_only"], "a root that can be written to is not tried here"
    (folder / "hosts").write_text(
        "127.0.0.1 localhost\n" + "".join(f"{to} {name}\n" for name, to in addresses.items())
    )
    (folder / "passwd").write_text(
        "".join(f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for name, uid in _USERS.items())
    )
    own = {sys.base_prefix, sys.prefix, str(REPOSITORY), str(require("collector"))}
    mounts = [Mount(path, Path(path)) for path in {*_SYSTEM, *_FILES, *own} if Path(path).exists()]
    mounts += [Mount("/etc/hosts", folder / "hosts"), Mount("/etc/passwd", folder / "passwd")]
    mounts += [Mount(path) for path in spec.get("tmpfs", ())]
    for secret in spec.get("secrets", ()):
        file = Path(project["secrets"][secret["source"]]["file"])
        mounts.append(Mount(f"/run/secrets/{secret['source']}", file))
    for volume in spec.get("volumes", ()):
        source, target = volume["source"], volume["target"]
        path = Path(source) if volume["type"] == "bind" else _make_volume(folder / source, target)
        mounts.append(Mount(target, path, writable=not volume.get("read_only")))
    # Outer folders first, so that they do not cover what is in them.
    return sorted(mounts, key=lambda mount: mount.target.count("/"))


def _make_volume(path: Path, target: str) -> Path:
    if not path.exists():
        path.mkdir()
        uid = _FOLDERS.get(target, 0)
        os.chown(path, uid, uid)
    return path


def _is_one_shot(project: Mapping[str, Any], name: str) -> bool:
    conditions = (each.get("depends_on", {}).get(name) for each in project["services"].values())
    return any(
        each and each["condition"] == "service_completed_successfully" for each in conditions
    )


def _sort(services: Mapping[str, Any], names: tuple[str, ...]) -> list[str]:
    """Return the names, each behind those that it depends on."""
    done: list[str] = []
    waiting = list(names)
    while waiting:
        ready = [name for name in waiting if set(services[name].get("depends_on", ())) <= set(done)]
        assert ready, f"{waiting} depend on each other, or on what does not run here"
        done += ready
        waiting = [name for name in waiting if name not in ready]
    return done


def _make_net(name: str, cleanup: ExitStack) -> None:
    _run("ip", "netns", "add", name)
    cleanup.callback(_run, "ip", "netns", "del", name)
    _ip(name, "link set lo up")


_numbers = itertools.count()


def _join(hub: str, name: str, address: str, cleanup: ExitStack) -> None:
    net, port = f"{hub}-{name}", f"port{next(_numbers)}"
    _make_net(net, cleanup)
    _ip(hub, f"link add {port} type veth peer name eth0 netns {net}")
    _ip(hub, f"link set {port} master br0 up")
    _ip(net, f"addr add {address}/24 dev eth0", "link set eth0 up")


def _ip(net: str, *commands: str) -> None:
    for command in commands:
        _run("ip", "-n", net, *command.split())


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the commands are above
