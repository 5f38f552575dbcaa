import random
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from builders import make_profile, make_run, make_span_id, read, wrote
from summarising import make_numeric

from mltrace_exporter.model import Run, VariableProfile
from mltrace_otel.contract.api import Drift

Record = Callable[..., None]


def hold(seed: int, factor: float = 1, variable: str = "flights", **fields: Any) -> VariableProfile:
    """Return the profile of 400 delays, times a factor."""
    rng = random.Random(seed)  # noqa: S311 - data
    delays = [factor * rng.gauss(10, 4) for _ in range(400)]
    return make_profile(make_numeric("delay", delays), variable=variable, **fields)


def ingest(start: float, factor: float = 1, **fields: Any) -> Run:
    return make_run("ingest", start, profiles=(hold(int(start), factor),), **fields)


def ask(api: httpx.Client, run: int, **query: str) -> Drift:
    answer = api.get(f"/api/runs/{run}/drift", params=query)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Drift)


def find_ids(api: httpx.Client) -> dict[float, int]:
    """Return the ids of runs by the minute that they began at."""
    items = api.get("/api/runs", params={"limit": 100}).json()["items"]
    return {int(each["started_at"][14:16]): each["id"] for each in items}


def test_a_run_is_compared_with_the_runs_before(api: httpx.Client, record: Record) -> None:
    record(*(ingest(start, 60 if start == 8 else 1) for start in (8, 2, 1, 9, 3)))
    ids = find_ids(api)

    bad, good = ask(api, ids[8]), ask(api, ids[9])

    assert bad.drifted
    (variable,) = bad.variables
    assert (variable.component, variable.direction, variable.variable) == (
        "ingest",
        "output",
        "flights",
    )
    assert variable.reference_ids == [ids[1], ids[2], ids[3]]
    assert (variable.rows, variable.reference_rows) == (400, 1200)
    assert variable.sentences[0].startswith("delay: median went from 1")
    assert not good.drifted
    assert good.variables[0].reference_ids[-1] == ids[8]


def test_the_run_before_and_any_run_can_be_asked_for(api: httpx.Client, record: Record) -> None:
    record(ingest(1), ingest(2, 60), ingest(3))
    ids = find_ids(api)

    assert ask(api, ids[3], reference="previous").variables[0].reference_ids == [ids[2]]
    assert ask(api, ids[3], reference="previous").drifted
    assert not ask(api, ids[3], reference=f"run:{ids[1]}").drifted
    assert ask(api, ids[3], reference="last:1").variables[0].reference_ids == [ids[2]]


def test_only_runs_of_the_same_partition_count_unless_each_run_has_its_own(
    api: httpx.Client, record: Record
) -> None:
    record(ingest(1, partition="a"), ingest(2, 60, partition="b"), ingest(3, 60, partition="b"))
    record(ingest(4, partition="a"), ingest(5, partition="c"))
    ids = find_ids(api)

    assert ask(api, ids[4]).variables[0].reference_ids == [ids[1]]
    assert ask(api, ids[3]).variables[0].reference_ids == [ids[2]]
    assert ask(api, ids[5]).variables[0].reference_ids == [ids[1], ids[2], ids[3], ids[4]]


def test_without_an_earlier_profile_there_is_nothing_to_compare(
    api: httpx.Client, record: Record
) -> None:
    record(ingest(1), make_run("ingest", 2, profiles=(hold(1, variable="other"),)))
    ids = find_ids(api)

    for minute in (1, 2):
        found = ask(api, ids[minute])
        assert (found.drifted, found.variables) == (False, [])
    assert ask(api, ids[2], reference=f"run:{ids[1]}").variables == []


def test_a_run_is_compared_with_what_its_model_was_built_on(
    api: httpx.Client, record: Record
) -> None:
    record(
        make_run("features", 1, io=[wrote("f1")], profiles=(hold(1),)),
        make_run("features", 2, io=[wrote("f2")], profiles=(hold(2),)),
        make_run("train", 3, io=[read("f1"), read("f2"), wrote("model")]),
        make_run("features", 5, io=[wrote("f5")], profiles=(hold(5, 60),)),
        make_run("predict", 7, io=[read("f5"), read("model")]),
        make_run("predict", 8, io=[read("f2"), read("model")]),
    )
    ids = find_ids(api)

    (found,) = ask(api, ids[7], reference="built-on").variables

    assert (found.run_id, found.component, found.builder_id) == (ids[5], "features", ids[3])
    assert found.reference_ids == [ids[1], ids[2]]
    assert found.drift.drifted
    assert not ask(api, ids[8], reference="built-on").drifted
    assert ask(api, ids[3], reference="built-on").variables == []


def test_inputs_are_compared_with_those_that_the_model_was_built_on(
    api: httpx.Client, record: Record
) -> None:
    def look(seed: int, factor: float = 1) -> tuple[VariableProfile, ...]:
        return (hold(seed, factor, direction="input"),)

    record(
        make_run("train", 1, io=[wrote("model")], profiles=look(1)),
        make_run("predict", 3, io=[read("model")], profiles=look(2)),
        make_run("predict", 4, io=[read("model")], profiles=look(3, 60)),
    )
    ids = find_ids(api)

    assert not ask(api, ids[3], reference="built-on").drifted
    (found,) = ask(api, ids[4], reference="built-on").variables
    assert (found.run_id, found.builder_id, found.direction) == (ids[4], ids[1], "input")
    assert found.drift.drifted


@pytest.mark.parametrize("reference", ["", "last", "last:0", "last:100", "run:", "next", "run:x y"])
def test_a_reference_that_is_none_is_refused(
    api: httpx.Client, record: Record, reference: str
) -> None:
    record(ingest(1))
    ids = find_ids(api)

    answer = api.get(f"/api/runs/{ids[1]}/drift", params={"reference": reference})

    assert answer.status_code == 422
    assert "reference" in answer.json()["detail"]


def test_a_run_that_is_not_there_is_not_found(api: httpx.Client, record: Record) -> None:
    record(ingest(1, id=make_span_id(7)))
    ids = find_ids(api)

    assert api.get("/api/runs/999999/drift").status_code == 404
    answer = api.get(f"/api/runs/{ids[1]}/drift", params={"reference": "run:999999"})
    assert answer.status_code == 404


def test_drift_speaks_against_a_run_in_the_review(api: httpx.Client, record: Record) -> None:
    record(*(ingest(start) for start in range(1, 5)))
    record(ingest(6, 60, io=[wrote("f6")]), make_run("predict", 8, io=[read("f6"), wrote("p")]))
    ids = find_ids(api)
    api.post("/api/flags", json={"outputs": ["p"]})

    review = api.get("/api/review").json()

    evidence = {each["run"]["id"]: each["evidence"] for each in review["candidates"]}
    (sentence,) = evidence[ids[6]]
    assert sentence.startswith("flights drifted: delay: median went from ")
    assert sentence.endswith(", and 1 more.")
    assert evidence[ids[8]] == []


def test_what_arrives_late_changes_what_was_said(api: httpx.Client, record: Record) -> None:
    record(ingest(4, 60))
    ids = find_ids(api)
    assert ask(api, ids[4]).variables == []

    record(ingest(2, 60))
    assert not ask(api, ids[4]).drifted
    record(ingest(3))
    assert ask(api, ids[4], reference="previous").drifted
