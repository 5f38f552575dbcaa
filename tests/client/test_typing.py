import subprocess
import sys
from pathlib import Path
from textwrap import dedent

CACHE = Path(__file__).parents[2] / ".mypy_cache" / "typing"
PROGRAM = dedent(
    """
    from collections.abc import (
        AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping
    )
    from typing import assert_type
    from mltrace_otel import (
        Component, ComponentRun, PastRuns, Test, TestsFailed, register
    )

    class Rows(Test):
        def testRows(self, rows: list[int]) -> None:
            self.assertGreater(len(rows), 1)

        def testUsual(self, rows: list[int], history: PastRuns) -> int:
            if not history.runs:
                self.skip("it is the first run")
            assert_type(history.runs[0].id, int)
            assert_type(history.of("other"), PastRuns)
            self.fail("it never ends here")

    class Cleaning(Component):
        def beforeRun(self, run: ComponentRun, variables: Mapping[str, object]) -> None:
            run.add_input("config.yaml")

        def afterRun(self) -> None:
            pass

    component = Cleaning(
        "c", tags=["t"], beforeTests=[Rows], afterTests=[Rows()], on_test_failure="raise"
    )

    @component.run
    def bare(x: int, *, deep: bool = False) -> str:
        return str(x) * deep

    @component.run(
        input_vars={"x": "label", "y": ["a", "b"], "z": None}, output_vars="y", partition="x",
        auto_log=True, skip_before=True, endpoint=True, staleness_threshold=60, rows="y",
        on_test_failure="record",
    )
    def called(x: int) -> list[int]:
        y = [x]
        return y

    @register("r", ["a.csv"], output_kwargs={"ids": "scores"}, staleness_threshold=60.0)
    def registered(x: int, /, *rest: str) -> dict[str, int]:
        return {str(rest): x}

    @component.run
    async def later(x: int) -> bytes:
        return bytes(x)

    @component.run
    def batches(x: int) -> Generator[int, str, bool]:
        yield x
        return True

    @component.run(auto_log=True)
    async def stream(x: int) -> AsyncIterator[int]:
        yield x

    class Pipeline:
        @component.run
        def step(self, x: int) -> float:
            return x / 2

        @component.run(input_vars=["x"])
        async def wait(self, x: int) -> float:
            return x / 2

        @staticmethod
        @component.run
        def still(x: int) -> int:
            return x

        @classmethod
        @component.run
        def whole(cls, x: int) -> str:
            return cls.__name__ * x

        @property
        @component.run
        def size(self) -> int:
            return 1

    assert_type(bare(1, deep=True), str)
    assert_type(called(1), list[int])
    assert_type(registered(1, "a", "b"), dict[str, int])
    assert_type(batches(1), Generator[int, str, bool])
    assert_type(stream(1), AsyncIterator[int])
    assert_type(Pipeline().step(3), float)
    assert_type(Pipeline().still(3), int)
    assert_type(Pipeline.whole(3), str)
    assert_type(Pipeline().size, int)
    take: Callable[[Pipeline, int], float] = Pipeline.step
    coroutine: Coroutine[object, object, bytes] = later(1)

    async def call() -> None:
        assert_type(await later(1), bytes)
        assert_type(await Pipeline().wait(1), float)

    try:
        bare(1)
    except TestsFailed as failed:
        assert_type([outcome.message for outcome in failed.outcomes], list[str | None])

    bare("1")
    called(x=1, y=2)
    registered(x=1)
    Pipeline().step("1")
    component.run(rows=1)
    component.run(staleness_threshold="long")
    Component("c", on_test_failure="ignore")
    """
)

# What the signatures do not depend on is left out, because it takes long.
SETTINGS = """
[mypy]
strict = True
[mypy-google.*,grpc.*,httpx.*,joblib.*,numpy.*,opentelemetry.*,pandas.*,xxhash.*]
follow_imports = skip
"""


def test_a_decorated_function_keeps_its_signature_for_mypy(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "mypy.ini").write_text(SETTINGS)

    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "mypy", f"--cache-dir={CACHE}", "program.py"],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )

    lines = [line for line in done.stdout.splitlines() if line.startswith("program.py:")]
    assert [line.partition(": error: ")[2] for line in lines if ": error: " in line] == [
        'Argument 1 to "bare" has incompatible type "str"; expected "int"  [arg-type]',
        'Unexpected keyword argument "y" for "called"  [call-arg]',
        'Unexpected keyword argument "x" for "registered"  [call-arg]',
        (
            'Argument 1 to "step" of "Pipeline" has incompatible type "str"; expected "int"'
            "  [arg-type]"
        ),
        'No overload variant of "run" of "Component" matches argument type "int"  [call-overload]',
        'No overload variant of "run" of "Component" matches argument type "str"  [call-overload]',
        (
            'Argument "on_test_failure" to "Component" has incompatible type '
            "\"Literal['ignore']\"; "
            "expected \"Literal['record', 'raise']\"  [arg-type]"
        ),
    ]
