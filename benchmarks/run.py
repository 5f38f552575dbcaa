"""Runs every benchmark of this folder, one after the other, and prints their figures as tables.

In: names of benchmarks, all if none is given. Out: a table for each; with ``--json`` the lines that
the benchmarks print, one JSON object each, with the benchmark's name.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

_FOLDER = Path(__file__).parent


def main() -> None:
    """Run and print."""
    known = sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != Path(__file__).stem)
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", metavar="name", help=f"one of: {', '.join(known)}")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in known]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are: {', '.join(known)}")
    for name in options.names or known:
        figures = measure(name)
        if options.json:
            sys.stdout.writelines(f"{json.dumps({'benchmark': name} | each)}\n" for each in figures)
        else:
            show(name, figures)


def measure(name: str) -> list[dict[str, object]]:
    """Return what one benchmark found."""
    command = [sys.executable, str(_FOLDER / f"{name}.py")]
    finished = subprocess.run(  # noqa: S603 - a file of this folder
        command, check=False, stdout=subprocess.PIPE, text=True
    )
    if finished.returncode:
        sys.exit(f"benchmarks/{name}.py failed with status {finished.returncode}; see above.")
    return [json.loads(line) for line in finished.stdout.splitlines()]


def show(name: str, figures: list[dict[str, object]]) -> None:
    """Print figures as a table; a figure that a line lacks is left empty."""
    table = Table(title=name, title_justify="left")
    columns = dict.fromkeys(column for line in figures for column in line)
    for column in columns:
        table.add_column(column)
    for line in figures:
        table.add_row(*(str(line.get(column, "")) for column in columns))
    Console().print(table)


if __name__ == "__main__":
    main()
