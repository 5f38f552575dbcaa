"""Numbers in sentences."""

_WHOLE = 1000


def percent(share: float) -> str:
    """Return a share, e.g. ``0.25 %``."""
    return f"{100 * share:.3g} %"


def rough(value: float) -> str:
    """Return a number with three digits, or all those before the point, thousands apart."""
    return f"{value:,.0f}" if _WHOLE <= abs(value) < 1e15 else f"{value:.3g}"  # noqa: PLR2004
