"""What all pages keep to: small, served from here alone, at home in both themes, reloadable."""

import re
from collections.abc import Callable

import httpx
import pytest
from browsing import HOSTILE, visit
from builders import make_run, make_test, read, wrote
from playwright.sync_api import Browser, Dialog, Page, expect

from mltrace_exporter.panel import links

LISTS = [
    "/",
    "/?status=tests-failed",
    "/components",
    "/component?name=cleaning",
    "/component?name=cleaning&limit=200",
    "/tag?name=etl",
    "/tests",
    "/flags",
    "/flags?state=all",
    "/review",
    "/search?q=prediction",
    "/output?name=prediction-1",
    "/status",
    "/help",
]
LIMIT_BYTES = 60_000


@pytest.mark.browser
@pytest.mark.parametrize("path", LISTS)
def test_a_list_page_comes_in_sixty_kilobytes_with_all_it_needs(
    page: Page, pipeline: str, path: str
) -> None:
    client = page.context.new_cdp_session(page)
    client.send("Network.enable")
    received: list[int] = []
    client.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(f"{pipeline}{path}")
    page.wait_for_load_state("networkidle")
    assert len(received) > 5, "styles and scripts count as well"
    assert sum(received) < LIMIT_BYTES


def test_a_page_full_of_runs_is_small_enough(address: str, record: Callable[..., None]) -> None:
    record(
        *(
            make_run(
                f"component-{minute % 7}",
                minute,
                io=[read(f"in-{minute}.parquet"), *(wrote(f"{minute}/{n}.csv") for n in range(12))],
                tests=tuple(make_test(f"test{n}") for n in range(6)),
                git_hash=f"{minute:040x}",
            )
            for minute in range(400)
        )
    )
    for path in ("/", "/component?name=component-1&limit=200", "/tests", "/components"):
        answer = httpx.get(f"{address}{path}")
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) < 30_000, path


@pytest.mark.browser
def test_the_theme_follows_the_system_until_it_is_chosen_and_is_remembered(
    browser: Browser, pipeline: str
) -> None:
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    visit(page, pipeline)
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light colours").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    expect(page.get_by_role("button", name="Dark colours")).to_be_focused()
    light = page.evaluate(ground)
    assert light != dark
    page.wait_for_load_state("networkidle")
    visit(context.new_page(), f"{pipeline}/review")
    page.reload()
    assert page.evaluate(ground) == light
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(ground) == dark
    context.close()


@pytest.mark.browser
def test_the_theme_is_chosen_without_scripts(browser: Browser, pipeline: str) -> None:
    page = browser.new_context(java_script_enabled=False, color_scheme="light").new_page()
    page.goto(f"{pipeline}/tests")
    page.get_by_role("button", name="Dark colours").click()
    expect(page).to_have_url(f"{pipeline}/tests")
    expect(page.get_by_role("button", name="Light colours")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.context.close()


def test_a_theme_that_nobody_offered_is_not_taken(pipeline: str) -> None:
    answer = httpx.post(f"{pipeline}/theme", data={"theme": '"><script>'})
    assert answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    page = httpx.get(pipeline, headers={"cookie": 'mltrace-theme="x'}).text
    assert "data-theme" not in page


@pytest.mark.browser
def test_the_policy_keeps_a_script_in_the_page_from_running(page: Page, pipeline: str) -> None:
    page.goto(pipeline)
    page.evaluate(
        """() => {
            const script = document.createElement('script');
            script.textContent = 'window.ran = true';
            document.body.append(script);
        }"""
    )
    assert page.evaluate("window.ran") is None


@pytest.mark.browser
def test_nothing_hostile_acts_on_any_page(page: Page, pipeline: str) -> None:
    fired: list[str] = []

    def note(dialog: Dialog) -> None:
        fired.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    addresses = [
        *LISTS,
        "/runs/6",
        links.to_component(HOSTILE),
        links.to_output(HOSTILE),
        links.to_trace(HOSTILE),
        links.to_impact(HOSTILE),
        links.to_tag(HOSTILE),
        links.to_search(HOSTILE),
        f"{links.to_component('cleaning')}&before=%3Cscript%3E",
    ]
    for path in addresses:
        page.goto(f"{pipeline}{path}")
        assert not page.locator("main script, main style").count(), path
    assert not fired


@pytest.mark.browser
def test_a_name_of_five_hundred_characters_has_its_pages(
    page: Page, address: str, record: Callable[..., None]
) -> None:
    name = ("s3://bücket/ein Ordner/☃?#%2F&+/" * 20)[:499] + "x"
    record(make_run(name, io=[wrote(name)]), make_run("reader", 5, io=[read(name)]))
    page.set_viewport_size({"width": 390, "height": 800})
    for path in (
        "/",
        links.to_output(name),
        links.to_component(name),
        links.to_trace(name),
        links.to_impact(name),
        links.to_search(name),
        "/components",
    ):
        response = visit(page, f"{address}{path}")
        assert response.ok
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    visit(page, f"{address}{links.to_output(name)}")
    page.locator(".actions").get_by_text("Flag", exact=False).first.click()
    page.get_by_role("button", name="Flag this output").click()
    expect(page.get_by_role("link", name="Review 1 flagged")).to_be_attached()
    assert page.locator("h1").inner_text() == name


@pytest.mark.browser
def test_every_address_can_be_reloaded(page: Page, pipeline: str) -> None:
    for path in LISTS:
        visit(page, f"{pipeline}{path}")
        heading = page.locator("h1").inner_text()
        response = page.reload()
        assert response is not None
        assert response.ok
        assert page.locator("h1").inner_text() == heading
        assert page.url == f"{pipeline}{path}"


@pytest.mark.browser
def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/component?name=cleaning")
    reached: set[tuple[str, bool]] = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        tag, is_shown = page.evaluate(
            """() => {
                const one = document.activeElement, style = getComputedStyle(one);
                const reach = one.querySelector('.reach');
                const isShown = style.outlineStyle !== 'none'
                    || (reach && getComputedStyle(reach).strokeWidth === '2px');
                return [one.tagName.toLowerCase(), isShown || one === document.body];
            }"""
        )
        reached.add((tag, is_shown))
    assert {("a", True), ("button", True), ("input", True)} <= reached
    assert not [tag for tag, is_shown in reached if not is_shown]


@pytest.mark.parametrize("path", LISTS)
def test_all_that_a_page_loads_is_kept_until_it_changes(pipeline: str, path: str) -> None:
    html = httpx.get(f"{pipeline}{path}").text
    assets = re.findall(r'(?:href|src)="(/static/[^"]+)"', html)
    assert assets
    for asset in set(assets):
        assert "immutable" in httpx.get(f"{pipeline}{asset}").headers["cache-control"]
