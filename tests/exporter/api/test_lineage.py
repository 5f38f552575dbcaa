from collections.abc import Callable

import httpx
from builders import make_run, read, wrote


def test_a_trace_leads_from_the_output_to_what_it_was_made_of(
    api: httpx.Client, record: Callable[..., None]
) -> None:
    record(
        make_run("cleaning", start=0, io=[wrote("data/clean.csv")]),
        make_run("training", start=5, io=[read("data/clean.csv"), wrote("model & co")]),
    )

    trace = api.get("/api/trace", params={"output": "model & co"}).json()

    assert [(node["run"]["component"], node["depth"]) for node in trace["nodes"]] == [
        ("training", 0),
        ("cleaning", 1),
    ]
    assert trace["edges"][0]["pointer"] == "data/clean.csv"
    assert not trace["truncated"]
