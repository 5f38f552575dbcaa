"""Promises of the documentation: what it shows exists, and what it says to run runs."""

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import httpx
import pytest
from services import REPOSITORY, Exporter

from mltrace_otel.cli.main import mltrace

GENERATOR = runpy.run_path(str(REPOSITORY / "docs" / "generate.py"))
EXAMPLE = re.compile(r"<!-- example -->\n```python\n(.*?)```", re.DOTALL)
FENCE = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
COMMAND = re.compile(r"(?:^|[|&;$] ?)mltrace ([a-z]+)", re.MULTILINE)
VARIABLE = re.compile(r"\b(?:MLTRACE|OTEL)_[A-Z_]*[A-Z]\b|\bDB_SERVER\b")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
TARGET = re.compile(r"\bmake ((?:[a-z]+ ?)+)")


def list_pages() -> list[Path]:
    """Everything that people read."""
    return [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]


def read_commands(page: Path) -> Iterator[str]:
    """Return what a page says to type: its shell blocks, and its code spans."""
    text = page.read_text()
    yield from FENCE.findall(text)
    yield from SPAN.findall(text)


@pytest.mark.parametrize("page", GENERATOR["PAGES"], ids=lambda page: page.name)
def test_a_generated_page_is_what_its_generator_writes(page: Path) -> None:
    assert page.read_text() == GENERATOR["PAGES"][page](), "run `make docs` and commit"


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
    assert EXAMPLE.search((REPOSITORY / "README.md").read_text())


def test_examples_run_and_their_runs_are_recorded(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()

    with Exporter(tmp_path / "home") as exporter:
        for page in list_pages():
            for example in EXAMPLE.findall(page.read_text()):
                count = count_runs(exporter)
                run_example(example, tmp_path / "work", exporter)
                assert count_runs(exporter) > count, page


def count_runs(exporter: Exporter) -> int:
    return len(httpx.get(f"{exporter.panel}/api/runs", params={"limit": 1000}).json()["items"])


def run_example(example: str, directory: Path, exporter: Exporter) -> None:
    (directory / "example.py").write_text(example)
    done = subprocess.run(
        [sys.executable, "example.py"],
        cwd=directory,
        env={
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": exporter.otlp_http,
            "MLTRACE_ADDRESS": exporter.panel,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
