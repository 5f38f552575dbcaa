from pathlib import Path

from mltrace_exporter import panel
from mltrace_exporter.panel.highlight import STYLE_SHEET, highlight_code, render_style_sheet


def test_the_style_sheet_is_what_its_generator_renders() -> None:
    sheet = Path(panel.__file__).parent / "static" / STYLE_SHEET
    assert sheet.read_text() == render_style_sheet()


def test_code_is_escaped_and_brings_no_style_of_its_own() -> None:
    html = highlight_code("x = '</pre><script>'", "train.py", 1)
    assert "<script" not in html
    assert "style=" not in html


def test_lines_are_numbered_as_in_their_file() -> None:
    assert '<span class="linenos">41</span>' in highlight_code("a = 1\nb = 2\n", "train.py", 41)


def test_code_of_an_unknown_language_is_shown_too() -> None:
    assert "ls -l | wc" in highlight_code("ls -l | wc", "</pre><script>", None)
