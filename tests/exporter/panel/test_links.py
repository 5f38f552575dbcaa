from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltrace_exporter.panel import links

NAMES = st.text(st.characters(codec="utf-8"), min_size=1)


@given(NAMES)
def test_a_name_comes_back_from_its_address_as_it_was(name: str) -> None:
    for path, to_page in (
        (links.TRACE, links.to_trace),
        (links.IMPACT, links.to_impact),
        (links.OUTPUT, links.to_output),
        (links.COMPONENT, links.to_component),
        (links.TAG, links.to_tag),
        (links.SEARCH, links.to_search),
    ):
        parts = urlsplit(to_page(name))
        assert parts.path == path
        assert list(parse_qs(parts.query, strict_parsing=True).values()) == [[name]]


@given(NAMES)
def test_every_address_leads_to_this_server(name: str) -> None:
    assert links.is_local(links.to_trace(name))


def test_what_is_not_asked_for_does_not_stand_in_an_address() -> None:
    assert links.to_recent() == "/"
    assert links.to_review("suspicion") == "/review?sort=suspicion"
    assert links.to_run(197) == "/runs/197"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "review",
        "//host",
        "///host",
        "/\\/host",
        "/\\host",
        "/\t/host",
        "https://host/",
        "javascript:alert(1)",
    ],
)
def test_an_address_elsewhere_is_not_taken_for_a_local_one(address: str) -> None:
    assert not links.is_local(address)
