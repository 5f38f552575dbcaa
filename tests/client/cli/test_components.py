import json
from collections.abc import Callable

import pytest
from builders import make_run
from calling import Mltrace

from mltrace_exporter.model import Words


@pytest.fixture(autouse=True)
def components(record: Callable[..., None]) -> None:
    record(
        make_run("a", words=Words("jeanne", "First of all", ("etl", "daily"))),
        make_run("b", words=Words("groot", None, ("etl",))),
        make_run("c", words=None),
    )


def test_components_show_owner_tags_and_runs(mltrace: Mltrace) -> None:
    _, first, second, third = mltrace.show("components", COLUMNS="120").splitlines()

    assert first.split()[:4] == ["a", "jeanne", "etl,", "daily"]
    assert first.endswith("First of all")
    assert second.split()[:3] == ["b", "groot", "etl"]
    assert third.split()[:3] == ["c", "-", "-"]


def test_components_are_filtered_by_owner_and_by_tag(mltrace: Mltrace) -> None:
    def names(*options: str) -> list[str]:
        return [each["name"] for each in json.loads(mltrace.show("components", "--json", *options))]

    assert names() == ["a", "b", "c"]
    assert names("--owner", "groot") == ["b"]
    assert names("--tag", "etl") == ["a", "b"]
    assert names("--tag", "etl", "--owner", "jeanne") == ["a"]


def test_a_tag_shows_its_components(mltrace: Mltrace) -> None:
    shown = mltrace.show("tag", "daily")

    assert "jeanne" in shown
    assert "groot" not in shown


def test_tags_are_counted(mltrace: Mltrace) -> None:
    _, daily, etl = mltrace.show("tags").splitlines()

    assert (daily.split(), etl.split()) == (["daily", "1"], ["etl", "2"])
