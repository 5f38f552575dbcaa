"""Promises of the documentation: what it shows exists, and what it says to run runs."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
import pytest
from generate import PAGES
from services import REPOSITORY, Exporter, await_value

from mltrace_otel.cli.main import mltrace

# Python that is shown runs, unless the page says that it is a fragment of a program.
EXAMPLE = re.compile(r"^(<!-- fragment -->\n)?```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
FENCE = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
COMMAND = re.compile(r"(?:^|[|&;$] ?)mltrace ([a-z]+)", re.MULTILINE)
VARIABLE = re.compile(r"\b(?:MLTRACE|OTEL)_[A-Z_]*[A-Z]\b|\bDB_SERVER\b")
METRIC = re.compile(r"\bmltrace_(?:component|exporter|output|test)s?_[a-z_]*[a-z]\b")
METRICS = REPOSITORY / "docs" / "reference" / "metrics.md"
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
TARGET = re.compile(r"\bmake ((?:[a-z]+ ?)+)")


def list_pages() -> list[Path]:
    """Everything that people read."""
    folders = [REPOSITORY / "docs", REPOSITORY / "examples"]
    return [*REPOSITORY.glob("*.md"), *(page for each in folders for page in each.rglob("*.md"))]


def read_programs(page: Path) -> list[str]:
    """Return the Python that a page shows, but for its fragments."""
    return [code for fragment, code in EXAMPLE.findall(page.read_text()) if not fragment]


PROGRAMS = {page: read_programs(page) for page in list_pages() if read_programs(page)}


def read_commands(page: Path) -> Iterator[str]:
    """Return what a page says to type: its shell blocks, and its code spans."""
    text = page.read_text()
    yield from FENCE.findall(text)
    yield from SPAN.findall(text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_generated_page_is_what_its_generator_writes(page: Path) -> None:
    assert page.read_text() == PAGES[page](), "run `make docs` and commit"


def test_every_command_is_documented() -> None:
    text = (REPOSITORY / "docs" / "reference" / "cli.md").read_text()
    commands = mltrace.list_commands(click.Context(mltrace))

    assert set(re.findall(r"^## mltrace (\S+)$", text, re.MULTILINE)) == set(commands)


def test_every_command_in_the_documentation_exists() -> None:
    commands = {*mltrace.list_commands(click.Context(mltrace))}
    named = {
        (page.name, name)
        for page in list_pages()
        for text in read_commands(page)
        for name in COMMAND.findall(text)
    }

    assert named
    assert [each for each in named if each[1] not in commands] == []


def test_every_metric_in_the_documentation_exists() -> None:
    known = set(re.findall(r"^### (\S+)$", METRICS.read_text(), re.MULTILINE))
    named = {
        (page.name, name)
        for page in list_pages()
        for name in METRIC.findall(page.read_text())
        if name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count") not in known
    }

    assert known
    assert named == set()


def test_every_make_target_in_the_documentation_exists() -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        (page.name, name)
        for page in list_pages()
        for text in read_commands(page)
        for words in TARGET.findall(text)
        for name in words.split()
    }

    assert named
    assert [each for each in named if each[1] not in targets] == []


def test_every_file_in_the_documentation_exists() -> None:
    roots = {path.name for path in REPOSITORY.iterdir()}
    named = {
        (page.name, span)
        for page in list_pages()
        for span in SPAN.findall(page.read_text())
        if re.fullmatch(r"\.?[\w-]+(/[\w.-]*)+", span) and span.partition("/")[0] in roots
    }

    assert named
    assert [each for each in named if not (REPOSITORY / each[1]).exists()] == []


def test_every_link_between_files_leads_to_one() -> None:
    named = {
        (page, target)
        for page in list_pages()
        for target in LINK.findall(page.read_text())
        if "://" not in target
    }

    assert named
    assert [each for each in named if not (each[0].parent / each[1]).exists()] == []


def test_every_variable_that_is_read_is_documented() -> None:
    documented = "".join(page.read_text() for page in list_pages())
    sources = [
        *(REPOSITORY / "mltrace_otel").rglob("*.py"),
        *(REPOSITORY / "exporter").rglob("*.py"),
        *(REPOSITORY / "collector-config").glob("*.yaml"),
        REPOSITORY / "docker-compose.yaml",
    ]
    read = {name for path in sources for name in VARIABLE.findall(path.read_text())}

    assert read
    assert {name for name in read if name not in documented} == {"MLTRACE_SET_ADDRESS"}


def test_the_readme_has_an_example() -> None:
    assert PROGRAMS[REPOSITORY / "README.md"]


def test_a_fragment_is_python() -> None:
    fragments = [
        code
        for page in list_pages()
        for fragment, code in EXAMPLE.findall(page.read_text())
        if fragment
    ]

    assert fragments
    for code in fragments:
        ast.parse(code)


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exporter]:
    with Exporter(tmp_path_factory.mktemp("server")) as exporter:
        yield exporter


@pytest.mark.parametrize("page", PROGRAMS, ids=lambda page: page.stem)
def test_the_programs_of_a_page_run_one_after_the_other_and_are_recorded(
    exporter: Exporter, page: Path, tmp_path: Path
) -> None:
    for program in PROGRAMS[page]:
        newest = find_newest(exporter)
        run_program(program, tmp_path, exporter)
        await_newer(exporter, newest, program)


def find_newest(exporter: Exporter) -> list[int]:
    page = httpx.get(f"{exporter.panel}/api/runs", params={"limit": 1}).json()
    return [run["id"] for run in page["items"]]


def await_newer(exporter: Exporter, newest: list[int], program: str) -> None:
    await_value(lambda: find_newest(exporter) != newest, f"the arrival of a run of {program}")


def run_program(program: str, directory: Path, exporter: Exporter) -> None:
    (directory / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "program.py"],
        cwd=directory,
        env={
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": exporter.otlp_http,
            "MLTRACE_ADDRESS": exporter.panel,
            "MLTRACE_HOME": str(directory / "home"),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
