"""The switch between light and dark."""

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse

from mltrace_exporter.panel import links
from mltrace_exporter.panel.contexts import Theme
from mltrace_exporter.panel.visits import THEME_COOKIE, Back, go_back

_YEAR_S = 365 * 24 * 3600

router = APIRouter()


@router.post(links.THEME)
def choose_theme(theme: Annotated[Theme, Form()], back: Back = links.RECENT) -> RedirectResponse:
    """Remember the colours that somebody chose, then go back to the page they were on."""
    answer = go_back(back)
    answer.set_cookie(THEME_COOKIE, theme, max_age=_YEAR_S, httponly=True, samesite="lax")
    return answer
