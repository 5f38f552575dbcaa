"""Gets the programs that tests use beside Python packages, and says what it could not get and why.

In: this machine. Out: Debian packages (as root), and in the user's cache the project's collector
and the programs of `tests/programs` (with Go), the schemas of the Prometheus Operator (with Go),
Grafana's types (with npm) and its Python client (which must not lie in the environment: it replaces
urllib3); one line for each that is still missing. Tests skip what is missing; in CI they fail.
"""

import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path

_BUILDER_CONFIG = Path(__file__).parent.parent / "collector-config" / "builder.yaml"
_OWN_PROGRAMS = Path(__file__).parent / "programs"
_CONSTRAINTS = Path(__file__).parent.parent / "constraints.txt"
SCHEMAS = sorted((Path(__file__).parent / "grafana_schema").iterdir())
"""For each version of Grafana that dashboards are checked against, what npm installs of it."""

_OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
_DEBIAN_PACKAGES = {
    "node": "nodejs",
    "npm": "npm",
    "chromium": "chromium",
    "ip": "iproute2",
    "wget": "wget",
    "promtool": "prometheus",
    "prometheus": "prometheus",
    "amtool": "prometheus-alertmanager",
    "prometheus-alertmanager": "prometheus-alertmanager",
    "postgres": "postgresql",
    "pgbouncer": "pgbouncer",
}
_SYSTEM_PATH = os.environ.get("PATH", "") + ":/usr/local/go/bin:/usr/sbin"
_TIMEOUT_S = 900


class CannotGet(Exception):  # noqa: N818 - named for what happened
    """A program could not be had; the message says why."""


def find_program(name: str) -> Path | None:
    """Return where a program of a package above, or one of ours, or go is; None if nowhere."""
    if name == "collector":
        return _collector_path() if _collector_path().exists() else None
    if (_OWN_PROGRAMS / name).is_dir():
        path = _own_programs_path() / name
        return path if path.exists() else None
    if name == "postgres":
        return max(Path("/usr/lib/postgresql").glob("*/bin/postgres"), default=None)
    found = shutil.which(name, path=_SYSTEM_PATH)
    return Path(found) if found else None


def find_grafana_client() -> Path | None:
    """Return the folder to put on Python's path for grafana-client; None if it is not there."""
    return _grafana_client_path() if _grafana_client_path().exists() else None


def find_operator_schemas() -> Path | None:
    """Return the folder of what the Prometheus Operator takes; None if it is not there."""
    return _operator_path() if _operator_path().exists() else None


def find_schema(source: Path) -> Path | None:
    """Return the modules that npm installed for one of `SCHEMAS`; None if they are not there."""
    modules = _schema_path(source) / "node_modules"
    return modules if modules.exists() else None


def main() -> None:
    """Get what is missing, packages and what Go builds side by side."""
    with ThreadPoolExecutor() as pool:
        packages = pool.submit(_install_packages)
        jobs = [packages, pool.submit(_build_collector), pool.submit(_build_own_programs)]
        jobs += [pool.submit(_install_grafana_client), pool.submit(_get_operator_schemas)]
        jobs += [pool.submit(_install_schema, source, packages) for source in SCHEMAS]
    for job in jobs:
        problem = job.exception()
        if isinstance(problem, CannotGet):
            _say(f"missing: {problem}")
        elif problem:
            raise problem


def _install_packages() -> None:
    missing = [name for name in _DEBIAN_PACKAGES if not find_program(name)]
    packages = sorted({_DEBIAN_PACKAGES[name] for name in missing})
    if not missing:
        return
    apt_get = shutil.which("apt-get")
    if not apt_get:
        raise CannotGet(f"{', '.join(missing)}: install them; there is no apt-get here to do it.")
    if os.geteuid() != 0:
        raise CannotGet(f"{', '.join(missing)}: run `sudo apt-get install {' '.join(packages)}`.")
    _say(f"installing {' '.join(packages)} ...")
    quietly = [apt_get, "-qq", "-o", "DPkg::Lock::Timeout=120"]
    what = ", ".join(missing)
    _run([*quietly, "update"], what)
    _run([*quietly, "install", "--yes", "--no-install-recommends", *packages], what)


