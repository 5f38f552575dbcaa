"""Promises of what is deployed: versions are fixed, nothing has a password that others know."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from services import REPOSITORY, require

COMPOSE = REPOSITORY / "docker-compose.yaml"
VERSION = re.compile(r":\d+\.\d+(\.\d+)?(-[\w.]+)*$")
CONFIGURATIONS = [
    path for path in (REPOSITORY / "collector-config").glob("*.yaml") if path.name != "builder.yaml"
]


@pytest.fixture
def services() -> dict[str, Any]:
    services = yaml.safe_load(COMPOSE.read_text())["services"]
    assert isinstance(services, dict)
    return services


def test_images_have_versions(services: dict[str, Any]) -> None:
    dockerfile = (REPOSITORY / "exporter" / "Dockerfile").read_text()
    images = [each["image"] for each in services.values() if "image" in each]
    images += re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)

    assert len(images) == len(services)
    assert [image for image in images if not VERSION.search(image)] == []


def test_the_collector_is_the_version_that_was_tried(services: dict[str, Any]) -> None:
    builder = yaml.safe_load((REPOSITORY / "collector-config" / "builder.yaml").read_text())

    assert services["collector"]["image"].endswith(f":{builder['dist']['version']}")


def test_no_password_has_a_default(services: dict[str, Any]) -> None:
    passwords = [
        value
        for each in services.values()
        for name, value in each.get("environment", {}).items()
        if "PASSWORD" in name
    ]

    assert passwords
    assert all(re.fullmatch(r"\$\{\w+:\?.+\}", password) for password in passwords)


def test_ports_are_open_to_this_machine_only(services: dict[str, Any]) -> None:
    ports = [port for each in services.values() for port in each.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    dockerfile = (REPOSITORY / "exporter" / "Dockerfile").read_text()
    kept = (REPOSITORY / ".dockerignore").read_text().splitlines()
    copied = [
        name
        for line in re.findall(r"^COPY (.+)$", dockerfile, re.MULTILINE)
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
