import gzip
import json
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from urllib.parse import urlsplit

import grpc
import httpx
import pytest
import sqlalchemy as sa
from builders import make_run
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from otlp import write_json, write_protobuf
from serving import LIMIT_BYTES, TIMEOUT_S, serve, serve_grpc, serve_http

from mltrace_exporter.ingest import Ingest
from mltrace_exporter.receive import create_http_door
from mltrace_exporter.store.database import migrate
from mltrace_exporter.tally import Tally

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}


def post(url: str, body: bytes | Iterator[bytes], headers: dict[str, str]) -> httpx.Response:
    # Not verifying saves each call a tenth of a second: nothing here is encrypted.
    with httpx.Client(verify=False, timeout=30) as client:  # noqa: S501 - plain HTTP
        return client.post(f"{url}/v1/traces", content=body, headers=headers)


def read_status(response: httpx.Response) -> Status:
    assert response.headers["content-type"] == "application/x-protobuf"
    return Status.FromString(response.content)


def test_a_success_means_stored(http_url: str, stored: Callable[[], list[str]]) -> None:
    answer = post(http_url, write_protobuf([make_run("a"), make_run("b")]), PROTOBUF)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/x-protobuf"
    assert stored() == ["a", "b"]


def test_json_is_answered_in_json(http_url: str, stored: Callable[[], list[str]]) -> None:
    headers = {"content-type": "Application/JSON; charset=utf-8"}
    answer = post(http_url, write_json([make_run("a")]), headers)
    assert (answer.status_code, answer.json()) == (200, {})
    assert answer.headers["content-type"] == "application/json"
    assert stored() == ["a"]


def test_the_same_request_twice_is_stored_once(
    http_url: str, stored: Callable[[], list[str]]
) -> None:
    body = write_protobuf([make_run("a")])
    assert [post(http_url, body, PROTOBUF).status_code for _ in range(2)] == [200, 200]
    assert stored() == ["a"]


def test_gzip_in_one_member_or_many_and_chunks_are_read(
    http_url: str, stored: Callable[[], list[str]]
) -> None:
    one, two = write_protobuf([make_run("a")]), write_protobuf([make_run("b")])
    body = gzip.compress(one) + gzip.compress(two)
    chunks = (body[index : index + 7] for index in range(0, len(body), 7))
    assert post(http_url, chunks, {**PROTOBUF, **GZIP}).status_code == 200
    assert post(http_url, gzip.compress(write_json([])), {**JSON, **GZIP}).status_code == 200
    assert stored() == ["a", "b"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"", PROTOBUF), (b"", JSON), (b"{}", JSON), (b'{"resourceSpans": null}', JSON)],
)
def test_an_empty_request_is_a_success(http_url: str, body: bytes, headers: dict[str, str]) -> None:
    assert post(http_url, body, headers).status_code == 200


@pytest.mark.parametrize("body", [b"\x0a\xff", write_protobuf([make_run()])[:-3]])
def test_what_is_no_protobuf_is_refused_for_good(http_url: str, body: bytes) -> None:
    answer = post(http_url, body, PROTOBUF)
    assert answer.status_code == 400
    status = read_status(answer)
    assert status.code == 3
    details = BadRequest()
    assert status.details[0].Unpack(details)
    assert "no OTLP trace request" in details.field_violations[0].description


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"resourceSpans": 5}', b"\xff"])
def test_what_is_no_otlp_json_is_refused_in_json(http_url: str, body: bytes) -> None:
    answer = post(http_url, body, JSON)
    assert answer.status_code == 400
    assert answer.json()["code"] == 3
    assert answer.json()["details"][0]["@type"].endswith("google.rpc.BadRequest")


@pytest.mark.parametrize("body", [b"no gzip", gzip.compress(b"x" * 999, mtime=0)[:-9]])
def test_what_is_no_whole_gzip_is_refused(http_url: str, body: bytes) -> None:
    answer = post(http_url, body, {**PROTOBUF, **GZIP})
    assert answer.status_code == 400
    assert "gzip" in read_status(answer).message


def test_a_request_over_the_limit_is_refused_with_or_without_its_length(http_url: str) -> None:
    bodies: list[bytes | Iterator[bytes]] = [bytes(1_000_001), iter([bytes(600_000)] * 2)]
    for body in bodies:
        answer = post(http_url, body, PROTOBUF)
        assert answer.status_code == 413
        assert "larger than 1000000 bytes" in read_status(answer).message


def test_a_gzip_bomb_is_refused_before_it_is_made(http_url: str) -> None:
    bomb = gzip.compress(bytes(200_000_000), compresslevel=9)
    tracemalloc.start()
    answer = post(http_url, bomb, {**PROTOBUF, **GZIP})
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.status_code == 413
    assert peak_bytes < 20_000_000