def _build_collector() -> None:
    target = _collector_path()
    if target.exists():
        return
    go = find_program("go")
    if not go:
        raise CannotGet("the collector: it is built with Go, and there is no `go` here.")
    version = re.search(r"^ *version: (\S+)", _BUILDER_CONFIG.read_text(), re.MULTILINE)
    assert version, f"{_BUILDER_CONFIG} names no version"
    _say("building the collector, which takes minutes the first time ...")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as directory:
        builder = f"go.opentelemetry.io/collector/cmd/builder@v{version[1]}"
        _run([str(go), "install", builder], "the collector", directory)
        _run(["./builder", f"--config={_BUILDER_CONFIG}"], "the collector", directory)
        (Path(directory) / "build" / "otelcol-mltrace").rename(target)


def _build_own_programs() -> None:
    target = _own_programs_path()
    if target.exists():
        return
    go = find_program("go")
    what = ", ".join(path.name for path in _OWN_PROGRAMS.iterdir() if path.is_dir())
    if not go:
        raise CannotGet(f"{what}: they are built with Go, and there is no `go` here.")
    with _make_folder(target) as folder:
        _run([str(go), "build", f"-C={_OWN_PROGRAMS}", f"-o={folder}", "./..."], what)


def _install_grafana_client() -> None:
    target = _grafana_client_path()
    if target.exists():
        return
    _say("installing Grafana's Python client beside the environment ...")
    uv = Path(sys.executable).with_name("uv")
    with _make_folder(target) as folder:
        options = [f"--python={sys.executable}", f"--constraint={_CONSTRAINTS}"]
        install = [str(uv), "pip", "install", "--quiet", *options, f"--target={folder}"]
        _run([*install, "grafana-client"], "Grafana's Python client")


def _install_schema(source: Path, packages: "Future[None]") -> None:
    target = _schema_path(source)
    if target.exists():
        return
    wait([packages])  # npm may be one of them
    npm = find_program("npm")
    if not npm:
        raise CannotGet("Grafana's types: they are installed with npm, and there is no `npm` here.")
    _say(f"installing the types of Grafana {source.name} ...")
    with _make_folder(target) as folder:
        for file in source.iterdir():
            shutil.copy(file, folder)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        _run([str(npm), "ci", *options], "Grafana's types", str(folder))


@contextmanager
def _make_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which is put in its place when that is done."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as parent:
        folder = Path(parent) / "folder"
        folder.mkdir()
        yield folder
        with suppress(FileExistsError, OSError):  # another one was quicker
            folder.rename(target)


def _get_operator_schemas() -> None:
    target = _operator_path()
    if target.exists():
        return
    go = find_program("go")
    what = "the schemas of the Prometheus Operator"
    if not go:
        raise CannotGet(f"{what}: they are had with Go, and there is no `go` here.")
    with _make_folder(target) as folder:
        got = json.loads(_run([str(go), "mod", "download", "-json", _OPERATOR], what, str(folder)))
        source = Path(got["Dir"]) / "example" / "prometheus-operator-crd"
        for file in source.glob("*.yaml"):
            shutil.copy(file, folder)


def _run(command: list[str], what: str, directory: str | None = None) -> str:
    """Run a command to its end and return what it printed."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "PATH": _SYSTEM_PATH}
    try:
        finished = subprocess.run(  # noqa: S603 - the commands are the ones above
            command,
            check=False,
            cwd=directory,
            env=environment | ({"GOBIN": directory} if directory else {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotGet(f"{what}: `{shlex.join(command)}` took over {_TIMEOUT_S} s.") from error
    if finished.returncode:
        tail = "\n".join(finished.stdout.splitlines()[-5:])
        raise CannotGet(f"{what}: `{shlex.join(command)}` failed:\n{tail}")
    return finished.stdout


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is a program


def _collector_path() -> Path:
    return _cache("otelcol", _BUILDER_CONFIG)


def _own_programs_path() -> Path:
    return _cache("programs", *sorted(_OWN_PROGRAMS.rglob("*.*")))


def _operator_path() -> Path:
    return _cache("").with_name(_OPERATOR.rpartition("/")[2])


def _grafana_client_path() -> Path:
    return _cache("grafana-client", _CONSTRAINTS)


def _schema_path(source: Path) -> Path:
    return _cache(f"grafana-{source.name}", source / "package-lock.json")


def _cache(name: str, *sources: Path) -> Path:
    """Return where something is kept that is made from these files."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]
    return cache / "mltrace-otel" / f"{name}-{digest}"


if __name__ == "__main__":
    main()
