"""Promises of the source tree: imports point one way, and nothing names where it was written."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from services import REPOSITORY

# Folders of one machine, and addresses of package registries.
PLACES = re.compile(
    r"""(?<![\w.])/(?:root|work|home/\w+|Users/\w+)/[\w.]"""
    r"""|(?:index-url|extra-index-url|GOPROXY)\s*=\s*\S"""
    r"""|https?://[^\s"'<>)]*(?:artifactory|nexus|pypi|/simple\b)"""
)
REGISTRIES = ("PIP_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "GOPROXY", "NPM_CONFIG_REGISTRY")


def list_tracked() -> list[Path]:
    git = shutil.which("git")
    if not (git and (REPOSITORY / ".git").exists()):
        pytest.skip("this is no clone: what is tracked cannot be told")
    done = subprocess.run(  # noqa: S603 - git
        [git, "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return [REPOSITORY / name for name in done.stdout.split("\0") if name]


def read_texts() -> Iterator[tuple[str, str]]:
    """Return name and content of every tracked text, but for this one."""
    for path in list_tracked():
        if path == Path(__file__) or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield str(path.relative_to(REPOSITORY)), content.decode()


def find_registry_hosts() -> set[str]:
    """Return the hosts that this machine gets its packages from, as its environment says."""
    addresses = [part for name in REGISTRIES for part in os.environ.get(name, "").split(",")]
    hosts = {urlsplit(address).hostname for address in addresses}
    return {host for host in hosts if host}


def test_nothing_tracked_names_a_machine_or_a_registry() -> None:
    hosts = find_registry_hosts()
    found = [
        f"{name}: {line.strip()}"
        for name, text in read_texts()
        for line in text.splitlines()
        if PLACES.search(line) or any(host in line for host in hosts)
    ]

    assert found == []


def test_imports_follow_the_contracts() -> None:
    done = subprocess.run(  # noqa: S603 - import-linter
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "package", ["mltrace_otel", "exporter/mltrace_exporter", "dashboards/mltrace_dashboards"]
)
def test_every_module_has_its_place_in_the_contracts(package: str) -> None:
    """The contracts are exhaustive, so a new module without a place fails; so must an old place."""
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    [contract] = [each for each in contracts if each.get("containers") == [Path(package).name]]
    placed = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    modules = {
        path.stem
        for path in (REPOSITORY / package).iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem != "__init__"
    }

    assert contract["exhaustive"] is True
    assert placed == modules
