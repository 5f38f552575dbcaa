"""Drawn lineages as people meet them: in a real Chromium."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from browsing import HOSTILE, look, visit
from builders import make_run, make_test, read, wrote
from playwright.sync_api import Browser, Page, expect

from mltrace_exporter.panel import links

pytestmark = pytest.mark.browser

Record = Callable[..., None]
TRACE = "/trace?output=prediction-1"
DAYS = 666
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def many(address: str, record: Record, engine: sa.Engine) -> str:
    """URL of a panel over a report that 2,000 runs stand behind: each day's data in three steps."""
    steps = ("fetch", "parse", "score")
    record(
        *(
            make_run(
                step,
                3 * day + number,
                3 * day + number + 0.5,
                io=[read(f"{steps[number - 1]}-{day}"), wrote(f"{step}-{day}")],
                tests=(make_test(status="fail" if (day, number) == (7, 1) else "pass"),),
                partition=f"{day}",
            )
            for day in range(DAYS)
            for number, step in enumerate(steps)
        ),
        make_run(
            "report", 10_000, io=[*(read(f"score-{day}") for day in range(DAYS)), wrote("report")]
        ),
    )
    with engine.begin() as connection:
        # As a database that has been running for a while would have done by itself.
        connection.execute(sa.text("ANALYZE"))
    return address


def test_lineages_fit_and_are_accessible_in_both_themes_on_phones_and_screens(
    window: tuple[Page, str], pipeline: str
) -> None:
    page, kind = window
    for name, path in {
        "lineage-impact": "/impact?output=raw.csv",
        "lineage-components": f"{TRACE}&view=components",
        "lineage-trace": "/trace?run=6",
    }.items():
        look(page, f"{pipeline}{path}", f"{name}-{kind}")


def test_data_runs_from_left_to_right_and_a_click_opens_a_run(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}{TRACE}")
    lefts = {
        name: page.locator(f"[data-key=run-{run}]").bounding_box()
        for run, name in ((1, "ingest"), (2, "cleaning"), (3, "training"), (5, "inference"))
    }
    order = [box["x"] for box in lefts.values() if box]
    assert order == sorted(order)
    page.get_by_role("link", name="training, run 3").click()
    expect(page).to_have_url(f"{pipeline}/runs/3")


def test_what_is_wrong_is_told_by_shape_and_in_words(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}{TRACE}")
    cleaning = page.get_by_role("link", name="cleaning, run 2, tests failed")
    expect(cleaning.locator("use[href='#s-tests-failed']")).to_have_count(1)
    stale = page.get_by_role("link", name="training, run 3, stale")
    expect(stale.locator("use[href='#s-stale']")).to_have_count(1)
    flagged = page.get_by_role("link", name=re.compile("inference, run 5.*flagged"))
    expect(flagged.locator("use[href='#s-flagged']")).to_have_count(1)
    expect(page.locator(".lines .changed")).to_have_count(1)


def test_pointing_at_a_box_shows_its_essentials_and_what_it_is_joined_to(
    page: Page, pipeline: str
) -> None:
    visit(page, f"{pipeline}{TRACE}")
    page.get_by_role("link", name="features, run 4").hover()
    card = page.locator(".tip")
    expect(card).to_contain_text("features 4")
    expect(card).to_contain_text("plumber")
    assert page.locator(".box.near").count() == 3
    page.mouse.move(0, 0)
    expect(card).to_be_hidden()


