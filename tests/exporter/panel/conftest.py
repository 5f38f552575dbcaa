"""A served panel: over an empty database, or over one with a pipeline whose words are hostile."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from browsing import HOSTILE, QUIET, WINDOWS
from builders import make_run, make_test, read, wrote
from playwright.sync_api import Browser, Page, sync_playwright
from provide import find_program
from serving import serve

from mltrace_exporter.main import create_app
from mltrace_exporter.marks import flag_outputs
from mltrace_exporter.model import Words
from mltrace_exporter.store.arrivals.write import write_runs
from mltrace_otel.contract.api import FlagRequest

LONG = f"s3://bucket/{'deeply/nested/' * 20}part-00000.parquet"
CODE = '''def train(features, rate=0.1):
    """Fit the model."""  # </pre><script>alert('code')</script>
    return Ridge(alpha=rate).fit(features)
'''


@pytest.fixture
def address(engine: sa.Engine) -> Iterator[str]:
    """URL of a panel over a database without runs."""
    with serve(create_app(engine)) as url:
        yield url


@pytest.fixture
def pipeline(address: str, engine: sa.Engine) -> str:
    """URL of a panel over a pipeline of six runs, ids 1 to 6, with three flagged outputs."""
    runs = [
        make_run("ingest", 0, io=[wrote("raw.csv", "xxh3:01")]),
        make_run(
            "cleaning",
            10,
            io=[read("raw.csv", "xxh3:02"), wrote("clean.parquet", "xxh3:03", labels=("pii",))],
            tests=(make_test(), make_test("testNulls", "fail", message="3 of 200 rows are null")),
            git_hash="596b1e12bcf849ebd6db856071b90aad7e921c8d",
            git_dirty=True,
        ),
        make_run(
            "training",
            60 * 24 * 60,
            io=[read("clean.parquet", "xxh3:03"), wrote("model.joblib", "xxh3:04")],
            tests=(make_test(),),
            code=CODE,
            code_file="flights/train.py",
            code_line=41,
            notes="Reran by hand.",
            attributes={"rate": 0.1},
            resource={"service.name": "flights"},
        ),
        make_run(
            "features", 60 * 24 * 60 + 5, io=[read("clean.parquet", "xxh3:03"), wrote("features")]
        ),
        make_run(
            "inference",
            60 * 24 * 60 + 10,
            io=[
                read("model.joblib", "xxh3:04"),
                read("features"),
                *(wrote(f"prediction-{number}") for number in range(40)),
            ],
            partition="2013-05-09",
        ),
        make_run(
            HOSTILE,
            60 * 24 * 60 + 20,
            words=Words(HOSTILE, HOSTILE, (HOSTILE,)),
            io=[read("prediction-1"), wrote(HOSTILE), wrote(LONG)],
            execution="error",
            error_type=HOSTILE,
            message=HOSTILE,
            notes=HOSTILE,
            partition=HOSTILE,
            code=HOSTILE,
            code_file=HOSTILE,
            code_function=HOSTILE,
            git_hash=HOSTILE,
            git_ref=HOSTILE,
            git_repository=f"javascript:{HOSTILE}",
            git_tags=(HOSTILE,),
            tests=(make_test(HOSTILE, "fail", message=HOSTILE),),
            attributes={HOSTILE: [HOSTILE]},
        ),
    ]
    with engine.begin() as connection:
        for run in runs:
            write_runs(connection, [run])
        flagged = ["prediction-1", "prediction-2", HOSTILE]
        flag_outputs(connection, FlagRequest(flagged, reason=HOSTILE, by=HOSTILE))
    return address


# As long as Playwright is there, no other test of this process can run an event loop of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium for the tests of a file."""
    chromium = find_program("chromium")
    if chromium is None:
        pytest.skip("Chromium is missing; `make services` gets it.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser that knows nothing yet."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.fixture(params=WINDOWS, ids=lambda window: f"{window[0]}-{window[1]}")
def window(browser: Browser, request: pytest.FixtureRequest) -> Iterator[tuple[Page, str]]:
    """A page in each theme and width, with the name of both."""
    theme, width = request.param
    context = browser.new_context(color_scheme=theme, viewport={"width": width, "height": 900})
    yield context.new_page(), f"{theme}-{width}"
    context.close()
