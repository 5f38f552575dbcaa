import json
import math

import pytest
from builders import make_profile, make_run
from otlp import write_attributes, write_json, write_protobuf, write_request
from summarising import make_categorical, make_numeric

from mltrace_exporter.decode import Encoding, decode_request
from mltrace_exporter.decode.distributions import METRIC_LIMIT, PROFILE_LIMIT
from mltrace_exporter.decode.runs import PROFILE_FAULTS
from mltrace_exporter.model import MetricValue, Run
from mltrace_otel.contract import attributes as names
from mltrace_otel.profiles.encoding import decode_columns

DELAYS = make_numeric("delay", [1.0, 2.0, None, -4.0])


def read_one(body: bytes, encoding: Encoding = Encoding.PROTOBUF) -> Run:
    (run,) = decode_request(body, encoding).runs
    return run


def test_profiles_and_metrics_come_through_both_encodings() -> None:
    sampled = make_profile(DELAYS, pointer="p", rows=100, looked_at=4, columns_left_out=3)
    metrics = (MetricValue("mae", 1.5), MetricValue("y", 2.0, is_output=True))
    run = make_run(profiles=(sampled,), metrics=metrics)

    assert read_one(write_protobuf([run])) == run
    assert read_one(write_json([run]), Encoding.JSON) == run


def test_numbers_that_are_none_are_kept() -> None:
    values = (math.nan, math.inf, -math.inf)
    run = make_run(metrics=tuple(MetricValue(f"m{n}", value) for n, value in enumerate(values)))

    for body, encoding in ((write_protobuf([run]), "protobuf"), (write_json([run]), "json")):
        metrics = read_one(body, Encoding[encoding.upper()]).metrics
        assert str([each.value for each in metrics]) == "[nan, inf, -inf]"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({names.PROFILE_COLUMNS: "{"}, "predictions: columns are no JSON"),
        ({names.PROFILE_COLUMNS: 5}, "are missing"),
        ({names.PROFILE_COLUMNS: f"[{' ' * 10**6}]"}, "take more than 1,000,000 characters"),
        ({names.PROFILE_ROWS: -1}, "are missing"),
        ({names.IO_DIRECTION: "sideways"}, "are missing"),
        ({names.PROFILE_VARIABLE: ""}, "a variable: its variable"),
    ],
)
def test_a_profile_that_cannot_be_read_costs_nothing_else(
    changes: dict[str, object], words: str
) -> None:
    run = make_run(profiles=(make_profile(DELAYS), make_profile(DELAYS, variable="good")))
    request = write_request([run])
    event = request.resource_spans[0].scope_spans[0].spans[0].events[0]
    kept = [each for each in event.attributes if each.key not in changes]
    del event.attributes[:]
    event.attributes.extend([*kept, *write_attributes(changes)])

    found = read_one(request.SerializeToString())

    assert [each.variable for each in found.profiles] == ["good"]
    assert words in str(found.attributes[PROFILE_FAULTS])


def test_what_cannot_be_stored_is_replaced() -> None:
    column = make_categorical("na\x00me", ["a\x00", "\ud800"])
    (profile,) = read_one(write_protobuf([make_run(profiles=(make_profile(column),))])).profiles
    (found,) = decode_columns(profile.columns)

    assert found.name == "na\N{REPLACEMENT CHARACTER}me"
    assert found.values
    assert dict(found.values.top).keys() == {"a\ufffd", "\ufffd"}
    assert "\\u0000" not in profile.figures


def test_of_two_profiles_of_a_variable_the_first_counts_of_metrics_the_last() -> None:
    run = make_run(
        profiles=(make_profile(DELAYS), make_profile(make_numeric("other", [1.0]))),
        metrics=(MetricValue("mae", 2.0), MetricValue("mae", 1.0)),
    )
    found = read_one(write_protobuf([run]))

    assert [json.loads(each.columns)[0]["name"] for each in found.profiles] == ["delay"]
    assert found.metrics == (MetricValue("mae", 1.0),)


def test_there_are_only_so_many() -> None:
    profiles = tuple(make_profile(variable=f"v{n}", rows=0) for n in range(PROFILE_LIMIT + 1))
    metrics = tuple(MetricValue(f"m{n}", 0.0) for n in range(METRIC_LIMIT + 1))
    found = read_one(write_protobuf([make_run(profiles=profiles, metrics=metrics)]))

    assert (len(found.profiles), len(found.metrics)) == (PROFILE_LIMIT, METRIC_LIMIT)
    assert found.attributes[PROFILE_FAULTS] == ["there are 201 profiles, of which 200 are kept"]
