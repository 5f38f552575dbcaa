"""What can go wrong in the client, as a tree. Every error is one sentence that says what to do.

MltraceError
├── SettingsError        the environment makes no sense
├── SetupError           a component, its tests or a decorated function do not fit together
│   └── UnknownVariable  a name that is neither a parameter nor a local variable of the function
├── ArtifactError        a value could not be kept in a file, or not be read from it
│   └── ArtifactMissing  there is no such file
├── TestsFailed          tests of a component that asks for it failed
└── ApiError             a question to the server had no answer
    ├── NotFound           nobody has recorded what was asked for
    ├── RequestRefused     the question made no sense
    ├── ServerFailed       the server is broken, or is no mltrace server
    └── ServerUnreachable  nothing answers at the address

But for `TestsFailed`, which a component has to ask for, none of them is ever raised by a decorated
function's call: set-up errors come when it is decorated, and only what the function itself asks of
`save`, `load` or the server can fail inside it.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from mltrace_otel.contract.outcomes import TestOutcome


class MltraceError(Exception):
    """Root of the client's errors."""


class SettingsError(MltraceError):
    """The settings make no sense."""


class SetupError(MltraceError):
    """A component, its tests or a decorated function do not fit together."""


class UnknownVariable(SetupError):  # noqa: N818 - named for what is wrong, as HTTP does
    """A name that is neither a parameter nor a local variable of the decorated function."""

    def __init__(self, name: str, asked_by: str, function: str, known: Iterable[str]) -> None:
        self.name = name
        known = sorted(known)
        close = get_close_matches(name, known) or known
        hint = f" Did you mean {' or '.join(close[:3])}?" if close else ""
        super().__init__(f"{asked_by} names {name!r}, which {function} does not have.{hint}")


class ArtifactError(MltraceError):
    """A value could not be kept in a file, or not be read from it."""


class ArtifactMissing(ArtifactError, FileNotFoundError):  # noqa: N818 - named for what is wrong
    """There is no such file."""


class TestsFailed(MltraceError):  # noqa: N818 - named for what is wrong
    """Tests failed, or could not be run, of a component that says `on_test_failure="raise"`.

    The run is recorded before this is raised.

    Attributes:
        component: name of the component.
        outcomes: the outcomes of the tests that failed or could not be run.
    """

    __test__ = False  # it is no test of a user's test suite

    def __init__(self, component: str, outcomes: Sequence[TestOutcome]) -> None:
        self.component = component
        self.outcomes = list(outcomes)
        found = "; ".join(f"{each.suite}.{each.case}: {each.message}" for each in outcomes)
        number = f"{len(outcomes)} test{'s' if len(outcomes) > 1 else ''}"
        phases = " and ".join(dict.fromkeys(each.phase for each in outcomes))
        super().__init__(f"{number} {phases} {component} failed: {found}")


class ApiError(MltraceError):
    """A question to the server had no answer."""


class NotFound(ApiError):  # noqa: N818
    """Nobody has recorded what was asked for."""


class RequestRefused(ApiError):  # noqa: N818
    """The server says that the question makes no sense."""


class ServerFailed(ApiError):  # noqa: N818
    """The server is broken, or what answers is no mltrace server."""


class ServerUnreachable(ApiError):  # noqa: N818
    """Nothing answers at the address."""

    def __init__(self, address: str, reason: str) -> None:
        self.address = address
        super().__init__(
            f"No mltrace server answers at {address} ({reason}). Start one with `mltrace up`, or "
            "say where it is: --address or MLTRACE_ADDRESS."
        )
