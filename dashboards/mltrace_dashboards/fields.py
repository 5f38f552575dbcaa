"""How values are shown: their colours, units and links.

One colour has one meaning on all dashboards: green is well, red failed, yellow stale or to be
looked at, blue goes on, purple is unknown, grey is nothing to say.
"""

from collections.abc import Mapping, Sequence

from mltrace_dashboards.model import Json

OK, FAILED, STALE, RUNNING, UNKNOWN, NOTHING = "green", "red", "yellow", "blue", "purple", "#8e8e8e"
COLOURS: Mapping[str, str] = {
    **dict.fromkeys(("ok", "passed", "succeeded", "stored", "accepted", "resolved"), OK),
    **dict.fromkeys(("error", "failed", "high", "malformed", "dead_lettered", "critical"), FAILED),
    **dict.fromkeys(("stale", "errored", "medium", "refused", "open", "warning"), STALE),
    **dict.fromkeys(("old_input", "fresher_run", "drifted_input"), STALE),
    **dict.fromkeys(("running", "low", "info"), RUNNING),
    **dict.fromkeys(("aborted",), UNKNOWN),
    **dict.fromkeys(("none", "skipped", "ignored", "duplicate"), NOTHING),
}
CODES: Mapping[str, int] = {"passed": 0, "skipped": 1, "errored": 2, "failed": 3}
"""Outcomes of tests as numbers, because a series has no words."""


def step(*steps: tuple[float | None, str]) -> Json:
    """Return thresholds: from each value on a colour; the first has none."""
    return {
        "mode": "absolute",
        "steps": [{"value": value, "color": colour} for value, colour in steps],
    }


PLAIN = step((None, "text"))
BAD_ABOVE_ZERO = step((None, OK), (1, FAILED))
LOOK_ABOVE_ZERO = step((None, OK), (1, STALE))


def colour_words(words: Sequence[str]) -> list[Json]:
    """Return mappings that show each word in its colour."""
    options = {
        word: {"index": index, "text": word, "color": COLOURS[word]}
        for index, word in enumerate(words)
    }
    return [{"type": "value", "options": options}]


def colour_codes() -> list[Json]:
    """Return mappings that show the numbers of outcomes as words in their colours."""
    options = {
        str(code): {"index": code, "text": word, "color": COLOURS[word]}
        for word, code in CODES.items()
    }
    return [{"type": "value", "options": options}]


def show_field(name: str, **properties: object) -> Json:
    """Return an override of one field; in a property's name ``__`` stands for a dot."""
    listed = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": listed}


def colour_field(name: str, words: Sequence[str], title: str = "") -> Json:
    """Return an override that shows the words of a column as coloured cells."""
    return show_field(
        name,
        displayName=title or name,
        mappings=colour_words(words),
        custom__cellOptions={"type": "color-background", "mode": "basic"},
        custom__width=100,
    )


def colour_series(*words: str) -> list[Json]:
    """Return overrides that give series named by words the colours of these."""
    return [
        show_field(word, color={"mode": "fixed", "fixedColor": COLOURS[word]}) for word in words
    ]


def link(title: str, url: str, *, outside: bool = False) -> Json:
    """Return a link of a cell, a series or a node."""
    return {"title": title, "url": url, "targetBlank": outside}


def link_run(field: str = "run_id", title: str = "Open the run") -> Json:
    """Return the link to the panel's page of the run whose number is in a column."""
    url = f"${{panel_url}}/runs/${{__data.fields.{field}:percentencode}}"
    return link(title, url, outside=True)


def link_trace(field: str = "output") -> Json:
    """Return the link to the panel's trace of the output that a column names."""
    url = f"${{panel_url}}/trace?output=${{__data.fields.{field}:percentencode}}"
    return link("Trace it", url, outside=True)


def link_output(field: str = "output") -> Json:
    """Return the link to the panel's page of the output that a column names."""
    url = f"${{panel_url}}/output?name=${{__data.fields.{field}:percentencode}}"
    return link("Open the output", url, outside=True)


def link_lineage(field: str = "output") -> Json:
    """Return the link to the lineage dashboard of the output that a column names."""
    return link_board(
        "Its lineage", "lineage", f"var-output=${{__data.fields.{field}:percentencode}}"
    )


def link_component(field: str = "component") -> Json:
    """Return the link to the dashboard of the component that a column names."""
    variable = f"var-component=${{__data.fields.{field}:percentencode}}"
    return link_board("Its history", "component", variable)


LINK_SERIES = link(
    "Its history",
    "/d/mltrace-component?var-component=${__field.labels.component:percentencode}"
    "&${__url_time_range}",
)
"""The link to the dashboard of the component that a series' label names."""


def link_board(title: str, name: str, variables: str = "") -> Json:
    """Return the link to another dashboard, at the same time range."""
    given = f"{variables}&" if variables else ""
    return link(title, f"/d/mltrace-{name}?{given}${{__url_time_range}}")


RUN = show_field("run_id", displayName="run", links=[link_run()], unit="none", custom__width=90)
COMPONENT = show_field("component", links=[link_component()])
STARTED = show_field("started_at", displayName="started", unit="dateTimeFromNow", custom__width=150)
TOOK = show_field("duration_s", displayName="took", unit="s", custom__width=100)
EXECUTION = colour_field("execution", ("ok", "error", "running", "aborted"), "ended")
TESTS = colour_field("tests", ("passed", "failed", "none"))
