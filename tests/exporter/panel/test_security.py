import re

import httpx
import pytest

from mltrace_exporter.panel.security import HEADERS


def flag(address: str, **headers: str) -> httpx.Response:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(f"{address}/flag", data={"output": "prediction-3"}, headers=names)


def count_flags(address: str) -> int:
    return httpx.get(f"{address}/review").text.count('name="only"')


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_sent_by_a_page_of_another_site_is_refused(pipeline: str, site: str) -> None:
    answer = flag(pipeline, sec_fetch_site=site)
    assert answer.status_code == 403
    assert "another site" in answer.text
    assert count_flags(pipeline) == 3


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_an_older_browsers_form_from_another_origin_is_refused(pipeline: str, origin: str) -> None:
    assert flag(pipeline, origin=origin).status_code == 403
    assert count_flags(pipeline) == 3


def test_a_form_of_the_panel_itself_passes(pipeline: str) -> None:
    assert flag(pipeline, sec_fetch_site="same-origin").status_code == 303
    assert flag(pipeline, origin=pipeline).status_code == 303
    assert count_flags(pipeline) == 4


def test_a_program_passes(pipeline: str) -> None:
    assert flag(pipeline).status_code == 303


def test_a_form_cannot_lead_away_from_the_panel(pipeline: str) -> None:
    form = {"output": "prediction-3", "back": "//evil.example"}
    assert httpx.post(f"{pipeline}/flag", data=form).headers["location"] == "/review"


def test_flagging_needs_a_form(pipeline: str) -> None:
    for path in ("/flag?output=prediction-3", "/unflag?output=prediction-1"):
        assert httpx.get(f"{pipeline}{path}").status_code == 405
    assert count_flags(pipeline) == 3


def test_a_character_that_cannot_be_stored_is_refused(pipeline: str) -> None:
    for path in ("/component?name=%00", "/tag?name=%00"):
        assert httpx.get(f"{pipeline}{path}").status_code == 422
    form = {"output": "prediction-3", "reason": "a\0b"}
    assert httpx.post(f"{pipeline}/flag", data=form).status_code == 422


@pytest.mark.parametrize(
    "path", ["/", "/runs/1", "/runs/999", "/nowhere", "/static/parts.css", "/static/nothing.css"]
)
def test_every_answer_carries_the_security_headers(pipeline: str, path: str) -> None:
    headers = httpx.get(f"{pipeline}{path}").headers
    assert {name: headers[name] for name in HEADERS} == HEADERS


def test_no_page_holds_a_style_or_a_script_of_its_own(pipeline: str) -> None:
    for path in ("/", "/runs/3", "/runs/6", "/trace?output=prediction-1", "/review", "/components"):
        html = httpx.get(f"{pipeline}{path}").text
        assert not re.findall(r"<script(?! type=\"module\" src=\"/static/[a-z]+\.js\?v=)", html)
        assert not re.findall(r"<script[^>]*>[^<]", html)
        assert not re.findall(r"<[^>]* on[a-z]+=", html)
        assert "style=" not in html
        assert "<style" not in html
