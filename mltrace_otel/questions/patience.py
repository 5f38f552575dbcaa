"""Questions that a user's pipeline waits for. In: a question. Out: its answer in time, or none.

A server that is absent or slow costs the pipeline a bounded time once, then nothing for a while.
"""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

from mltrace_otel.datatests import NoHistory
from mltrace_otel.errors import ApiError, NotFound, RequestRefused, SettingsError
from mltrace_otel.settings import read_settings

if TYPE_CHECKING:
    from mltrace_otel.questions.api_client import ApiClient

_Answer = TypeVar("_Answer")
_Question = Callable[["ApiClient"], _Answer]

LIMIT_S = 2.0
_PAUSE_S = 60.0
_SPENT = f"The tests of this run have asked for {LIMIT_S:g} s, which is all that they may."

_paused: dict[str, tuple[float, str]] = {}


class Patience:
    """How long a run waits for answers: `LIMIT_S` in all. It asks nothing twice.

    The limit holds whatever hangs, a look-up of the server's name as well, because another thread
    does the asking.
    """

    def __init__(self) -> None:
        self._left_s = LIMIT_S
        self._answers: dict[Hashable, object] = {}

    def ask(self, what: Hashable, question: _Question[_Answer]) -> _Answer | None:
        """Return the answer to a question; None if nobody has recorded what was asked for.

        Args:
            what: tells the question from others.
            question: asks it.

        Raises:
            NoHistory: there was none in time, or a server did not answer a short while ago.
        """
        if what not in self._answers:
            try:
                self._answers[what] = self._ask_in_time(question)
            except NotFound:
                self._answers[what] = None
        return self._answers[what]  # type: ignore[return-value] # what was asked tells its type

    def _ask_in_time(self, question: _Question[_Answer]) -> _Answer:
        try:
            address = read_settings().api_url
        except SettingsError as error:
            raise _none(str(error)) from error
        until_s, why = _paused.get(address, (0.0, ""))
        started_s = time.monotonic()
        if started_s < until_s:
            raise _none(why)
        if self._left_s <= 0:
            raise _none(_SPENT)
        try:
            return _ask_apart(question, address, self._left_s)
        except (NotFound, NoHistory):
            raise
        except RequestRefused as error:
            raise _none(str(error)) from error
        except TimeoutError:
            raise _none(self._give_up(address, time.monotonic() - started_s)) from None
        except ApiError as error:
            _paused[address] = time.monotonic() + _PAUSE_S, str(error)
            raise _none(str(error)) from error
        finally:
            self._left_s -= time.monotonic() - started_s

    def _give_up(self, address: str, waited_s: float) -> str:
        if waited_s < LIMIT_S / 2:
            return _SPENT
        why = f"The server at {address} did not answer within {LIMIT_S:g} s."
        _paused[address] = time.monotonic() + _PAUSE_S, why
        return why


def _none(why: str) -> NoHistory:
    return NoHistory(f"no history: {why}")


def _ask_apart(question: _Question[_Answer], address: str, limit_s: float) -> _Answer:
    """Ask in a thread that nobody waits for once the time is up, nor the program at its end."""
    answer: Future[_Answer] = Future()

    def ask() -> None:
        try:
            from mltrace_otel.questions.api_client import ApiClient  # noqa: PLC0415 - needs HTTP

            with ApiClient(address, limit_s) as api:
                answer.set_result(question(api))
        except BaseException as error:  # noqa: BLE001 - raised to who asked
            answer.set_exception(error)

    try:
        threading.Thread(target=ask, name="mltrace-history", daemon=True).start()
    except RuntimeError as error:  # the program is ending, or has too many
        raise _none(str(error)) from error
    return answer.result(limit_s)
