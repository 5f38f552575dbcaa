"""Takes the pictures of the documentation: the panel with the runs of a demo.

`make screenshots` runs it. In: Chromium, as the tests use it. Out: docs/images/*.png.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
MLTRACE = Path(sys.executable).with_name("mltrace")
_READY = re.compile(r"See runs come in: (\S+)")
WORST = "2013-08-21/DL843-JFK-1620"
_WIDTH = 1280
_TOLD = "The server runs until Ctrl-C."


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as it is shown.

    Attributes:
        name: of the file, without its ending.
        path: the page's address.
        height: in CSS pixels.
        prepare: what somebody does on the page before.
    """

    name: str
    path: str
    height: int = 860
    prepare: Callable[[Page], None] = lambda page: None  # noqa: ARG005 - nothing is done


def type_command(page: Page) -> None:
    """Begin to type a command, and go down to its first completion."""
    page.locator("#command").click()
    page.keyboard.type("history in", delay=20)
    page.get_by_role("option").nth(2).wait_for()
    page.keyboard.press("ArrowDown")


def point_at_training(page: Page) -> None:
    """Show what is known of the training that an output came from."""
    page.locator(".box[aria-label^=training]").hover()
    page.locator(".tip:visible").wait_for()


PICTURES = (
    Picture("home", "/", height=760),
    Picture("review", "/review"),
    Picture("component", "/component?name=ingest"),
    Picture("tests", "/tests", height=760),
    Picture("run", "/runs/285", height=600),
    Picture("lineage", f"/trace?output={WORST}", height=640, prepare=point_at_training),
    Picture("compare", "/compare?b=259", height=700),
    Picture("commands", "/component?name=training", height=520, prepare=type_command),
)


@contextmanager
def run_demo() -> Iterator[str]:
    """Run a demo; yield the panel's address when its story is told."""
    with TemporaryDirectory() as home:
        command = [str(MLTRACE), "demo", f"--home={home}/demo"]
        environment = {**os.environ, "MLTRACE_HOME": home, "PYTHONUNBUFFERED": "1"}
        demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603 - our own program
        try:
            yield _await_story(demo)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait()


def _await_story(demo: subprocess.Popen[str]) -> str:
    address = ""
    for line in demo.stdout or ():
        found = _READY.search(line)
        address = found[1] if found else address
        if _TOLD in line:
            return address
    raise SystemExit("The demo ended before its story was told.")


def take(browser: Browser, address: str, picture: Picture) -> None:
    """Take one picture."""
    context = browser.new_context(
        viewport={"width": _WIDTH, "height": picture.height},
        color_scheme="light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{address}{picture.path}", wait_until="networkidle")
    picture.prepare(page)
    page.screenshot(path=IMAGES / f"{picture.name}.png")
    context.close()


def main() -> None:
    """Take all pictures."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise SystemExit("Chromium is missing; `make services` gets it.")
    with run_demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for picture in PICTURES:
            take(browser, address, picture)
        browser.close()


if __name__ == "__main__":
    main()
