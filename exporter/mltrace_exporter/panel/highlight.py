"""Source code to HTML, coloured by the static sheet ``code.css`` and by nothing in the page."""

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer, TextLexer, find_lexer_class_for_filename
from pygments.style import StyleMeta
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES, _TokenType

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
    light, dark = get_style_by_name(_LIGHT), get_style_by_name(_DARK)
    rules = [
        f".{_CLASS} .{name} {{ "
        f"color: light-dark({_colour(light, token)}, {_colour(dark, token)}) }}"
        for token, name in STANDARD_TYPES.items()
        if name and any(style.style_for_token(token)["color"] for style in (light, dark))
    ]
    made_by = "/* Made by mltrace_exporter.panel.highlight.render_style_sheet; do not edit. */"
    return "\n".join([made_by, *rules, ""])


def _colour(style: StyleMeta, token: _TokenType) -> str:
    colour = style.style_for_token(token)["color"]
    return f"#{colour}" if colour else "currentcolor"
