"""Pages about a history of a million runs in a real Chromium: when it shows something, and all.

In: a folder for the history, made by `history` at its first use, and the number of runs. Out: one
JSON object a line for each page, in milliseconds since the click, as the browser tells: the first
byte, the last byte, the first contentful paint (p50 and p95) and the largest one (p50). Styles and
scripts are in the browser's cache, as on every visit but the first. The first line is an answer of
three bytes, which shows what the browser itself takes.

Run with `python benchmarks/paint.py [FOLDER] [--runs N] [--only WORD]` where nothing else runs.
"""

import argparse
import json
import random
import shutil
from pathlib import Path

from history import RUNS, choose_folder, open_history
from playwright.sync_api import Page, sync_playwright
from questions import Question, always, list_questions, run_server

COUNT = 20
WARM_UP = 3
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
    if (list.getEntriesByName('first-contentful-paint').length) done();
}).observe({type: 'paint', buffered: true}))"""
_TIMES = """() => new Promise(done => new PerformanceObserver(list => {
    const answer = performance.getEntriesByType('navigation')[0];
    const first = performance.getEntriesByName('first-contentful-paint')[0];
    const largest = list.getEntries().at(-1);
    done([answer.responseStart, answer.responseEnd, first.startTime, largest.startTime]);
}).observe({type: 'largest-contentful-paint', buffered: true}))"""


def main() -> None:
    """Open the pages and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", default="", help="pages whose names hold this")
    options = parser.parse_args()
    folder = options.folder or choose_folder(options.runs)
    with open_history(folder, options.runs) as (engine, landmarks), sync_playwright() as playwright:
        address = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=_FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        with run_server(address) as base:
            for question in [
                Question("page: nothing", always("/healthz")),
                *list_questions(landmarks),
            ]:
                kind, _, name = question.name.partition(": ")
                if kind == "page" and name != "completions" and options.only in name:
                    print(json.dumps({"page": name, **measure(page, base, question)}), flush=True)
        browser.close()


def measure(page: Page, base: str, question: Question) -> dict[str, int]:
    """Open pages of a kind, the first of which are not counted."""
    chance = random.Random(7)  # noqa: S311 - no secret
    times: list[list[float]] = []
    for _ in range(WARM_UP + COUNT):
        page.goto(base + question.make(chance))
        page.evaluate(_PAINTED)
        times.append(page.evaluate(_TIMES))
    first_byte, last_byte, first_paint, largest = (
        sorted(each) for each in zip(*times[WARM_UP:], strict=True)
    )
    middle = COUNT // 2
    return {
        "first_byte_ms": round(first_byte[middle]),
        "last_byte_ms": round(last_byte[middle]),
        "first_paint_ms": round(first_paint[middle]),
        "first_paint_p95_ms": round(first_paint[int(COUNT * 0.95)]),
        "largest_paint_ms": round(largest[middle]),
    }


if __name__ == "__main__":
    main()
