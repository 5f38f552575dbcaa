"""The search for a culprit: flags, the review and what was different."""

from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from browsing import HOSTILE, visit
from builders import make_run, make_test, read, wrote
from playwright.sync_api import Browser, Page, expect

from mltrace_exporter.marks import flag_outputs
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_otel.contract.api import FlagRequest

BULK = """prediction-7
 prediction-8

prediction-7
"""


@pytest.fixture
def corrupted(address: str, engine: sa.Engine) -> str:
    """URL of a panel over four days of a pipeline; on the third the input was corrupted.

    Runs of ingest have the ids 1, 4, 7 and 10; what the third day predicted is flagged.
    """
    days = [
        run
        for day in range(4)
        for run in (
            make_run(
                "ingest",
                100 * day,
                io=[read("feed.csv", f"xxh3:{day}"), wrote(f"raw-{day}", f"xxh3:a{day}")],
                tests=(make_test(status="fail" if day == 2 else "pass", message="too large"),),
                attributes={"unit": "seconds" if day == 2 else "minutes"},
                git_hash="b" * 40 if day == 2 else "a" * 40,
            ),
            make_run("features", 100 * day + 10, io=[read(f"raw-{day}"), wrote(f"features-{day}")]),
            make_run(
                "inference",
                100 * day + 20,
                io=[
                    read(f"features-{day}"),
                    *(wrote(f"{day}/prediction-{number}") for number in range(5)),
                ],
            ),
        )
    ]
    with engine.begin() as connection:
        for run in days:
            write_runs(connection, [run])
        flagged = [f"2/prediction-{number}" for number in range(5)]
        flag_outputs(connection, FlagRequest(flagged, reason="far off"))
    return address


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_culprit_is_two_clicks_from_home(
    browser: Browser, corrupted: str, *, scripts: bool
) -> None:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    visit(page, corrupted)
    page.get_by_role("link", name="Flagged outputs 5").click()
    first = page.locator(".suspects > li").first
    expect(first).to_contain_text("5 of 5 flagged outputs")
    first.get_by_role("link", name="ingest 7").click()
    expect(page).to_have_url(f"{corrupted}/runs/7")
    expect(page.get_by_text("too large").first).to_be_visible()
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_suspect_is_held_against_the_last_run_that_went_well(
    browser: Browser, corrupted: str, *, scripts: bool
) -> None:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    visit(page, f"{corrupted}/review")
    changes = page.locator(".suspects > li").first.locator(".what-changed")
    expect(changes.get_by_role("link", name="What changed since run 4")).to_be_visible()
    for sentence in (
        "unit: seconds (before: minutes).",
        "Input feed.csv has another content.",
        "fail (before: pass).",
    ):
        expect(changes).to_contain_text(sentence)
    expect(changes).to_contain_text("commit: " + "b" * 8)
    page.context.close()


def test_what_changed_is_told_of_the_first_suspects_and_of_a_chosen_one(
    address: str, engine: sa.Engine
) -> None:
    stages = [
        make_run(
            f"stage-{stage}",
            100 * day + stage,
            io=[read(f"{day}/{stage}"), wrote(f"{day}/{stage + 1}")],
        )
        for day in range(2)
        for stage in range(5)
    ]
    with engine.begin() as connection:
        for run in stages:
            write_runs(connection, [run])
        flag_outputs(connection, FlagRequest(["1/5"]))
    first = httpx.get(f"{address}/review").text
    assert first.count('class="aspects"') == 3
    assert 'href="/review?sort=coverage&amp;changed=10#run-10"' in first
    chosen = httpx.get(f"{address}/review?sort=coverage&changed=10").text
    assert chosen.count('class="aspects"') == 4
    assert 'id="run-10"' in chosen


def test_the_api_names_the_run_to_compare_to(corrupted: str) -> None:
    candidates = httpx.get(f"{corrupted}/api/review").json()["candidates"]
    assert {one["run"]["id"]: one["compare_to"] for one in candidates} == {7: 4, 8: 5, 9: 6}


def test_a_first_run_is_held_against_the_one_that_came_next(pipeline: str) -> None:
    candidates = httpx.get(f"{pipeline}/api/review").json()["candidates"]
    assert all(one["compare_to"] is None for one in candidates), "no component ran twice"


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_only_the_ticked_flags_count(browser: Browser, pipeline: str, *, scripts: bool) -> None:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    visit(page, f"{pipeline}/review?sort=suspicion")
    for name in ("prediction-1", "prediction-2"):
        page.get_by_role("checkbox", name=f"Tick {name}").check()
    page.get_by_role("button", name="Count only the ticked").click()
    expect(page).to_have_url(f"{pipeline}/review?sort=suspicion&only=1&only=2")
    expect(page.locator(".suspects > li").first).to_contain_text("2 of 2 flagged outputs")
    expect(page.get_by_role("checkbox", name="Tick prediction-1")).to_be_checked()
    page.get_by_role("link", name="Coverage", exact=True).click()
    expect(page.get_by_text("Only the 2 ticked count.")).to_be_visible()
    page.get_by_role("link", name="Count all").click()
    expect(page.locator(".suspects > li").first).to_contain_text("3 of 3 flagged outputs")
    page.context.close()


