"""Pages that keep up with what arrives, without moving under their reader."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from browsing import visit
from builders import make_marker, make_profile, make_run, make_test, read, wrote
from playwright.sync_api import Page, expect
from summarising import make_numeric

from mltrace_exporter.model import Batch
from mltrace_exporter.store.arrivals.write import write_batch

pytestmark = pytest.mark.browser

Record = Callable[..., None]
SOON_MS = 15_000


@pytest.fixture
def filled(address: str, record: Record) -> str:
    """URL of a panel over 40 runs of one component."""
    record(*(make_run("cleaning", minute) for minute in range(40)))
    return address


def test_new_runs_appear_on_top(page: Page, filled: str, record: Record) -> None:
    visit(page, filled)
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(25)
    record(make_run("training", 100), make_run("scoring", 101))
    expect(rows.first).to_contain_text("scoring", timeout=SOON_MS)
    expect(rows.nth(1)).to_contain_text("training")
    expect(rows).to_have_count(25)


def test_rows_do_not_move_under_a_pointer(page: Page, filled: str, record: Record) -> None:
    visit(page, filled)
    page.locator("tbody tr").nth(3).hover()
    record(make_run("training", 100))
    button = page.get_by_role("button", name="Show 1 new run")
    expect(button).to_be_visible(timeout=SOON_MS)
    expect(page.locator("tbody tr").first).to_contain_text("cleaning 40")
    button.click()
    expect(page.locator("tbody tr").first).to_contain_text("training 41")
    expect(button).to_be_hidden()


def test_what_is_read_further_down_stays_where_it_is(
    page: Page, filled: str, record: Record
) -> None:
    page.set_viewport_size({"width": 1280, "height": 500})
    visit(page, filled)
    row = page.locator("#run-20")
    row.scroll_into_view_if_needed()
    page.mouse.move(5, 5)
    before = row.bounding_box()
    record(make_run("training", 100))
    expect(page.locator("tbody tr").first).to_contain_text("training", timeout=SOON_MS)
    after = row.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2


def test_a_run_that_goes_on_is_shown_until_it_ends(
    page: Page, filled: str, engine: sa.Engine
) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=2)
    run = make_run("training")._replace(started_at=begun, ended_at=begun + timedelta(minutes=1))
    with engine.begin() as connection:
        write_batch(connection, Batch(markers=[make_marker(run, 2)]))
    visit(page, f"{filled}/component?name=training")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("running")
    expect(page.locator("#strip .is-busy")).to_have_count(1)
    with engine.begin() as connection:
        write_batch(connection, Batch([run]))
    expect(row).to_contain_text("ok", timeout=SOON_MS)
    expect(page.locator("#strip .is-busy")).to_have_count(0)


def test_the_page_of_a_run_shows_its_end_and_leaves_its_reader_alone(
    page: Page, filled: str, engine: sa.Engine
) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=2)
    inputs = [read(f"raw-{number}.csv") for number in range(8)]
    run = make_run(
        "training",
        io=[*inputs, *(wrote(f"model-{number}") for number in range(12))],
        tests=(make_test(status="fail"),),
        profiles=(make_profile(make_numeric("delay", range(100))),),
    )._replace(started_at=begun, ended_at=begun + timedelta(minutes=1))
    with engine.begin() as connection:
        write_batch(connection, Batch(markers=[make_marker(run, 2)]))
    page.set_viewport_size({"width": 1280, "height": 500})
    visit(page, f"{filled}/runs/41")
    tiles = page.get_by_role("list", name="Status").get_by_role("listitem")
    expect(tiles.first).to_contain_text("running")
    row = page.get_by_role("row").filter(has_text="raw-7.csv")
    row.get_by_text("Flag raw-7.csv").click()
    row.get_by_label("What is wrong with it?").fill("too short")
    page.get_by_text("Write a note").click()
    note = page.get_by_label("What should others know?")
    note.fill("Half a sen")
    before = note.bounding_box()
    with engine.begin() as connection:
        write_batch(connection, Batch([run]))
    expect(tiles.first).to_contain_text("ok", timeout=SOON_MS)
    expect(tiles.nth(1)).to_contain_text("failed")
    expect(page.get_by_role("status").filter(has_text="This run has ended: ok.")).to_be_attached()
    assert before == note.bounding_box()
    expect(note).to_be_focused()
    page.keyboard.type("tence.")
    expect(note).to_have_value("Half a sentence.")
    expect(row.get_by_label("What is wrong with it?")).to_have_value("too short")
    expect(
        page.get_by_role("region", name="Outputs").get_by_role("link", name="model-11")
    ).to_be_attached()
    expect(page.get_by_role("region", name="Data").get_by_text("delay")).to_be_visible()


def test_a_failure_above_moves_nothing_that_is_read(
    page: Page, filled: str, engine: sa.Engine
) -> None:
    begun = datetime.now(UTC) - timedelta(minutes=2)
    inputs = [read(f"raw-{number}.csv") for number in range(8)]
    run = make_run("training", io=inputs, execution="error", message="No\nspace\nleft")
    run = run._replace(started_at=begun, ended_at=begun + timedelta(minutes=1))
    with engine.begin() as connection:
        write_batch(connection, Batch(markers=[make_marker(run, 2)]))
    page.set_viewport_size({"width": 1280, "height": 500})
    visit(page, f"{filled}/runs/41")
    heading = page.locator("h2#outputs")
    page.evaluate("scrollTo(0, document.getElementById('inputs').getBoundingClientRect().top + 20)")
    before = heading.bounding_box()
    with engine.begin() as connection:
        write_batch(connection, Batch([run]))
    expect(page.get_by_text("space")).to_be_attached(timeout=SOON_MS)
    after = heading.bounding_box()
    assert before
    assert after
    assert abs(before["y"] - after["y"]) < 2


def test_the_page_of_a_run_that_is_over_asks_nothing(page: Page, filled: str) -> None:
    visit(page, f"{filled}/runs/1")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(6000)
    assert [url for url in asked if "/static/" not in url] == []


def test_a_page_says_when_it_cannot_keep_up(page: Page, filled: str) -> None:
    visit(page, filled)
    said = page.get_by_text("The server does not answer: this page is not up to date.")
    page.context.set_offline(offline=True)
    expect(said).to_be_visible(timeout=SOON_MS)
    page.context.set_offline(offline=False)
    expect(said).to_be_hidden(timeout=SOON_MS)


def test_older_pages_stay_as_they_are(page: Page, filled: str, record: Record) -> None:
    visit(page, filled)
    page.get_by_role("link", name="Older runs").click()
    expect(page.locator("tbody tr")).to_have_count(15)
    record(make_run("training", 100))
    page.wait_for_timeout(6000)
    expect(page.locator("tbody tr")).to_have_count(15)
