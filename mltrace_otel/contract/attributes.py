"""The wire format: every attribute of a component run's span, declared once.

Any OpenTelemetry SDK in any language may emit it. ``docs/reference/wire-format.md`` is generated
from this module. Names that OpenTelemetry's semantic conventions define are used as they are.
"""

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where an attribute stands in an OTLP trace."""

    RESOURCE = "resource"
    SPAN = "span"
    LINK = "link"
    TEST_EVENT = "event mltrace.test"
    PROFILE_EVENT = "event mltrace.profile"
    METRIC_EVENT = "event mltrace.metric"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of the wire format: its type is OTLP's, its unit stands in the meaning."""

    key: str
    place: Place
    type: str
    meaning: str
    required: bool = False


ATTRIBUTES: list[Attribute] = []


def _declare(key: str, place: Place, type_: str, meaning: str, *, required: bool = False) -> str:
    ATTRIBUTES.append(Attribute(key, place, type_, meaning, required))
    return key


# The span: what ran.
COMPONENT_NAME = _declare(
    "mltrace.component.name",
    Place.SPAN,
    "string",
    "Name of the component. A span that has it, and has no `mltrace.record`, is a component run.",
    required=True,
)
COMPONENT_OWNER = _declare(
    "mltrace.component.owner", Place.SPAN, "string", "Who answers for the component."
)
COMPONENT_DESCRIPTION = _declare(
    "mltrace.component.description", Place.SPAN, "string", "What the component does."
)
COMPONENT_TAGS = _declare(
    "mltrace.component.tags", Place.SPAN, "string[]", "Words to find the component by."
)
RECORD = _declare(
    "mltrace.record",
    Place.SPAN,
    "string",
    "Marks a helper span that is no component run of its own: `start` or `io`. Its parent is the "
    "span of the run that it is about.",
)
RUN_STATE = _declare(
    "mltrace.run.state",
    Place.SPAN,
    "string",
    "Of a `start` span: `running`, or `aborted` if the run's process ended before the run did.",
)
RUN_ALIVE = _declare(
    "mltrace.run.alive",
    Place.SPAN,
    "double",
    "Of a `start` span: seconds from the run's start to when the run was last known to go on.",
)
RUN_NOTES = _declare("mltrace.run.notes", Place.SPAN, "string", "Free text about this run.")
RUN_STALENESS_THRESHOLD = _declare(
    "mltrace.run.staleness_threshold",
    Place.SPAN,
    "double",
    "Age in seconds above which an input makes the run stale. Default 2592000 (30 days).",
)
RUN_UPSTREAM = _declare(
    "mltrace.run.upstream",
    Place.SPAN,
    "string[]",
    "Components declared by hand as upstream: the latest earlier run of each is a dependency.",
)
RUN_INFERS_DEPENDENCIES = _declare(
    "mltrace.run.infers_dependencies",
    Place.SPAN,
    "boolean",
    "False if inputs say nothing about dependencies, so that only `mltrace.run.upstream` counts. "
    "Default true.",
)
RUN_PARTITION = _declare(
    "mltrace.run.partition",
    Place.SPAN,
    "string",
    "What part of the data the run was about, e.g. a customer or a day. Fresher runs are looked "
    "for in the same partition.",
)
INPUTS = _declare(
    "mltrace.inputs", Place.SPAN, "string[]", "Input names, for tools that cannot make links."
)
OUTPUTS = _declare(
    "mltrace.outputs", Place.SPAN, "string[]", "Output names, for tools that cannot make links."
)
IO_OFFSET = _declare(
    "mltrace.io.offset",
    Place.SPAN,
    "int",
    "Of an `io` span: how many pointers the run's other spans name before this one's.",
)
CODE_SNAPSHOT = _declare(
    "mltrace.code.snapshot", Place.SPAN, "string", "Source of the function, at most 64 KiB."
)
CODE_FUNCTION_NAME = _declare(
    "code.function.name", Place.SPAN, "string", "Fully qualified name of the function."
)
CODE_FILE_PATH = _declare("code.file.path", Place.SPAN, "string", "File that holds the function.")
CODE_LINE_NUMBER = _declare(
    "code.line.number", Place.SPAN, "int", "Line on which the function begins."
)
VCS_REVISION = _declare("vcs.ref.head.revision", Place.SPAN, "string", "Commit checked out.")
VCS_REF = _declare("vcs.ref.head.name", Place.SPAN, "string", "Branch or tag checked out.")
VCS_REPOSITORY = _declare(
    "vcs.repository.url.full", Place.SPAN, "string", "Where the repository was cloned from."
)
VCS_TAGS = _declare("mltrace.vcs.tags", Place.SPAN, "string[]", "Tags that point at the commit.")
VCS_DIRTY = _declare(
    "mltrace.vcs.dirty", Place.SPAN, "boolean", "True if tracked files differed from the commit."
)
ERROR_TYPE = _declare(
    "error.type", Place.SPAN, "string", "Class of the exception that ended the run."
)

