"""Scrapes an exporter as Prometheus does, once it has read what is stored by now."""

import time

import httpx
from services import await_value

_LAST_POLL = "mltrace_exporter_last_poll_timestamp_seconds "


def scrape(panel: str) -> str:
    """Return the metrics of an exporter, which tell everything that is stored already.

    Args:
        panel: the exporter's URL.
    """
    asked_s = time.time()

    def read_newer() -> str | None:
        page = httpx.get(f"{panel}/metrics", timeout=30).raise_for_status().text
        return page if read_sample(page, _LAST_POLL) > asked_s else None

    return await_value(read_newer, "the next reading of the database", 60, 0.1)


def read_sample(page: str, series: str) -> float:
    """Return the value of one series; ``series`` is its name, its labels and a space."""
    (line,) = [line for line in page.splitlines() if line.startswith(series)]
    return float(line.removeprefix(series))
