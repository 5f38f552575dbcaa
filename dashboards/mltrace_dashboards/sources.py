"""The data sources that dashboards ask, made in a running Grafana.

The same as those of ``provisioning/datasources/mltrace.yaml``; a test holds them together.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, unquote, urlsplit

from mltrace_dashboards.asking import POSTGRES_KIND, PROMETHEUS_KIND
from mltrace_dashboards.connection import Connection
from mltrace_dashboards.errors import GrafanaError, GrafanaRefused
from mltrace_dashboards.push import Fate, Outcome

_POSTGRES_PORT = 5432
_DEFAULT_SSLMODE = "require"

Source = Mapping[str, object]


def describe_prometheus(url: str, panel_url: str) -> Source:
    """Return the data source of a Prometheus; points that are single runs lead to the panel."""
    return {
        "name": "mltrace-prometheus",
        "uid": "mltrace-prometheus",
        "type": PROMETHEUS_KIND,
        "access": "proxy",
        "url": url,
        "jsonData": {
            "httpMethod": "POST",
            "timeInterval": "15s",
            "manageAlerts": False,
            "exemplarTraceIdDestinations": [
                {
                    "name": "span_id",
                    "url": f"{panel_url.rstrip('/')}/runs/${{__value.raw}}",
                    "urlDisplayLabel": "Open the run",
                }
            ],
        },
    }


def describe_postgres(url: str, password: str) -> Source:
    """Return the data source of the exporter's PostgreSQL.

    Args:
        url: ``postgresql://user@host:port/database``, and ``?sslmode=`` if not ``require``.
        password: of the user.

    Raises:
        GrafanaError: the address lacks something.
    """
    parts = urlsplit(url)
    database = parts.path.strip("/")
    if not (parts.scheme.startswith("postgres") and parts.hostname and parts.username and database):
        raise GrafanaError(
            "Write the database that Grafana reads as postgresql://user@host:5432/database."
        )
    if parts.password or not password:
        raise GrafanaError(
            "Give the password of the database in MLTRACE_PG_RO_PASSWORD, not in its address."
        )
    sslmode = parse_qs(parts.query).get("sslmode", [_DEFAULT_SSLMODE])[0]
    return {
        "name": "mltrace-postgres",
        "uid": "mltrace-postgres",
        "type": POSTGRES_KIND,
        "access": "proxy",
        "url": f"{parts.hostname}:{parts.port or _POSTGRES_PORT}",
        "user": unquote(parts.username),
        "secureJsonData": {"password": password},
        "jsonData": {
            "database": unquote(database),
            "sslmode": sslmode,
            "maxOpenConns": 10,
            "maxIdleConns": 10,
            "connMaxLifetime": 14400,
        },
    }


def push_sources(grafana: Connection, sources: list[Source]) -> Iterator[Outcome]:
    """Make the data sources, or change those that have their uids.

    Raises:
        GrafanaError: Grafana does not let us.
    """
    for source in sources:
        yield _push(grafana, source, str(source["uid"]))


def _push(grafana: Connection, source: Source, uid: str) -> Outcome:
    found = grafana.find(
        lambda api: api.datasource.get_datasource_by_uid(uid), "look at data sources"
    )
    if found is None:
        return _create(grafana, source)
    if found.get("readOnly"):
        reason = "a file provisions it: change that file instead"
        return Outcome(f"data source {source['name']}", Fate.LEFT, reason)
    return _update(grafana, source)


def _create(grafana: Connection, source: Source) -> Outcome:
    name = f"data source {source['name']}"
    try:
        grafana.ask(lambda api: api.datasource.create_datasource(dict(source)), "make data sources")
    except GrafanaRefused as error:
        if error.status != 409:  # noqa: PLR2004 - HTTP's conflict
            raise
        return Outcome(name, Fate.LEFT, "another one has its name: rename that one")
    return Outcome(name, Fate.CREATED)


def _update(grafana: Connection, source: Source) -> Outcome:
    uid = str(source["uid"])
    grafana.ask(
        lambda api: api.datasource.update_datasource_by_uid(uid, dict(source)),
        "change data sources",
    )
    return Outcome(f"data source {source['name']}", Fate.UPDATED)
