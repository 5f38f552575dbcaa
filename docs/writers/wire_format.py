"""The page about the wire format."""

from mltrace_otel.contract.attributes import (
    ATTRIBUTES,
    METRIC_EVENT,
    PROFILE_EVENT,
    TEST_EVENT,
    Place,
)

_WIRE_FORMAT = f"""\
# Wire format

<!-- Written by docs/generate.py from mltrace_otel/contract/attributes.py: change it there. -->

A component run is one OpenTelemetry span. Any SDK in any language may emit it, over OTLP. Names
that OpenTelemetry's semantic conventions define are used as they are; the others begin with
`mltrace.`.

- A span is a component run if it has `mltrace.component.name` and has no `mltrace.record`. Other
  spans are ignored, but for the helpers below.
- The span's start and end are the run's. Status ERROR means that the run failed; the standard
  `exception` event says how.
- Each **link** that has `mltrace.io.direction` names one or more inputs or outputs. The link's own
  context is the span of the run that produced them where the sender knows it; otherwise it is the
  context of the span that carries the link.
- Each **event** named `{TEST_EVENT}` is the outcome of one test, each named `{PROFILE_EVENT}` how a
  variable was [distributed](../explanation/profiles.md), each named `{METRIC_EVENT}` a number. A
  profile that cannot be read is left out; the run's attribute `mltrace.profile.faults` says why.
- A child span with `mltrace.record` = `start` announces a run that goes on, or tells that its
  process ended before it did (`mltrace.run.state`). It has the run's attributes and the links of
  the inputs known so far. Several may come; the run's own span replaces what they said.
- A child span with `mltrace.record` = `io` has links for which the run's own span has no room.
  Senders put them there when the span would pass 1 MB.
- Spans may arrive in any order.
- A span is known by its trace id and span id: sending it twice changes nothing.
- An attribute of another type than declared here is kept among the run's other attributes and
  otherwise has no effect.
"""


def render_wire_format() -> str:
    """Return the page about the wire format."""
    return "\n".join([_WIRE_FORMAT, *(_render_place(place) for place in Place)])


def _render_place(place: Place) -> str:
    rows = [
        f"| `{each.key}` | {each.type}{', required' if each.required else ''} | {each.meaning} |"
        for each in ATTRIBUTES
        if each.place is place
    ]
    title = str(place)[0].upper() + str(place)[1:]
    return "\n".join(
        [f"## {title}", "", "| attribute | type | meaning |", "| --- | --- | --- |", *rows, ""]
    )
