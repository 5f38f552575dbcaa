"""The page of a run, and the comparison of two, as people meet them: in a real Chromium."""

import random
import re
from collections.abc import Callable, Iterator

import httpx
import pytest
import sqlalchemy as sa
from browsing import HOSTILE, look, visit
from builders import make_profile, make_run, make_test, read, wrote
from playwright.sync_api import Browser, Page, expect
from serving import serve
from summarising import make_categorical, make_numeric

from mltrace_exporter.main import create_app
from mltrace_exporter.model import VariableProfile

pytestmark = pytest.mark.browser

Record = Callable[..., None]
CODE = '''def train(features, rate=0.1):
    """Fit the model."""  # </pre><script>alert('code')</script>
    return Ridge(alpha=rate).fit(features)
'''
JAEGER = "http://localhost:16686/trace/{trace_id}?uiFind={span_id}"
DAY = 24 * 60


def make_day(day: int, shift: float = 0) -> VariableProfile:
    """Return the profile of a day's features; ``shift`` moves the delays."""
    chance = random.Random(day)  # noqa: S311 - no secret
    delays = [chance.gauss(8, 30) + shift for _ in range(300)]
    carriers = [chance.choice(["UA", "DL", HOSTILE]) for _ in range(300)]
    return make_profile(
        make_numeric("delay", delays), make_categorical("carrier", carriers), variable="features"
    )


@pytest.fixture
def training(address: str, record: Record) -> str:
    """URL of a panel over four days of training, runs 2, 4, 6 and 8, the last on drifted data."""
    for day in range(4):
        last = day == 3
        record(
            make_run(
                "ingest",
                day * DAY,
                io=[wrote(f"raw-{day}.csv", f"xxh3:0{day}")],
                tests=(make_test("testDelays", "fail" if last else "pass", message="too late"),),
            )
        )
        record(
            make_run(
                "training",
                day * DAY + 5,
                io=[
                    read(f"raw-{day}.csv", f"xxh3:0{day}"),
                    read("prices.csv", f"xxh3:1{day}"),
                    wrote("model.joblib", f"xxh3:2{day}"),
                ],
                tests=(make_test(), make_test("testSize", "skip", message="no history")),
                code=CODE.replace("0.1", "0.2") if last else CODE,
                code_file="train.py",
                git_hash=f"{day}" * 40,
                git_dirty=last,
                git_tags=("v1.4",),
                attributes={"rate": 0.2 if last else 0.1},
                profiles=(make_day(day, 300 if last else 0),),
            )
        )
    record(make_run("inference", 5 * DAY, io=[read("model.joblib", "xxh3:23"), wrote("p-1")]))
    return address


def test_pages_of_runs_fit_and_are_accessible_in_both_themes_on_phones_and_screens(
    window: tuple[Page, str], training: str
) -> None:
    page, kind = window
    for name, path in {
        "run-drifted": "/runs/8",
        "compare": "/compare?b=8",
        "compare-unlike": "/compare?a=9&b=1",
        "data": "/runs/8/data?direction=output&variable=features&start=1",
    }.items():
        look(page, f"{training}{path}", f"{name}-{kind}")


def test_the_status_is_told_at_a_glance(page: Page, training: str) -> None:
    visit(page, f"{training}/runs/8")
    tiles = page.get_by_role("list", name="Status").get_by_role("listitem")
    words = [tile.locator(".tile-word").inner_text() for tile in tiles.all()]
    assert words == ["ok", "passed", "fresh", "failed data", "drifted"]
    expect(tiles.nth(3)).to_contain_text("1 failed test in 1 run")


def test_the_culprit_upstream_is_named_and_linked(page: Page, training: str) -> None:
    visit(page, f"{training}/runs/9")
    notice = page.get_by_role("region", name="What it was made from")
    expect(notice).to_contain_text("Made from data that failed RangeTest.testDelays two runs up.")
    notice.get_by_role("link", name="Open run 7").click()
    expect(page).to_have_url(f"{training}/runs/7")
    expect(page.get_by_text("too late")).to_be_visible()


