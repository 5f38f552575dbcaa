"""The command bar: each command leads to its page, with scripts and without, errors in place."""

from pathlib import Path

import httpx
import pytest
from browsing import HOSTILE, visit
from playwright.sync_api import Browser, Page, expect

from mltrace_exporter.errors import MalformedRequest
from mltrace_exporter.panel import links
from mltrace_exporter.panel.commands import COMMANDS, Order, parse_line

PAGES = {
    "recent": "/",
    "history cleaning": "/component?name=cleaning",
    "history cleaning 7": "/component?name=cleaning&limit=7",
    "inspect 3": "/runs/3",
    "output prediction-1": "/output?name=prediction-1",
    "trace prediction-1": "/trace?output=prediction-1",
    "impact raw.csv": "/impact?output=raw.csv",
    f"trace {HOSTILE}": links.to_trace(HOSTILE),
    f"history {HOSTILE}": links.to_component(HOSTILE),
    "tag etl": "/tag?name=etl",
    "flag prediction-9": "/output?name=prediction-9",
    "unflag prediction-1": "/output?name=prediction-1",
    "review": "/review",
    "flags": "/flags",
    "tests": "/tests",
    "components": "/components",
    "search predic": "/search?q=predic",
    "predic": "/search?q=predic",
    "status": "/status",
}
COMPLAINTS = {
    "": "Type a command",
    "inspect 999": "999",
    "inspect": "inspect ID",
    "history nobody": "nobody",
    "trace a/b": "a/b",
    "flag a/b": "a/b",
    "unflag": "unflag OUTPUT",
    "tag nothing": "nothing",
    "review all": "takes nothing",
    "histroy cleaning": "Did you mean history?",
}


@pytest.mark.parametrize(
    ("line", "argument", "amount"),
    [
        ("history cleaning", "cleaning", None),
        ("  HISTORY  cleaning   12 ", "cleaning", 12),
        ('history "step 2"', "step 2", None),
        ("history 7", "7", None),
        ("trace data/my file ü☃.csv", "data/my file ü☃.csv", None),
        ("flag 'a'", "a", None),
        ("review", "", None),
    ],
)
def test_an_argument_is_all_that_follows(line: str, argument: str, amount: int | None) -> None:
    order = parse_line(line)
    assert (order.argument, order.amount) == (argument, amount)


def test_what_begins_with_no_command_is_a_search() -> None:
    (search,) = [one for one in COMMANDS if one.word == "search"]
    assert parse_line("flights of may") == Order(search, "flights of may")


@pytest.mark.parametrize("line", ["", "trace", "history", "recent 5", "reviw"])
def test_a_line_that_cannot_be_followed_says_what_to_do(line: str) -> None:
    with pytest.raises(MalformedRequest):
        parse_line(line)


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_every_command_leads_to_its_page(browser: Browser, pipeline: str, *, scripts: bool) -> None:
    page = browser.new_context(java_script_enabled=scripts).new_page()
    visit(page, pipeline)
    for line, path in PAGES.items():
        page.locator("#command").fill(line)
        with page.expect_navigation(url=f"{pipeline}{path}"):  # also to where it is already
            page.locator("#command").press("Enter")
    assert set(PAGES) >= {one.word for one in COMMANDS if not one.takes} - {"help"}
    page.context.close()


@pytest.mark.browser
def test_a_script_says_in_place_what_is_wrong(page: Page, pipeline: str) -> None:
    page.goto(f"{pipeline}/components")
    bar, complaint = page.locator("#command"), page.locator("#complaint")
    for line, words in COMPLAINTS.items():
        bar.fill(line)
        bar.press("Enter")
        expect(complaint).to_contain_text(words)
        expect(bar).to_have_attribute("aria-describedby", "complaint")
        expect(page).to_have_url(f"{pipeline}/components")
        assert bar.input_value() == line
    bar.fill("components")
    expect(complaint).to_be_empty()


@pytest.mark.browser
def test_without_scripts_a_page_says_what_is_wrong(browser: Browser, pipeline: str) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{pipeline}/components")
    for line, words in COMPLAINTS.items():
        page.locator("#command").fill(line)
        page.locator("#command").press("Enter")
        expect(page.get_by_role("alert")).to_contain_text(words)
        assert page.locator("#command").input_value() == line
        expect(page.get_by_role("row").filter(has_text="inspect ID")).to_be_visible()
    page.get_by_role("link", name="Back to where you were").click()
    page.context.close()


@pytest.fixture
def bar(page: Page, pipeline: str) -> Page:
    """A page whose command bar somebody went to by keyboard."""
    visit(page, f"{pipeline}/components")
    page.keyboard.press("Control+k")
    expect(page.locator("#command")).to_be_focused()
    return page


@pytest.mark.browser
def test_names_are_completed_and_chosen_by_keyboard(bar: Page, pipeline: str) -> None:
    expect(bar.get_by_role("option").first).to_contain_text("recent")
    bar.keyboard.type("history clea")
    expect(bar.get_by_role("option")).to_have_count(1)
    bar.keyboard.press("ArrowDown")
    option = bar.get_by_role("option", selected=True)
    expect(option).to_contain_text("history cleaning")
    assert bar.locator("#command").get_attribute("aria-activedescendant") == option.get_attribute(
        "id"
    )
    bar.keyboard.press("Enter")
    bar.wait_for_url(f"{pipeline}/component?name=cleaning")


@pytest.mark.browser
def test_what_is_typed_finds_names_of_any_kind(bar: Page, pipeline: str) -> None:
    bar.keyboard.type("model")
    expect(bar.get_by_role("option").filter(has_text="output model.joblib")).to_be_visible()
    bar.keyboard.press("Escape")
    expect(bar.get_by_role("listbox")).to_be_hidden()
    bar.locator("#command").fill("unflag predi")
    expect(bar.get_by_role("option")).to_have_count(2)
    bar.get_by_role("option").first.click()
    bar.wait_for_url(f"{pipeline}/output?name=prediction-*")


@pytest.mark.browser
def test_help_opens_over_the_page_and_closes(bar: Page, pipeline: str) -> None:
    bar.keyboard.type("help")
    bar.keyboard.press("Enter")
    dialog = bar.get_by_role("dialog", name="Commands")
    expect(dialog.get_by_role("row").filter(has_text="history NAME [N]")).to_be_visible()
    bar.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    bar.get_by_role("link", name="Help").click()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    expect(bar).to_have_url(f"{pipeline}/components")


def test_the_documentation_lists_every_command() -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "panel.md").read_text()
    assert not [one.usage for one in COMMANDS if f"`{one.usage}`" not in page]


def test_a_command_cannot_be_sent_by_another_site(pipeline: str) -> None:
    form = {"line": "flag prediction-9"}
    answer = httpx.post(f"{pipeline}/command", data=form, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert httpx.get(f"{pipeline}/command").status_code == httpx.codes.METHOD_NOT_ALLOWED
    assert "prediction-9" not in httpx.get(f"{pipeline}/flags").text


def test_completions_survive_what_nobody_expects(pipeline: str) -> None:
    for line in ("", "trace ", "trace %", f"history {HOSTILE}", "x" * 3000, "inspect 9", "\\"):
        answer = httpx.get(f"{pipeline}/completions", params={"line": line})
        assert answer.status_code == httpx.codes.OK
        assert all({"line", "hint", "is_whole"} == set(one) for one in answer.json())
