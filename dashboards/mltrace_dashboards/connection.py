"""A connection to a Grafana. In: its address and a token. Out: answers, or one of our errors.

grafana-client is loaded when it is needed and not before: it replaces urllib3.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from mltrace_dashboards.errors import GrafanaError, GrafanaRefused, GrafanaUnreachable

_TIMEOUT_S = 15
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _TOO_MANY = 401, 403, 404, 429
_Answer = TypeVar("_Answer")


class Connection:
    """A Grafana that answered, and accepts the token.

    Attributes:
        url: its address.
        version: of Grafana.
        api: the client of the library; use it in functions that `ask` calls.
    """

    def __init__(self, url: str, token: str) -> None:
        """Connect.

        Raises:
            GrafanaError: the address makes no sense, nothing answers, the token is wrong.
        """
        self.url = _check(url)
        self.api = _open(self.url, token)
        self.version = self._read_version()
        # Some Grafanas tell their version to anybody: this tells whether the token is good.
        self.ask(lambda api: api.search.search_dashboards(limit=1), "be asked for its dashboards")

    def _read_version(self) -> str:
        settings = self.ask(lambda api: api.client.GET("/frontend/settings"), "tell its version")
        build = settings.get("buildInfo") if isinstance(settings, Mapping) else None
        if not isinstance(build, Mapping) or not build.get("version"):
            raise GrafanaUnreachable(_describe_stranger(self.url))
        return str(build["version"])

    def ask(self, question: Callable[[Any], _Answer], what: str) -> _Answer:
        """Return what Grafana answers.

        Args:
            question: asks the library.
            what: what Grafana has to let us do, as in "may not <what>".

        Raises:
            GrafanaRefused: it answered with an error about the request.
            GrafanaUnreachable: it did not answer, or failed.
        """
        from grafana_client.client import GrafanaException  # noqa: PLC0415 - see the module
        from niquests.exceptions import RequestException  # noqa: PLC0415

        try:
            return question(self.api)
        except GrafanaException as error:
            raise self._explain(error.status_code, str(error.message), what) from error
        except RequestException as error:
            raise GrafanaUnreachable(self._explain_silence(error)) from error

    def find(self, question: Callable[[Any], _Answer], what: str) -> _Answer | None:
        """Return what Grafana answers, or None if it has no such thing."""
        try:
            return self.ask(question, what)
        except GrafanaRefused as error:
            if error.status == _NOT_FOUND:
                return None
            raise

    def _explain(self, status: int, message: str, what: str) -> GrafanaError:
        if status == 0:
            return GrafanaUnreachable(
                f"Grafana at {self.url} did not answer within {_TIMEOUT_S} s: try again later."
            )
        if status == _UNAUTHORIZED:
            return GrafanaRefused(
                f"Grafana at {self.url} does not accept the token: make one for a service account"
                " (Administration > Users and access > Service accounts).",
                status,
            )
        if status == _FORBIDDEN:
            return GrafanaRefused(
                f"The token may not {what}: give its service account the role Editor, or Admin for"
                " data sources.",
                status,
            )
        if status == _TOO_MANY or status >= 500:  # noqa: PLR2004 - HTTP
            return GrafanaUnreachable(f"Grafana at {self.url} failed: {message}.")
        return GrafanaRefused(f"Grafana would not {what}: {message}.", status)

    def _explain_silence(self, error: Exception) -> str:
        name = type(error).__name__
        if "Timeout" in name:
            return f"Grafana at {self.url} did not answer within {_TIMEOUT_S} s: try again later."
        if "SSL" in name:
            return f"The certificate of {self.url} is not one that this machine trusts."
        if "Connection" in name:
            return f"No Grafana answers at {self.url}: check the address, and that it runs."
        return _describe_stranger(self.url)


def _check(url: str) -> str:
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise GrafanaError(
            f"{url} is no address of a Grafana: write https://host or http://host:3000."
        )
    if parts.username or parts.password:
        raise GrafanaError("Leave user and password out of the address: give a token.")
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _open(url: str, token: str) -> Any:  # noqa: ANN401 - the library has no types
    try:
        from grafana_client import GrafanaApi  # noqa: PLC0415 - see the module
    except ModuleNotFoundError as error:
        raise GrafanaError(
            f"Asking Grafana needs a package that is not installed ({error.name}): "
            "pip install 'mltrace-otel[grafana]'"
        ) from error
    # Without the slash the library would put its path right behind that of the address.
    return GrafanaApi.from_url(f"{url}/", credential=token, timeout=_TIMEOUT_S)


def _describe_stranger(url: str) -> str:
    return f"What answers at {url} is no Grafana: check the address, and the path if it has one."
