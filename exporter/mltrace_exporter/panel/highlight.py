"""Source code to HTML, coloured by the static sheet ``code.css`` and by nothing in the page."""

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer, TextLexer, find_lexer_class_for_filename

STYLE_SHEET = "code.css"
_CLASS = "code"
_LIGHT, _DARK = "default", "github-dark"


def highlight_code(source: str, file_name: str | None, first_line: int | None) -> Markup:
    """Render a code snapshot with the line numbers of its file.

    Args:
        source: the text of the function.
        file_name: tells the language; without one it is Python.
        first_line: number of the first line, counted from 1.
    """
    lexer = find_lexer_class_for_filename(file_name) or TextLexer if file_name else PythonLexer
    formatter = HtmlFormatter(cssclass=_CLASS, linenos="inline", linenostart=first_line or 1)
    # Pygments escapes what it highlights.
    return Markup(highlight(source, lexer(), formatter))  # noqa: S704


def render_style_sheet() -> str:
    """Render the colours of highlighted code, light and dark: the content of ``code.css``."""
    light, dark = _render_rules(_LIGHT), _render_rules(_DARK)
    return (
        "/* Made by mltrace_exporter.panel.highlight.render_style_sheet; do not edit. */\n"
        f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"
    )


def _render_rules(style: str) -> str:
    sheet: str = HtmlFormatter(style=style).get_style_defs(f".{_CLASS}")  # type: ignore[no-untyped-call] # the stubs leave it out
    return "\n".join(rule for rule in sheet.splitlines() if rule.startswith(f".{_CLASS} ."))
