"""What is wrong with a run further up, in sentences."""

from collections.abc import Sequence

from mltrace_otel.contract.api import Execution

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_TESTS_NAMED = 3


def explain_fault(
    component: str, execution: str, failed_tests: Sequence[str], depth: int
) -> str | None:
    """Return what is wrong with an ancestor; None if nothing is.

    Args:
        component: of the ancestor.
        execution: how it ended.
        failed_tests: its tests that failed.
        depth: how many runs up it is.
    """
    where = f"{_NUMBERS[depth] if depth < len(_NUMBERS) else depth} run{'s' * (depth != 1)} up"
    if failed_tests:
        named = ", ".join(failed_tests[:_TESTS_NAMED])
        more = len(failed_tests) - _TESTS_NAMED
        return f"Made from data that failed {named}{f' and {more} more' * (more > 0)} {where}."
    if execution == Execution.ERROR:
        return f"Made from what {component} left when it failed {where}."
    if execution == Execution.ABORTED:
        return f"Made from what {component} left when it was aborted {where}."
    return None
