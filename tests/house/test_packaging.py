"""Promises of the package: it builds, and the client alone needs nothing of the server."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from services import REPOSITORY

import mltrace_otel

IMPORT_ALL = """
import importlib, pkgutil, mltrace_otel
for module in pkgutil.walk_packages(mltrace_otel.__path__, "mltrace_otel."):
    if module.name != "mltrace_otel.stock":  # it needs its extra
        importlib.import_module(module.name)
for name in mltrace_otel.__all__:
    getattr(mltrace_otel, name)
"""


def run(*command: str | Path, directory: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - programs of the environment
        command, cwd=directory, capture_output=True, text=True, timeout=170, check=False
    )


def run_uv(*arguments: str | Path, directory: Path) -> None:
    done = run(Path(sys.executable).with_name("uv"), *arguments, directory=directory)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that would be published."""
    directory = tmp_path_factory.mktemp("wheel")
    run_uv("build", "--wheel", "--out-dir", directory, REPOSITORY, directory=directory)
    return next(directory.glob("*.whl"))


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs of a clean environment that has the wheel without extras."""
    home = tmp_path_factory.mktemp("bare")
    run_uv("venv", "--python", sys.executable, home / "venv", directory=home)
    binaries = home / "venv" / "bin"
    constraints = REPOSITORY / "constraints.txt"
    python = f"--python={binaries / 'python'}"
    run_uv("pip", "install", python, "--constraint", constraints, wheel, directory=home)
    return binaries


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    tops = {name.partition("/")[0] for name in names}
    assert {name for name in tops if not name.endswith(".dist-info")} == {
        "mltrace_dashboards",
        "mltrace_exporter",
        "mltrace_otel",
    }
    for kept in (
        "mltrace_otel/py.typed",
        "mltrace_exporter/panel/templates/base.html",
        "mltrace_dashboards/json/mltrace-overview.json",
        "mltrace_dashboards/provisioning/datasources/mltrace.yaml",
    ):
        assert kept in names
    assert any(name.startswith("mltrace_exporter/store/migrations/versions/") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_client_alone_imports_everything_of_its_own(bare: Path, tmp_path: Path) -> None:
    done = run(bare / "python", "-W", "error", "-c", IMPORT_ALL, directory=tmp_path)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_their_extra_stock_tests_say_what_to_install(bare: Path, tmp_path: Path) -> None:
    done = run(bare / "python", "-c", "import mltrace_otel.stock", directory=tmp_path)

    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: mltrace_otel.stock needs packages that are not installed (narwhals, "
        "numpy): pip install 'mltrace-otel[stock]'"
    )


@pytest.mark.parametrize("command", ["up", "serve", "demo"])
def test_without_the_server_its_commands_say_what_to_install(
    bare: Path, tmp_path: Path, command: str
) -> None:
    done = run(bare / "mltrace", command, directory=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install 'mltrace-otel[" in done.stderr
    assert done.stderr.count("\n") == 1


def test_without_the_server_questions_can_be_asked(bare: Path, tmp_path: Path) -> None:
    done = run(bare / "mltrace", "recent", "--address", "127.0.0.1:9", directory=tmp_path)

    assert done.returncode == 3
    assert done.stderr.startswith("mltrace: No mltrace server answers at http://127.0.0.1:9 ")


def test_without_any_extra_the_files_for_grafana_can_be_written(bare: Path, tmp_path: Path) -> None:
    done = run(bare / "mltrace", "grafana", "write", "files", directory=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    for name in ("json/mltrace-lineage.json", "provisioning/reader.sql"):
        written = (tmp_path / "files" / name).read_text()
        assert written == (REPOSITORY / "dashboards" / name).read_text()


def test_every_public_name_is_there_and_explained() -> None:
    assert sorted(mltrace_otel.__all__) == sorted(set(dir(mltrace_otel)))
    for name in mltrace_otel.__all__:
        assert getattr(mltrace_otel, name).__doc__, f"{name} has no docstring"


def test_what_is_not_public_is_said_not_to_be_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        getattr(mltrace_otel, "nothing")  # noqa: B009 - mypy knows that it is not there