def test_arrow_keys_walk_and_enter_opens(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}{TRACE}")
    page.locator(".stage").focus()
    page.keyboard.press("Tab")
    expect(page.locator("[data-key=run-5]")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-key=run-2]")).to_be_focused()
    expect(page.locator(".tip")).to_contain_text("cleaning 2")
    page.keyboard.press("Escape")
    expect(page.locator(".tip")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{pipeline}/runs/2")


def test_a_drawing_is_zoomed_and_moved(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}{TRACE}")
    box = page.locator("[data-key=run-5]")
    before = box.bounding_box()
    page.get_by_role("button", name="Closer").click()
    closer = box.bounding_box()
    assert before
    assert closer
    assert closer["width"] == pytest.approx(before["width"] * 1.3, rel=0.02)
    page.keyboard.press("0")
    page.mouse.move(closer["x"] + 30, closer["y"] + 10)
    page.mouse.down()
    page.mouse.move(closer["x"] - 70, closer["y"] + 10, steps=3)
    page.mouse.up()
    moved = box.bounding_box()
    assert moved
    assert moved["x"] == pytest.approx(before["x"] - 100, abs=3)
    expect(page).to_have_url(f"{pipeline}{TRACE}")


def test_without_scripts_links_lead_on_and_the_drawing_scrolls(
    browser: Browser, pipeline: str
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    visit(page, f"{pipeline}{TRACE}")
    assert page.locator(".stage").evaluate("one => getComputedStyle(one).overflowX") == "auto"
    expect(page.get_by_role("button", name="Closer")).to_be_hidden()
    page.get_by_role("link", name="What it led to").click()
    expect(page).to_have_url(f"{pipeline}/impact?output=prediction-1")
    expect(page.locator(".box")).to_have_count(2)
    page.context.close()


def test_two_thousand_runs_are_taken_together_and_opened_one_by_one(page: Page, many: str) -> None:
    visit(page, f"{many}/trace?output=report")
    expect(page.get_by_text("1,998 runs stand behind it")).to_be_visible()
    expect(page.locator(".box")).to_have_count(4)
    expect(page.get_by_role("article")).to_have_count(4)
    page.get_by_role("link", name="parse, 666 runs, 1 with failed tests").click()
    expect(page.locator(".box")).to_have_count(DAYS + 3)
    expect(page.locator(".boxes .tests-failed.box")).to_have_count(1)
    page.get_by_role("link", name="parse , take together again").click()
    expect(page.locator(".box")).to_have_count(4)


def test_two_thousand_runs_can_be_drawn_each(page: Page, many: str) -> None:
    visit(page, f"{many}/trace?output=report&view=runs")
    expect(page.locator(".box")).to_have_count(3 * DAYS + 1)
    root = page.locator(".box.root")
    expect(root).to_be_in_viewport()
    root.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".tip")).to_contain_text("score")
    page.get_by_role("button", name="Everything").click()
    page.screenshot(path="test-results/panel/lineage-2000.png")


@pytest.mark.parametrize("word", ["SVG", "Mermaid"])
def test_what_is_shown_can_be_downloaded(
    page: Page, pipeline: str, tmp_path: Path, word: str
) -> None:
    visit(page, f"{pipeline}/trace?run=6")
    with page.expect_download() as started:
        page.get_by_role("link", name=word, exact=True).click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    assert file.suffix == {"SVG": ".svg", "Mermaid": ".mmd"}[word]
    assert "training" in file.read_text()


def test_a_picture_stands_for_itself_and_is_safe(page: Page, pipeline: str, tmp_path: Path) -> None:
    answer = httpx.get(f"{pipeline}/trace.svg?run=6")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in answer.headers["content-security-policy"]
    picture = ET.fromstring(answer.text)  # noqa: S314 - our own
    assert {link.get("href") for link in picture.iter(f"{SVG}a")} == {
        f"{pipeline}/runs/{run}" for run in range(1, 7)
    }
    assert not list(picture.iter(f"{SVG}script"))
    file = tmp_path / "trace.svg"
    file.write_text(answer.text)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(file.as_uri())
    page.screenshot(path="test-results/panel/lineage-picture.png")
    expect(page.locator(".box")).to_have_count(6)
    assert not complaints


def test_hostile_names_are_shown_as_they_are(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/trace?run=6")
    title = page.locator("[data-key=run-6] .title")
    expect(title).to_have_text("</titl…a=b#c %2F")
    page.locator("[data-key=run-6]").hover()
    expect(page.locator(".tip")).to_contain_text("</title><script>alert('name')</script>")
    visit(page, f"{pipeline}{links.to_impact(HOSTILE)}")
    expect(page.get_by_role("heading", level=1)).to_contain_text("<script>")


def test_nothing_asked_asks_what_for(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/trace")
    page.get_by_label("Name of an output").fill("raw.csv")
    page.get_by_role("button", name="What it led to").click()
    expect(page).to_have_url(f"{pipeline}/impact?output=raw.csv")


@pytest.mark.parametrize("path", ["/trace.svg", "/impact.mmd", "/trace?output=a&run=1"])
def test_a_question_without_one_beginning_is_refused(pipeline: str, path: str) -> None:
    assert httpx.get(f"{pipeline}{path}").status_code == 400