def test_a_stale_run_says_why(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/runs/3")
    notice = page.get_by_role("region", name="This run is stale")
    expect(notice).to_contain_text("cleaning (ID 2) was run 59 days ago.")
    notice.get_by_role("link", name="Open run 2").click()
    expect(page).to_have_url(f"{pipeline}/runs/2")
    expect(page.get_by_text("3 of 200 rows are null")).to_be_visible()
    expect(page.get_by_text("content changed outside")).to_be_visible()
    expect(page.get_by_text("uncommitted changes")).to_be_visible()


def test_inputs_name_who_wrote_them_and_outputs_who_read_them(page: Page, training: str) -> None:
    visit(page, f"{training}/runs/8")
    raw = page.get_by_role("region", name="Inputs").get_by_role("row").filter(has_text="raw-3.csv")
    expect(raw.get_by_role("link", name="ingest 7")).to_be_visible()
    model = page.get_by_role("region", name="Outputs").get_by_role("row").nth(1)
    model.get_by_role("link", name="inference 9").click()
    expect(page).to_have_url(f"{training}/runs/9")


def test_each_column_is_drawn_with_the_reference_behind_it(page: Page, training: str) -> None:
    visit(page, f"{training}/runs/8")
    data = page.get_by_role("region", name="Data")
    delay = data.get_by_role("listitem").filter(has_text="delay").first
    expect(delay).to_contain_text("drifted")
    expect(delay.get_by_role("img", name="Distribution of delay")).to_be_visible()
    expect(delay.locator(".chart path")).to_have_count(1)
    expect(data.get_by_text("the 3 runs before")).to_be_visible()
    expect(data.get_by_text(HOSTILE[:8]).first).to_be_visible()


def test_the_code_is_shown_and_what_changed_in_it(page: Page, training: str) -> None:
    visit(page, f"{training}/runs/8")
    change = page.get_by_role("region", name="What changed in the code")
    expect(change.locator(".gone")).to_contain_text("rate=0.1")
    expect(change.locator(".new")).to_contain_text("rate=0.2")
    page.get_by_text("Show the code as it ran").click()
    expect(page.get_by_role("region", name="Code as it ran")).to_contain_text(
        "<script>alert('code')</script>"
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_notes_are_written_and_edited(browser: Browser, pipeline: str, *, scripts: bool) -> None:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    visit(page, f"{pipeline}/runs/3")
    for summary, text, author in (
        ("Write a note", "Looks wrong\n<script>", "jeanne"),
        ("Edit the newest", "Looks right", ""),
    ):
        part = page.locator("details.writing").filter(has_text=summary)
        part.locator("summary").click()
        part.get_by_label("What should others know?").fill(text)
        part.get_by_label("Your name").fill(author)
        part.get_by_role("button", name="Keep this note").click()
        expect(page).to_have_url(f"{pipeline}/runs/3#notes")
    notes = page.locator(".note")
    expect(notes).to_have_count(3)
    expect(notes.nth(0)).to_contain_text("Looks right")
    expect(notes.nth(0)).to_contain_text("somebody, ")
    expect(notes.nth(1)).to_contain_text("Looks wrong\n<script>")
    expect(notes.nth(1)).to_contain_text("jeanne, ")
    expect(notes.nth(2)).to_contain_text("Reran by hand.")
    page.context.close()


def test_a_note_of_nothing_is_not_kept_and_one_of_a_page_elsewhere_is_refused(
    pipeline: str,
) -> None:
    notes = f"{pipeline}/runs/3/notes"
    assert httpx.post(notes, data={"text": "  "}).status_code == 303
    crossing = {"sec-fetch-site": "cross-site"}
    assert httpx.post(notes, data={"text": "x"}, headers=crossing).status_code == 403
    assert httpx.post(f"{pipeline}/runs/999/notes", data={"text": "x"}).status_code == 404
    assert len(httpx.get(f"{pipeline}/api/runs/3/notes").json()["items"]) == 1


def test_runs_of_a_component_are_walked_through(page: Page, training: str) -> None:
    visit(page, f"{training}/runs/4")
    page.get_by_role("link", name="6 →").click()
    expect(page).to_have_url(f"{training}/runs/6")
    page.get_by_role("link", name="← 4").click()
    expect(page).to_have_url(f"{training}/runs/4")


def test_inputs_are_flagged_too(page: Page, training: str) -> None:
    visit(page, f"{training}/runs/8")
    row = page.get_by_role("row").filter(has_text="prices.csv")
    row.get_by_text("Flag prices.csv").click()
    row.get_by_role("button", name="Flag this output").click()
    expect(page).to_have_url(f"{training}/runs/8#inputs")
    expect(row.get_by_text("flagged", exact=True)).to_be_visible()


def test_what_changed_since_the_run_before_is_one_click_away(page: Page, training: str) -> None:
    visit(page, f"{training}/runs/8")
    page.get_by_role("link", name="Compare with 6").click()
    expect(page).to_have_url(f"{training}/compare?a=6&b=8")
    said = page.get_by_role("region", name="What changed").get_by_role("definition")
    expect(said).to_have_text(
        [
            "The code changed.",
            f"commit: {'3' * 40} (before: {'2' * 40}).uncommitted changes: yes (before: no).",
            "rate: 0.2 (before: 0.1).",
            re.compile("^Input prices.csv has another content.Input raw-3.csv has another"),
            re.compile("^features, delay: median went from .*, PSI"),
        ]
    )
    expect(page.get_by_text("The same: tests.")).to_be_visible()
    raw = page.get_by_role("row").filter(has_text="raw-3.csv")
    expect(raw).to_contain_text("was raw-2.csv")
    expect(raw).to_contain_text("changed")
    expect(page.get_by_role("region", name="What differs in the code")).to_be_visible()
    expect(page.get_by_role("region", name="Data").get_by_text("run 6")).to_be_visible()


def test_a_run_alone_is_compared_with_the_one_before(page: Page, training: str) -> None:
    visit(page, f"{training}/compare")
    page.get_by_label("with run").fill("4")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_label("Run", exact=True)).to_have_value("2")
    visit(page, f"{training}/compare?b=2")
    expect(page.get_by_text("Run 2 is the first of its component")).to_be_visible()


def test_hostile_runs_are_compared_as_they_are(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/compare?a=3&b=6")
    expect(page.get_by_text("<script>alert('name')").first).to_be_visible()


def test_of_a_wide_table_what_drifted_is_shown_first_and_the_rest_on_its_own_page(
    page: Page, address: str, record: Record
) -> None:
    for day in range(2):
        profiled = [
            make_numeric(f"f{number:02}", [n + 900 * day * (number == 59) for n in range(300)])
            for number in range(60)
        ]
        record(make_run("features", day * DAY, profiles=(make_profile(*profiled),)))
    visit(page, f"{address}/runs/2")
    columns = page.locator(".column")
    expect(columns).to_have_count(24)
    expect(columns.first).to_contain_text("f59")
    page.get_by_role("link", name="36 further columns").click()
    expect(page.get_by_text("Columns 25 to 60 of 60")).to_be_visible()
    expect(columns).to_have_count(36)
    expect(columns.last).to_contain_text("f58")
    visit(page, f"{address}/compare?a=1&b=2")
    page.get_by_role("link", name="36 further columns").click()
    expect(page.get_by_role("link", name="run 1", exact=True)).to_be_visible()
    page.get_by_role("link", name="← First columns").click()
    expect(columns.first).to_contain_text("f59")
    assert httpx.get(f"{page.url}&start=60").status_code == 404


@pytest.fixture
def beside_jaeger(engine: sa.Engine, record: Record) -> Iterator[str]:
    record(make_run())
    with serve(create_app(engine, trace_url=JAEGER)) as url:
        yield url


def test_the_trace_is_linked_where_it_was_configured(beside_jaeger: str) -> None:
    run = httpx.get(f"{beside_jaeger}/api/runs/1").json()["summary"]
    address = f"http://localhost:16686/trace/{run['trace_id']}?uiFind={run['span_id']}"
    assert f'href="{address}"' in httpx.get(f"{beside_jaeger}/runs/1").text
