"""Components in the cells of a notebook."""

from pathlib import Path

from builders import names
from receiving import Receiver, run_program


def test_cells_of_a_notebook_are_recorded_with_their_source(
    receiver: Receiver, tmp_path: Path
) -> None:
    ended = run_program(
        tmp_path,
        """
        from IPython.core.interactiveshell import InteractiveShell

        decorator = "@Component('cell').run(output_vars=['y'])\\n"
        define = decorator + "def work(x):\\n    y = %s\\n    return y"
        shell = InteractiveShell.instance()
        cells = [
            "from mltrace_otel import Component",
            define % "x + '→'",
            "work('first')",
            "async def wait():\\n    return work('awaited')\\nawait wait()",
            define % "'changed'",
            "work('second')",
        ]
        for cell in cells:
            result = shell.run_cell(cell)
            assert result.success, result
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
        IPYTHONDIR=str(tmp_path),
    )

    assert ended.status == 0, ended.stderr
    first, awaited, second = receiver.runs("cell")
    assert names(first, "output") == ["first→"]
    assert names(awaited, "output") == ["awaited→"]
    assert "y = x + '→'" in (first.code or "")
    assert "y = 'changed'" in (second.code or "")
