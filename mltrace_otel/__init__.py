"""mltrace-otel: bolt-on observability for ML pipelines.

Names are loaded when they are first used, so that the command line starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mltrace_otel.artifacts import load, save
    from mltrace_otel.component import Component
    from mltrace_otel.datatests import Test
    from mltrace_otel.errors import (
        ArtifactError,
        ArtifactMissing,
        MltraceError,
        SettingsError,
        SetupError,
        UnknownVariable,
    )
    from mltrace_otel.pointers import IOPointer, PointerType
    from mltrace_otel.provenance import create_random_ids, get_git_hash, get_git_tags
    from mltrace_otel.providers import configure
    from mltrace_otel.registration import register
    from mltrace_otel.runs import ComponentRun
    from mltrace_otel.settings import set_address
    from mltrace_otel.telemetry import flush, log_component_run

__all__ = [
    "ArtifactError",
    "ArtifactMissing",
    "Component",
    "ComponentRun",
    "IOPointer",
    "MltraceError",
    "PointerType",
    "SettingsError",
    "SetupError",
    "Test",
    "UnknownVariable",
    "configure",
    "create_random_ids",
    "flush",
    "get_git_hash",
    "get_git_tags",
    "load",
    "log_component_run",
    "register",
    "save",
    "set_address",
]

_HOMES = {
    "component": ("Component",),
    "artifacts": ("load", "save"),
    "datatests": ("Test",),
    "errors": (
        "ArtifactError",
        "ArtifactMissing",
        "MltraceError",
        "SettingsError",
        "SetupError",
        "UnknownVariable",
    ),
    "pointers": ("IOPointer", "PointerType"),
    "provenance": ("create_random_ids", "get_git_hash", "get_git_tags"),
    "runs": ("ComponentRun",),
    "settings": ("set_address",),
    "providers": ("configure",),
    "registration": ("register",),
    "telemetry": ("flush", "log_component_run"),
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
