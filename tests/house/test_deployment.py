"""Promises of what is deployed: versions are fixed, nothing has a password that others know."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from services import REPOSITORY, require

COMPOSE = REPOSITORY / "docker-compose.yaml"
VERSION = re.compile(r":v?\d+\.\d+(\.\d+)?(-[\w.]+)*$")
CONFIGURATIONS = [
    path for path in (REPOSITORY / "collector-config").glob("*.yaml") if path.name != "builder.yaml"
]


@pytest.fixture
def services() -> dict[str, Any]:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert isinstance(services, dict)
    return services


def read_dockerfile() -> str:
    return (REPOSITORY / "exporter" / "Dockerfile").read_text()


def test_images_have_versions(services: dict[str, Any]) -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$", read_dockerfile(), re.MULTILINE)
    images = [each["image"] for each in services.values()]
    images += re.findall(r"^FROM (\S+)", read_dockerfile(), re.MULTILINE)

    assert len(images) == len(services) + len(stages)
    assert [each for each in images if not VERSION.search(each) and each not in stages] == []


def test_every_service_is_guarded(services: dict[str, Any]) -> None:
    for name, each in services.items():
        assert each["read_only"], name
        assert each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        assert each["deploy"]["resources"]["limits"].keys() == {"cpus", "memory", "pids"}, name
        assert (each["user"] == "root") == (name == "volumes"), name


def test_images_that_can_say_how_they_are_do(services: dict[str, Any]) -> None:
    # Of the others, two end by themselves and two hold nothing that could ask.
    silent = {name for name, each in services.items() if "healthcheck" not in each}

    assert silent == {"volumes", "demo", "collector", "tempo"}


def test_the_collector_is_the_version_that_was_tried(services: dict[str, Any]) -> None:
    builder = yaml.safe_load((REPOSITORY / "collector-config" / "builder.yaml").read_text())

    assert services["collector"]["image"].endswith(f":{builder['dist']['version']}")


def test_no_password_stands_in_the_file(services: dict[str, Any]) -> None:
    passwords = {
        name: value
        for each in services.values()
        for name, value in each.get("environment", {}).items()
        if "PASSWORD" in name
    }
    secrets = yaml.safe_load(COMPOSE.read_text())["secrets"]

    assert passwords
    for name, value in passwords.items():
        assert name.endswith("_FILE")
        assert value.removeprefix("/run/secrets/") in secrets
    assert all(each.keys() == {"file"} for each in secrets.values())
    assert "/secrets/" in (REPOSITORY / ".gitignore").read_text().splitlines()


def test_ports_are_open_to_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for each in services.values() for port in each.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_the_image_runs_as_nobody_and_holds_what_the_wheel_is_made_of() -> None:
    last = read_dockerfile().rpartition("FROM ")[2]
    copied = re.findall(r"^COPY ([^-].*) \S+$", read_dockerfile(), re.MULTILINE)
    wheel = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    needed = [*wheel["targets"]["wheel"]["packages"], *wheel["targets"]["wheel"]["force-include"]]

    assert "USER 65534:65534" in last.splitlines()
    for path in needed:
        assert any(path == each or path.startswith(f"{each}/") for each in " ".join(copied).split())


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    kept = (REPOSITORY / ".dockerignore").read_text().splitlines()
    copied = [
        name
        for line in re.findall(r"^COPY ([^-].*)$", read_dockerfile(), re.MULTILINE)
        for name in line.split()[:-1]
    ]

    assert copied
    for name in copied:
        assert (REPOSITORY / name).exists()
        assert f"!{name.partition('/')[0]}" in kept


@pytest.mark.collector
@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.name)
def test_the_collector_takes_its_configuration(path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - the project's collector
        [require("collector"), "validate", f"--config={path}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
