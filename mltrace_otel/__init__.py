"""mltrace-otel: bolt-on observability for ML pipelines.

Names are loaded when they are first used, so that the command line starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mltrace_otel.component import Component
    from mltrace_otel.datatests import Test
    from mltrace_otel.errors import (
        ApiError,
        ArtifactError,
        ArtifactMissing,
        MltraceError,
        NotFound,
        RequestRefused,
        ServerFailed,
        ServerUnreachable,
        SettingsError,
        SetupError,
        TestsFailed,
        UnknownVariable,
    )
    from mltrace_otel.metrics import log_metric
    from mltrace_otel.pointers import IOPointer, PointerType
    from mltrace_otel.provenance import create_random_ids, get_git_hash, get_git_tags
    from mltrace_otel.questions.history import History
    from mltrace_otel.questions.marks import (
        add_notes_to_component_run,
        clean_db,
        create_component,
        flag_output_id,
        tag_component,
        unflag_all,
        unflag_output_id,
    )
    from mltrace_otel.questions.past import PastRuns
    from mltrace_otel.questions.queries import (
        backtrace,
        get_component_information,
        get_component_run_information,
        get_components,
        get_components_with_owner,
        get_components_with_tag,
        get_history,
        get_io_pointer,
        get_recent_run_ids,
        get_tags,
        review_flagged_outputs,
        web_trace,
    )
    from mltrace_otel.registration import register
    from mltrace_otel.runs import ComponentRun
    from mltrace_otel.saving import load, save
    from mltrace_otel.settings import set_address
    from mltrace_otel.telemetry.emission import flush, log_component_run
    from mltrace_otel.telemetry.providers import configure

__all__ = [
    "ApiError",
    "ArtifactError",
    "ArtifactMissing",
    "Component",
    "ComponentRun",
    "History",
    "IOPointer",
    "MltraceError",
    "NotFound",
    "PastRuns",
    "PointerType",
    "RequestRefused",
    "ServerFailed",
    "ServerUnreachable",
    "SettingsError",
    "SetupError",
    "Test",
    "TestsFailed",
    "UnknownVariable",
    "add_notes_to_component_run",
    "backtrace",
    "clean_db",
    "configure",
    "create_component",
    "create_random_ids",
    "flag_output_id",
    "flush",
    "get_component_information",
    "get_component_run_information",
    "get_components",
    "get_components_with_owner",
    "get_components_with_tag",
    "get_git_hash",
    "get_git_tags",
    "get_history",
    "get_io_pointer",
    "get_recent_run_ids",
    "get_tags",
    "load",
    "log_component_run",
    "log_metric",
    "register",
    "review_flagged_outputs",
    "save",
    "set_address",
    "tag_component",
    "unflag_all",
    "unflag_output_id",
    "web_trace",
]

_HOMES = {
    "component": ("Component",),
    "saving": ("load", "save"),
    "datatests": ("Test",),
    "errors": (
        "ApiError",
        "ArtifactError",
        "ArtifactMissing",
        "MltraceError",
        "NotFound",
        "RequestRefused",
        "ServerFailed",
        "ServerUnreachable",
        "SettingsError",
        "SetupError",
        "TestsFailed",
        "UnknownVariable",
    ),
    "questions.history": ("History",),
    "questions.past": ("PastRuns",),
    "metrics": ("log_metric",),
    "pointers": ("IOPointer", "PointerType"),
    "provenance": ("create_random_ids", "get_git_hash", "get_git_tags"),
    "runs": ("ComponentRun",),
    "settings": ("set_address",),
    "telemetry.providers": ("configure",),
    "questions.marks": (
        "add_notes_to_component_run",
        "clean_db",
        "create_component",
        "flag_output_id",
        "tag_component",
        "unflag_all",
        "unflag_output_id",
    ),
    "questions.queries": (
        "backtrace",
        "get_component_information",
        "get_component_run_information",
        "get_components",
        "get_components_with_owner",
        "get_components_with_tag",
        "get_history",
        "get_io_pointer",
        "get_recent_run_ids",
        "get_tags",
        "review_flagged_outputs",
        "web_trace",
    ),
    "registration": ("register",),
    "telemetry.emission": ("flush", "log_component_run"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
