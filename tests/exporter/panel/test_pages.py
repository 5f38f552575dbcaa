"""The panel's pages as people meet them: in a real Chromium."""

from collections.abc import Callable
from urllib.parse import quote_plus

import httpx
import pytest
from browsing import look, visit
from builders import make_run
from playwright.sync_api import Browser, Page, expect

from mltrace_exporter.model import Words
from mltrace_exporter.panel import links

pytestmark = pytest.mark.browser

FILLED = {
    "recent": "/",
    "run": "/runs/3",
    "run-many-outputs": "/runs/5",
    "run-hostile": "/runs/6",
    "trace": "/trace?output=prediction-1",
    "trace-ask": "/trace",
    "review": "/review",
    "components": "/components",
    "component": "/component?name=cleaning",
    "output": "/output?name=prediction-1",
    "output-read-only": "/output?name=raw.csv",
    "help": "/help",
    "flags": "/flags",
    "flags-all": "/flags?state=all",
    "tests": "/tests",
    "search": "/search?q=prediction",
    "search-none": "/search?q=nothing+like+this",
    "status": "/status",
    "failed": "/?status=error",
    "review-chosen": "/review?sort=suspicion&only=1&only=2",
    "changes": "/review/changes?a=1&b=2",
    "tag": "/tag?name=etl",
    "missing": "/runs/999",
}
EMPTY = {
    "recent-empty": "/",
    "review-empty": "/review",
    "components-empty": "/components",
    "flags-empty": "/flags",
    "tests-empty": "/tests",
    "search-empty": "/search",
}


def test_every_page_fits_and_is_accessible_in_both_themes_on_phones_and_screens(
    window: tuple[Page, str], pipeline: str
) -> None:
    page, kind = window
    for name, path in FILLED.items():
        look(page, f"{pipeline}{path}", f"{name}-{kind}")


def test_every_page_without_data_says_what_to_do_next(
    window: tuple[Page, str], address: str
) -> None:
    page, kind = window
    for name, path in EMPTY.items():
        look(page, f"{address}{path}", f"{name}-{kind}")
        expect(page.locator("pre", has_text="mltrace ").first).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_an_output_is_flagged_and_unflagged_by_clicking(
    browser: Browser, pipeline: str, *, scripts: bool
) -> None:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    visit(page, f"{pipeline}/runs/5")
    row = page.get_by_role("row").filter(
        has=page.get_by_role("link", name="prediction-3", exact=True)
    )
    row.get_by_text("Flag prediction-3").click()
    row.get_by_label("What is wrong with it?").fill("Delay of 9,000 minutes")
    row.get_by_role("button", name="Flag this output").click()
    expect(page).to_have_url(f"{pipeline}/runs/5#outputs")
    expect(row.get_by_text("flagged", exact=True)).to_be_visible()

    page.get_by_role("link", name="Review 4 flagged").click()
    entry = page.get_by_role("listitem").filter(has_text="Delay of 9,000 minutes")
    expect(entry.get_by_role("link", name="prediction-3")).to_be_visible()
    entry.get_by_role("checkbox").check()
    page.get_by_label("What came of them").fill("The feed was repaired.")
    page.get_by_role("button", name="Resolve the ticked flags").click()
    expect(page.get_by_role("link", name="Review 3 flagged")).to_be_visible()
    expect(page.get_by_text("Delay of 9,000 minutes")).to_have_count(0)
    page.context.close()


def test_many_outputs_are_folded_but_there(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/runs/5")
    last = page.get_by_role("link", name="prediction-39", exact=True)
    expect(last).not_to_be_visible()
    page.get_by_text("28 more outputs").click()
    expect(last).to_be_visible()


def test_the_trace_of_an_output_is_found_from_any_page(page: Page, pipeline: str) -> None:
    visit(page, pipeline)
    page.get_by_label("Command", exact=True).fill("trace prediction-1")
    page.get_by_label("Command", exact=True).press("Enter")
    nodes = page.get_by_role("article")
    expect(nodes).to_have_count(5)
    expect(nodes.first).to_contain_text("inference 5")
    expect(page.get_by_text("shown elsewhere")).to_have_count(1)


def test_the_review_puts_what_the_flagged_outputs_share_first(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/review")
    first = page.locator(".suspects > li").first
    expect(first).to_contain_text("3 of 3 flagged outputs")
    page.get_by_role("link", name="Suspicion", exact=True).click()
    expect(page).to_have_url(f"{pipeline}/review?sort=suspicion")
    expect(page.locator(".switch [aria-current]")).to_have_text("Suspicion")


def test_names_of_any_script_lead_back_to_their_pages(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/runs/6")
    heading = page.get_by_role("heading", level=1)
    name = heading.inner_text()
    heading.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    visit(page, f"{pipeline}{links.to_trace(name)}")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    visit(page, f"{pipeline}{links.to_tag(name)}")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Tag {name}")


@pytest.mark.parametrize(
    "path", ["/runs/999", "/trace?output=a/b", "/component?name=a/b", "/tag?name=a/b", "/nowhere"]
)
def test_what_nobody_recorded_is_a_clear_page(page: Page, pipeline: str, path: str) -> None:
    assert visit(page, f"{pipeline}{path}").status == httpx.codes.NOT_FOUND
    expect(page.get_by_role("heading", name="Not Found")).to_be_visible()
    expect(
        page.get_by_text(path.rsplit("=", 1)[-1].removeprefix("/runs")[-3:]).first
    ).to_be_visible()


def test_more_runs_than_a_page_holds_are_paged(page: Page, pipeline: str) -> None:
    page.goto(f"{pipeline}/?before={quote_plus('2026-01-01T00:10:00+00:00~2')}")
    expect(page.get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="Newest runs").click()
    expect(page.get_by_role("row")).to_have_count(7)


def test_more_components_than_a_page_of_a_tag_holds_are_paged(
    page: Page, address: str, record: Callable[..., None]
) -> None:
    words = Words(None, None, ("nightly",))
    record(*(make_run(f"step-{number:02}", number, words=words) for number in range(30)))
    visit(page, f"{address}{links.to_tag('nightly')}")
    components = page.get_by_role("table", name="Components with this tag").locator("tbody tr")
    expect(components).to_have_count(25)
    expect(page.get_by_role("heading", name="Newest runs")).to_be_visible()
    page.get_by_role("link", name="More components").click()
    expect(components).to_have_count(5)
    expect(components.first).to_contain_text("step-25")
    expect(page.get_by_role("heading", name="Newest runs")).to_have_count(0)
    page.get_by_role("link", name="First components").click()
    expect(page).to_have_url(f"{address}{links.to_tag('nightly')}")


def test_the_keyboard_reaches_the_content_first(page: Page, pipeline: str) -> None:
    visit(page, pipeline)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