def test_many_small_bodies_do_not_become_large_all_at_once(ingest: Ingest) -> None:
    limit_bytes = 32 * 1024 * 1024
    # A field that OTLP does not have: read, and ignored.
    bomb = gzip.compress(b"\x7a\x80\x80\x80\x0f" + bytes(15 * 2**21))
    with (
        serve(create_http_door(ingest, limit_bytes, TIMEOUT_S)) as url,
        ThreadPoolExecutor(16) as senders,
    ):
        tracemalloc.start()
        sent = [senders.submit(post, url, bomb, {**PROTOBUF, **GZIP}) for _ in range(16)]
        statuses = {each.result().status_code for each in sent}
        _, peak_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert statuses <= {200, 503}
    assert peak_bytes < 12 * limit_bytes


@pytest.mark.parametrize(
    "headers",
    [{}, {"content-type": "text/plain"}, {**JSON, "content-encoding": "zstd"}],
)
def test_an_encoding_not_read_here_is_named(http_url: str, headers: dict[str, str]) -> None:
    answer = post(http_url, b"{}", headers)
    assert answer.status_code == 415
    assert answer.json()["message"]


def test_a_refusal_is_in_the_encoding_of_the_request(http_url: str) -> None:
    headers = {"content-type": "Application/X-Protobuf; charset=utf-8"}
    assert read_status(post(http_url, b"no protobuf", headers)).message


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/traces", 405),
        ("POST", "/v1/metrics", 404),
        ("POST", "/v1/logs", 404),
        # A redirect is success to some senders, which do not follow it.
        ("POST", "/v1/traces/", 404),
    ],
)
def test_other_paths_are_refused_in_the_same_shape(
    http_url: str, method: str, path: str, status: int
) -> None:
    answer = httpx.request(method, f"{http_url}{path}", headers=PROTOBUF)
    assert answer.status_code == status
    assert "/v1/traces" in read_status(answer).message


def test_each_request_is_counted_by_its_answer(engine: sa.Engine) -> None:
    tally = Tally(engine)
    ingest = Ingest(engine, tally)
    with serve_http(ingest) as url, serve_grpc(ingest) as address:
        post(url, write_protobuf([make_run()]), PROTOBUF)
        for body, headers in (
            (b"{}", {"content-type": "text/plain"}),
            (bytes(LIMIT_BYTES + 1), PROTOBUF),
            (b"no gzip", {**PROTOBUF, **GZIP}),
            (b"no JSON", JSON),
        ):
            assert 400 <= post(url, body, headers).status_code < 500
        with grpc.insecure_channel(address) as channel:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(EXPORT)
            too_large = call.future(bytes(LIMIT_BYTES + 1), timeout=30)
            assert too_large.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        ingest.close()
        assert post(url, write_protobuf([make_run()]), PROTOBUF).status_code == 503
    samples = [sample for metric in tally.collect() for sample in metric.samples]
    answers = {each.labels["answer"]: each.value for each in samples if "answer" in each.labels}
    assert answers == {"accepted": 1, "malformed": 5, "refused": 1}


def test_a_table_that_somebody_holds_is_waited_for_a_little(
    http_url: str, engine: sa.Engine, stored: Callable[[], list[str]]
) -> None:
    body = write_protobuf([make_run("etl")])
    with ThreadPoolExecutor() as pool:
        with engine.begin() as holder:
            tables = "component_run, alembic_version"
            holder.execute(sa.text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
            # Migrations take such locks themselves, and wait for each other.
            migrated = pool.submit(migrate, engine)
            answer = post(http_url, body, PROTOBUF)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
            assert not wait([migrated], 0.5).done
        migrated.result(20)
    assert post(http_url, body, PROTOBUF).status_code == 200
    assert stored() == ["etl"]


def test_without_a_database_the_sender_is_asked_to_come_back(
    http_url_without_database: str,
) -> None:
    answer = post(http_url_without_database, write_protobuf([make_run()]), PROTOBUF)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    details = RetryInfo()
    assert read_status(answer).details[0].Unpack(details)
    assert details.retry_delay.ToMilliseconds() >= 1000


def test_a_sender_that_hangs_up_half_way_disturbs_nobody(
    http_url: str, stored: Callable[[], list[str]]
) -> None:
    address = urlsplit(http_url)
    head = "POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    assert post(http_url, write_json([make_run("after")]), JSON).status_code == 200
    assert stored() == ["after"]


def test_many_senders_at_once_lose_nothing(http_url: str, stored: Callable[[], list[str]]) -> None:
    bodies = [write_protobuf([make_run(f"c{n:03}")]) for n in range(100)]
    with ThreadPoolExecutor(20) as senders:
        answers = list(senders.map(lambda body: post(http_url, body, PROTOBUF), bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert stored() == [f"c{n:03}" for n in range(100)]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=200) | st.text(max_size=50).map(lambda text: json.dumps(text).encode()),
    headers=st.sampled_from([PROTOBUF, JSON, {**PROTOBUF, **GZIP}, {**JSON, **GZIP}]),
    cut=st.booleans(),
)
def test_random_bytes_never_make_the_door_fail(
    http_url: str, body: bytes, headers: dict[str, str], *, cut: bool
) -> None:
    if "content-encoding" in headers:
        body = gzip.compress(body)[: -3 if cut else None]
    assert post(http_url, body, headers).status_code in (200, 400)
