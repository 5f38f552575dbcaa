"""The HTTP API's shapes: each dataclass is the JSON object of the same fields.

The exporter answers with them, the client and the command line read them. Times are aware datetimes
in UTC (ISO 8601 in JSON), durations are seconds, sizes are bytes, ids of runs are small integers.
"""

from mltrace_otel.contract.api.alerts import Alert, AlertSeverity
from mltrace_otel.contract.api.comparison import (
    Aspect,
    AspectChange,
    Change,
    Comparison,
    FactChange,
    PointerChange,
    TestChange,
)
from mltrace_otel.contract.api.components import Component, ComponentRequest, Tag, TagRequest
from mltrace_otel.contract.api.drift import (
    DEFAULT_REFERENCE,
    REFERENCE_FORM,
    Drift,
    VariableDrift,
)
from mltrace_otel.contract.api.flags import (
    FLAG_LIMIT,
    Flag,
    FlagChange,
    FlagRequest,
    FlagState,
    Severity,
    UnflagRequest,
)
from mltrace_otel.contract.api.lineage import (
    LARGEST_TRACE,
    TRACE_LIMIT,
    ComponentEdge,
    ComponentNode,
    ComponentTrace,
    EdgeRule,
    Trace,
    TraceEdge,
    TraceNode,
)
from mltrace_otel.contract.api.monitoring import CaseHistory, Trial
from mltrace_otel.contract.api.notes import Note, NotePage, NoteRequest
from mltrace_otel.contract.api.pointers import POINTER_FLAG_LIMIT, PointerHistory, PointerUse
from mltrace_otel.contract.api.profiles import (
    Metric,
    MetricHistory,
    MetricPoint,
    ProfileSummary,
    RunProfile,
)
from mltrace_otel.contract.api.review import Candidate, Review, ReviewSort
from mltrace_otel.contract.api.runs import (
    NOTE_LIMIT,
    POINTER_LIMIT,
    UPSTREAM_FAULT_LIMIT,
    UPSTREAM_LIMIT,
    Execution,
    Pointer,
    Run,
    RunCount,
    RunOrder,
    RunPage,
    RunStatus,
    RunSummary,
    StaleReason,
    TestVerdict,
    UpstreamFault,
    UpstreamVerdict,
)
from mltrace_otel.contract.api.search import SearchAnswer
from mltrace_otel.contract.api.service import (
    CLEAN_CONFIRMATION,
    Cleaned,
    CleanRequest,
    DeadLetter,
    DeadLetterPage,
    Problem,
)
from mltrace_otel.contract.outcomes import TestOutcome

__all__ = [
    "CLEAN_CONFIRMATION",
    "DEFAULT_REFERENCE",
    "FLAG_LIMIT",
    "LARGEST_TRACE",
    "NOTE_LIMIT",
    "POINTER_FLAG_LIMIT",
    "POINTER_LIMIT",
    "REFERENCE_FORM",
    "TRACE_LIMIT",
    "UPSTREAM_FAULT_LIMIT",
    "UPSTREAM_LIMIT",
    "Alert",
    "AlertSeverity",
    "Aspect",
    "AspectChange",
    "Candidate",
    "CaseHistory",
    "Change",
    "CleanRequest",
    "Cleaned",
    "Comparison",
    "Component",
    "ComponentEdge",
    "ComponentNode",
    "ComponentRequest",
    "ComponentTrace",
    "DeadLetter",
    "DeadLetterPage",
    "Drift",
    "EdgeRule",
    "Execution",
    "FactChange",
    "Flag",
    "FlagChange",
    "FlagRequest",
    "FlagState",
    "Metric",
    "MetricHistory",
    "MetricPoint",
    "Note",
    "NotePage",
    "NoteRequest",
    "Pointer",
    "PointerChange",
    "PointerHistory",
    "PointerUse",
    "Problem",
    "ProfileSummary",
    "Review",
    "ReviewSort",
    "Run",
    "RunCount",
    "RunOrder",
    "RunPage",
    "RunProfile",
    "RunStatus",
    "RunSummary",
    "SearchAnswer",
    "Severity",
    "StaleReason",
    "Tag",
    "TagRequest",
    "TestChange",
    "TestOutcome",
    "TestVerdict",
    "Trace",
    "TraceEdge",
    "TraceNode",
    "Trial",
    "UnflagRequest",
    "UpstreamFault",
    "UpstreamVerdict",
    "VariableDrift",
]
