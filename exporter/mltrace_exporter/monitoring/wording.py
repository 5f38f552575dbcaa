"""Sentences with blanks, filled in by Prometheus or here: ``Test {test} of {component} failed``.

A blank is the name of a label, or ``value``. After a colon stands how it is written: ``query``, as
part of an address; ``of``, after that word, or nothing if it is empty; ``age``, as a duration;
``share``, as a percentage; ``measure``, in two digits.
"""

import re
from collections.abc import Mapping
from string import Formatter
from urllib.parse import quote_plus

_PROMETHEUS = {
    "": "",
    "query": " | urlquery",
    "age": " | humanizeDuration",
    "share": " | humanizePercentage",
    "number": " | humanize",
    "measure": ' | printf "%.2g"',
}
_UNITS_S = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def write_template(sentence: str) -> str:
    """Return the sentence as Prometheus fills it in."""
    return "".join(
        literal + (_ask(blank, form or "") if blank else "")
        for literal, blank, form, _ in Formatter().parse(sentence)
    )


def fill_in(sentence: str, labels: Mapping[str, str], value: float) -> str:
    """Return the sentence with these labels and this value."""
    return "".join(
        literal + (_write(blank, form or "", labels, value) if blank else "")
        for literal, blank, form, _ in Formatter().parse(sentence)
    )


def read_blanks(sentence: str) -> set[str]:
    """Return the labels that a sentence names."""
    return {blank for _, blank, _, _ in Formatter().parse(sentence) if blank} - {"value"}


def say_duration(duration_s: float) -> str:
    """Return a duration as Prometheus writes it, e.g. ``3d 2h 0m 5s``."""
    left, parts = int(duration_s), list[str]()
    for unit, unit_s in _UNITS_S:
        if left >= unit_s or parts or unit_s == 1:
            parts.append(f"{left // unit_s}{unit}")
            left %= unit_s
    return " ".join(parts)


def _ask(blank: str, form: str) -> str:
    name = "$value" if blank == "value" else f"$labels.{blank}"
    if form == "of":
        return f"{{{{ with {name} }}}} of {{{{ . }}}}{{{{ end }}}}"
    return f"{{{{ {name}{_PROMETHEUS[form]} }}}}"


def _write(blank: str, form: str, labels: Mapping[str, str], value: float) -> str:
    if blank != "value":
        text = labels.get(blank, "")
        if form == "of":
            return text and f" of {text}"
        return quote_plus(text) if form == "query" else text
    if form == "age":
        return say_duration(value)
    if form == "measure":
        return f"{value:.2g}"
    return re.sub(r"\.?0+$", "", f"{100 * value:.4g}") + "%" if form == "share" else f"{value:.4g}"