@pytest.mark.browser
def test_all_flags_are_ticked_at_once_and_resolved_with_a_reason(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/review")
    page.get_by_role("checkbox", name="All", exact=True).check()
    page.get_by_label("What came of them").fill("ingest was run again")
    page.get_by_label("Your name").first.fill("jeanne")
    page.get_by_role("button", name="Resolve the ticked flags").click()
    expect(page.get_by_role("heading", name="Nothing is flagged")).to_be_visible()
    visit(page, f"{pipeline}/flags?state=resolved")
    expect(page.get_by_text("Resolved: ingest was run again")).to_have_count(3)
    visit(page, f"{pipeline}/output?name=prediction-1")
    expect(page.locator(".flags")).to_contain_text("by jeanne: ingest was run again")


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_many_outputs_are_flagged_by_pasting_or_uploading_names(
    browser: Browser, pipeline: str, tmp_path: Path, *, scripts: bool
) -> None:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    visit(page, f"{pipeline}/flags")
    page.get_by_label("Names, one a line").fill(BULK)
    (tmp_path / "names.txt").write_text("\ufeffprediction-11\r\nprediction-12\n")
    page.get_by_label("or a text file of them").set_input_files(tmp_path / "names.txt")
    page.get_by_label("What is wrong with them?").fill("late")
    page.get_by_label("Severity").select_option("high")
    page.get_by_role("button", name="Flag these outputs").click()
    expect(page).to_have_url(f"{pipeline}/review")
    expect(page.get_by_role("link", name="Review 7 flagged")).to_be_visible()
    expect(page.locator(".flags").get_by_text("late", exact=True)).to_have_count(4)
    page.context.close()


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_flags_are_chosen_by_component_name_and_day_and_reviewed(
    browser: Browser, corrupted: str, engine: sa.Engine, *, scripts: bool
) -> None:
    with engine.begin() as connection:
        flag_outputs(connection, FlagRequest(["raw-1", "raw-3"]))
    page = browser.new_context(java_script_enabled=scripts).new_page()
    visit(page, f"{corrupted}/flags")
    form = page.get_by_role("form", name="Choose flags")
    form.get_by_label("Component").fill("ingest")
    form.get_by_label("Name contains").fill("W-1")
    form.get_by_label("Flagged since").fill("2026-01-01")
    form.get_by_role("button", name="Choose").click()
    expect(page).to_have_url(
        f"{corrupted}/flags?state=open&component=ingest&name=W-1&since=2026-01-01"
    )
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Review 1 open flag chosen so").click()
    expect(page.locator(".suspects > li").first).to_contain_text("ingest 4")
    expect(page.get_by_role("checkbox", name="Tick raw-1")).to_be_checked()
    visit(page, f"{corrupted}/flags?component=ingest")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.get_by_role("checkbox", name="Tick raw-3").check()
    page.get_by_role("button", name="Review only the ticked").click()
    expect(page.locator(".suspects > li").first).to_contain_text("ingest 10")
    visit(page, f"{corrupted}/flags?name=nothing%25")
    page.get_by_role("link", name="Show all").last.click()
    expect(page.locator("tbody tr")).to_have_count(7)
    page.context.close()


@pytest.mark.parametrize("since", ["2126-01-01", "yesterday"])
def test_a_day_without_flags_shows_none_and_no_day_is_refused(corrupted: str, since: str) -> None:
    answer = httpx.get(f"{corrupted}/flags", params={"since": since})
    assert ("No such flags" in answer.text) == (since != "yesterday")
    assert answer.status_code == (422 if since == "yesterday" else 200)


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, "No output was named"),
        ({"names": "prediction-7\nnever written"}, "never written"),
        ({"names": "prediction-7", "severity": "awful"}, "low, medium, high"),
    ],
)
def test_a_list_that_cannot_be_flagged_flags_nothing(
    pipeline: str, form: dict[str, str], words: str
) -> None:
    answer = httpx.post(f"{pipeline}/flag-many", data=form)
    assert answer.status_code in {400, 404}
    assert words in answer.text
    assert "prediction-7" not in httpx.get(f"{pipeline}/flags").text


def test_a_file_that_is_no_text_is_refused(pipeline: str) -> None:
    for content, words in ((b"\xff\xfe\x00", "no text in UTF-8"), (b"x" * (2**22 + 1), "larger")):
        answer = httpx.post(f"{pipeline}/flag-many", files={"file": ("a.csv", content)})
        assert answer.status_code == httpx.codes.BAD_REQUEST
        assert words in answer.text


def test_what_is_resolved_must_be_ticked(pipeline: str) -> None:
    answer = httpx.post(f"{pipeline}/resolve", data={"reason": "done"})
    assert answer.status_code == httpx.codes.BAD_REQUEST
    assert "tick those" in answer.text


@pytest.mark.browser
def test_flags_of_hostile_names_are_resolved_like_any_other(page: Page, pipeline: str) -> None:
    visit(page, f"{pipeline}/flags")
    row = page.locator("tr", has=page.locator("th a", has_text=HOSTILE[:15]))
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Resolve the ticked flags").click()
    expect(page.get_by_role("link", name="Review 2 flagged")).to_be_visible()
