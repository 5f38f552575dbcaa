"""The API against its own OpenAPI document: whatever is asked, the answer is a documented one.

Schemathesis makes requests from the document, sensible and senseless ones, and checks each answer's
status, media type and shape against it.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
from builders import make_run, make_test, read, wrote
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.result import Ok
from serving import serve

from mltrace_exporter.main import create_app
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_exporter.store.database import open_engine

EXAMPLES = 12
Operation = APIOperation[Any, Any, Any, Any]
NAMES = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)


def list_operations() -> list[Operation]:
    """All operations of the document; making it asks no database."""
    app = create_app(open_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing"))
    schema = schemathesis.openapi.from_dict(app.openapi())
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


@pytest.fixture
def url(engine: sa.Engine) -> Iterator[str]:
    """A server that holds a little of everything."""
    with engine.begin() as connection:
        runs = [
            make_run("0", 0, io=[wrote("0")], notes="0", partition="0"),
            make_run("inference", 1, io=[read("0"), wrote("1")], tests=(make_test(),)),
        ]
        write_runs(connection, runs)
    with serve(create_app(engine, allows_clean=True)) as url:
        yield url


def test_every_answer_is_a_documented_one(url: str) -> None:
    load_all_checks()
    for operation in list_operations():
        ask(url, operation)


def ask(url: str, operation: Operation) -> None:
    checks: list[Any] = [CHECKS.get_one(name) for name in NAMES]
    documented = operation.definition.raw["responses"]
    # Some operations take nothing that could make no sense.
    cases = st.one_of([operation.as_strategy(generation_mode=mode) for mode in GenerationMode])

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def ask_once(case: Case[Any]) -> None:
        response = case.call(base_url=url, timeout=20)
        case.validate_response(response, checks=checks)
        assert str(response.status_code) in documented, (operation.label, response.content)

    ask_once()


def test_the_document_itself_is_valid(url: str) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/api/openapi.json")

    schema.validate()