# The resource: where it ran.
SERVICE_NAME = _declare("service.name", Place.RESOURCE, "string", "The program.")
SERVICE_NAMESPACE = _declare(
    "service.namespace", Place.RESOURCE, "string", "The group of programs it belongs to."
)
DEPLOYMENT_ENVIRONMENT = _declare(
    "deployment.environment.name", Place.RESOURCE, "string", "For example production or staging."
)
HOST_NAME = _declare("host.name", Place.RESOURCE, "string", "The machine.")
PROCESS_PID = _declare("process.pid", Place.RESOURCE, "int", "The process.")

# Links: what the run read and wrote.
IO_DIRECTION = _declare(
    "mltrace.io.direction", Place.LINK, "string", "`input` or `output`.", required=True
)
IO_NAME = _declare(
    "mltrace.io.name",
    Place.LINK,
    "string",
    "Name of the pointer. Every link has this or `mltrace.io.names`.",
)
IO_NAMES = _declare(
    "mltrace.io.names",
    Place.LINK,
    "string[]",
    "Names of many pointers that share the link's other attributes, such as a batch's ids.",
)
IO_DIGEST = _declare(
    "mltrace.io.digest",
    Place.LINK,
    "string",
    "`<algorithm>:<hex>` of the content; absent when unknown.",
)
IO_DIGESTS = _declare(
    "mltrace.io.digests",
    Place.LINK,
    "string[]",
    "One digest for each of `mltrace.io.names`, empty where unknown.",
)
IO_TYPE = _declare(
    "mltrace.io.type", Place.LINK, "string", "`data`, `model`, `endpoint` or `unknown`."
)
IO_SIZE = _declare("mltrace.io.size", Place.LINK, "int", "Size of the content in bytes.")
IO_LABELS = _declare("mltrace.io.labels", Place.LINK, "string[]", "Labels on the pointer.")

# What `mltrace.record` says.
RECORD_START = "start"
RECORD_IO = "io"

# Events: what tests found. The event's name:
TEST_EVENT = "mltrace.test"
TEST_SUITE = _declare(
    "test.suite.name", Place.TEST_EVENT, "string", "Name of the Test class.", required=True
)
TEST_CASE = _declare(
    "test.case.name", Place.TEST_EVENT, "string", "Name of the test method.", required=True
)
TEST_STATUS = _declare(
    "test.case.result.status",
    Place.TEST_EVENT,
    "string",
    "`pass`, `fail`, `error` (the test could not be run) or `skip` (it did not apply).",
    required=True,
)
TEST_PHASE = _declare(
    "mltrace.test.phase", Place.TEST_EVENT, "string", "`before` or `after` the function."
)
TEST_MESSAGE = _declare("mltrace.test.message", Place.TEST_EVENT, "string", "Why the test failed.")
TEST_DURATION = _declare(
    "mltrace.test.duration", Place.TEST_EVENT, "double", "How long the test took, in seconds."
)

# Events: the distribution of what was read or written. The event's name; it also has the name and
# the direction of the pointer that it is about, under their keys of links:
PROFILE_EVENT = "mltrace.profile"
PROFILE_VARIABLE = _declare(
    "mltrace.profile.variable",
    Place.PROFILE_EVENT,
    "string",
    "Name of the variable: what the distribution is called from run to run.",
    required=True,
)
PROFILE_ROWS = _declare(
    "mltrace.profile.rows", Place.PROFILE_EVENT, "int", "How many rows there are.", required=True
)
PROFILE_SAMPLED_ROWS = _declare(
    "mltrace.profile.sampled_rows",
    Place.PROFILE_EVENT,
    "int",
    "How many of the rows were looked at; absent if all were.",
)
PROFILE_COLUMNS_LEFT_OUT = _declare(
    "mltrace.profile.columns_left_out",
    Place.PROFILE_EVENT,
    "int",
    "How many columns there are beside those that are summarised; absent if none.",
)
PROFILE_COLUMNS = _declare(
    "mltrace.profile.columns",
    Place.PROFILE_EVENT,
    "string",
    "JSON: a summary of each column, as `mltrace_otel.profiles.encoding` writes it.",
    required=True,
)

# Events: numbers that say how well a run did. The event's name; with `mltrace.io.direction`
# `output` the number is one that the function gave.
METRIC_EVENT = "mltrace.metric"
METRIC_NAME = _declare(
    "mltrace.metric.name", Place.METRIC_EVENT, "string", "What was measured.", required=True
)
METRIC_VALUE = _declare(
    "mltrace.metric.value", Place.METRIC_EVENT, "double", "The number.", required=True
)

DEFAULT_STALENESS_THRESHOLD_S = 30 * 24 * 3600.0
CODE_SNAPSHOT_LIMIT_BYTES = 64 * 1024
