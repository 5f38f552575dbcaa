import subprocess
import sys
from pathlib import Path
from textwrap import dedent

CACHE = Path(__file__).parents[2] / ".mypy_cache" / "typing"
PROGRAM = dedent(
    """
    from collections.abc import Coroutine
    from typing import assert_type
    from mltrace_otel import Component

    component = Component("c", tags=["t"])

    @component.run
    def bare(x: int, *, deep: bool = False) -> str:
        return str(x) * deep

    @component.run(input_vars=["x"], output_vars="y", partition="x")
    def called(x: int) -> list[int]:
        y = [x]
        return y

    @component.run
    async def later(x: int) -> bytes:
        return bytes(x)

    class Pipeline:
        @component.run
        def step(self, x: int) -> float:
            return x / 2

    assert_type(bare(1, deep=True), str)
    assert_type(called(1), list[int])
    assert_type(Pipeline().step(3), float)
    coroutine: Coroutine[object, object, bytes] = later(1)
    bare("1")
    called(x=1, y=2)
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
    ]
