"""Promises of the HTTP API: every route is documented, and all errors have one shape."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from serving import serve

from mltrace_exporter.main import create_app
from mltrace_otel.contract import api as contract

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ROUTES = {
    "/api/alerts": ["GET"],
    "/api/runs": ["GET"],
    "/api/runs/count": ["GET"],
    "/api/runs/{ref}": ["GET"],
    "/api/runs/{ref}/changes": ["GET"],
    "/api/runs/{ref}/drift": ["GET"],
    "/api/runs/{ref}/notes": ["GET", "POST"],
    "/api/runs/{ref}/profiles": ["GET"],
    "/api/components": ["GET"],
    "/api/components/{name}": ["GET", "PUT"],
    "/api/components/{name}/metrics": ["GET"],
    "/api/components/{name}/profiles": ["GET"],
    "/api/components/{name}/tests": ["GET"],
    "/api/tags": ["GET", "POST"],
    "/api/tags/{tag}": ["GET"],
    "/api/trace": ["GET"],
    "/api/trace/components": ["GET"],
    "/api/impact": ["GET"],
    "/api/impact/components": ["GET"],
    "/api/pointers/{name}": ["GET"],
    "/api/search": ["GET"],
    "/api/data": ["DELETE"],
    "/api/dead-letters": ["GET"],
    "/api/flags": ["GET", "POST"],
    "/api/flags/resolve": ["POST"],
    "/api/review": ["GET"],
}


@pytest.fixture
def server(engine: sa.Engine) -> Iterator[httpx.Client]:
    """The whole web application, as it runs."""
    with serve(create_app(engine)) as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture
def document(server: httpx.Client) -> dict[str, Any]:
    answer = server.get("/api/openapi.json").json()
    assert isinstance(answer, dict)
    return answer


def list_operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for item in document["paths"].values() for operation in item.values()]


def test_openapi_documents_the_routes_and_no_others(document: dict[str, Any]) -> None:
    documented = {
        path: sorted(method.upper() for method in item) for path, item in document["paths"].items()
    }

    assert documented == ROUTES


def test_every_route_is_described(document: dict[str, Any]) -> None:
    for operation in list_operations(document):
        assert operation["description"]
        assert "$ref" in str(operation["responses"]["200"]), operation["operationId"]
        for parameter in operation.get("parameters", ()):
            assert parameter["description"], (operation["operationId"], parameter["name"])


def test_every_answer_and_every_body_has_an_example(document: dict[str, Any]) -> None:
    for operation in list_operations(document):
        assert operation["responses"]["200"]["content"]["application/json"]["example"]
        body = operation.get("requestBody")
        assert body is None or "examples" in str(body), operation["operationId"]


def test_every_route_documents_the_one_shape_of_errors(document: dict[str, Any]) -> None:
    fields = set(contract.Problem.__dataclass_fields__)

    for operation in list_operations(document):
        errors = {key: value for key, value in operation["responses"].items() if key != "200"}
        assert {"400", "422", "503", "default"} <= set(errors)
        for error in errors.values():
            [(media_type, content)] = error["content"].items()
            assert media_type == "application/problem+json"
            assert set(content["schema"]["properties"]) == fields


@pytest.mark.parametrize("path", [*ROUTES, "/api", "/api/", "/api/nothing", "/api/openapi.json"])
def test_all_errors_of_all_routes_have_one_shape(server: httpx.Client, path: str) -> None:
    for method in METHODS:
        for query in ("", "?limit=0", "?limit=x", "?sort=x", "?output=", "?before=x"):
            answer = server.request(method, path + query, follow_redirects=True)
            if not answer.is_error:
                continue
            problem = contract.Problem(**answer.json())
            assert answer.headers["content-type"] == "application/problem+json"
            assert problem.status == answer.status_code < 500
            assert problem.title
            assert problem.detail
