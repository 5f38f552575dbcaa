"""Source code to HTML, coloured by the static sheet ``code.css`` and by nothing in the page."""

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
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
    formatter = HtmlFormatter(cssclass=_CLASS, linenos="inline", linenostart=first_line or 1)
    # Pygments escapes what it highlights.
    return Markup(highlight(source, _find_lexer(file_name), formatter))  # noqa: S704


def highlight_lines(source: str, file_name: str | None) -> list[Markup]:
    """Render each line of a code snapshot for itself; as many as ``source.splitlines()`` has."""
    lines = source.splitlines()
    lexer = _find_lexer(file_name, stripnl=False, ensurenl=False)
    text = highlight("\n".join(lines), lexer, HtmlFormatter(nowrap=True))
    rendered = [Markup(line) for line in text.split("\n")]  # noqa: S704 - as above
    return rendered[: len(lines)] + [Markup()] * (len(lines) - len(rendered))


def _find_lexer(file_name: str | None, **options: bool) -> Lexer:
    kind = find_lexer_class_for_filename(file_name) or TextLexer if file_name else PythonLexer
    return kind(**options)


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
