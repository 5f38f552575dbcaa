"""Opens pages in a real Chromium, and complains where they do."""

from pathlib import Path

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
HOSTILE = "</title><script>alert('name')</script> \"'&#x27; ü/☃?a=b#c %2F"
SCREENSHOTS = Path("test-results/panel")
WINDOWS = [(theme, width) for theme in ("light", "dark") for width in (1280, 800, 390)]
# What axe finds depends on the theme, or on the way narrow pages are laid out, not on both.
_AXE_LOOKS_AT = ("light-1280", "dark-1280", "light-390")


def visit(page: Page, address: str) -> Response:
    """Open a page; fail if it complains, or asks another host for anything."""
    complaints: list[str] = []
    hosts: set[str] = set()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
    response = page.goto(address)
    assert response is not None
    if response.status == httpx.codes.NOT_FOUND:  # Chromium says so on its console.
        complaints = [text for text in complaints if "Failed to load resource" not in text]
    assert not complaints
    assert response.status in {httpx.codes.OK, httpx.codes.NOT_FOUND}
    assert hosts == {"/".join(address.split("/")[:3])}
    return response


def look(page: Page, address: str, name: str) -> None:
    """Open a page and keep a picture of it; check that it fits and that it is accessible to all.

    Args:
        page: to open it in.
        address: of the page.
        name: of the picture; ends with the window's theme and width.
    """
    visit(page, address)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} overflows"
    if not name.endswith(_AXE_LOOKS_AT):
        return
    faults = Axe().run(page).response["violations"]
    assert not faults, (name, [(fault["id"], fault["nodes"][0]["html"]) for fault in faults])
