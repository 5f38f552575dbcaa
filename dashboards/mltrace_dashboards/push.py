"""Brings the dashboards into a running Grafana. In: a connection. Out: what became of each.

What we saved last is known by the message of its version, so that nobody's edit is overwritten and
nothing is saved twice.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from typing import Any

from mltrace_dashboards.connection import Connection
from mltrace_dashboards.errors import GrafanaError, GrafanaRefused
from mltrace_dashboards.files import render_dashboards

FOLDER = "mltrace"
_MESSAGE = "mltrace-otel"
_CONFLICTS = {409, 412}


class Fate(StrEnum):
    """What became of a dashboard, a folder or a data source."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT = "left alone"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one thing; ``reason`` says why it was left alone."""

    name: str
    fate: Fate
    reason: str = ""

    def __str__(self) -> str:
        """Return it as a line for people."""
        return f"{self.fate}: {self.name}{self.reason and f' ({self.reason})'}"


def push_dashboards(
    grafana: Connection, panel_url: str, *, folder: str = FOLDER, force: bool = False
) -> Iterator[Outcome]:
    """Save all dashboards in a folder, which is made if there is none of this uid.

    Args:
        grafana: where.
        panel_url: where people reach the web panel.
        folder: uid of the folder.
        force: also overwrite what somebody edited, or what was not saved by us.

    Raises:
        GrafanaError: Grafana does not let us.
    """
    made = _make_folder(grafana, folder)
    if made:
        yield made
    for dashboard in render_dashboards(panel_url).values():
        yield _push(grafana, dashboard, folder, force=force)


def _make_folder(grafana: Connection, uid: str) -> Outcome | None:
    if grafana.find(lambda api: api.folder.get_folder(uid), "look at folders"):
        return None
    try:
        grafana.ask(lambda api: api.folder.create_folder(FOLDER, uid=uid), "make a folder")
    except GrafanaRefused as error:
        if error.status not in _CONFLICTS:
            raise
        raise GrafanaError(
            f"There is a folder {FOLDER} with another uid: give that, --folder UID (it stands in"
            " the folder's address)."
        ) from error
    return Outcome(f"folder {FOLDER}", Fate.CREATED)


def _push(
    grafana: Connection, dashboard: Mapping[str, object], folder: str, *, force: bool
) -> Outcome:
    uid, title = str(dashboard["uid"]), str(dashboard["title"])
    found = grafana.find(lambda api: api.dashboard.get_dashboard(uid), "look at dashboards")
    message = _sign(dashboard)
    if found is None:
        return _save(grafana, dashboard, {"folderUid": folder, "message": message}, Fate.CREATED)
    reason = "" if force else _find_reason(grafana, uid, found["meta"])
    if reason:
        return Outcome(title, Fate.LEFT, reason)
    is_there = found["meta"].get("folderUid") == folder
    if is_there and _read_message(grafana, uid) == message:
        return Outcome(title, Fate.UNCHANGED)
    seen = {**dashboard, "version": found["dashboard"].get("version")}
    request = {"folderUid": folder, "message": message, "overwrite": force}
    return _save(grafana, seen, request, Fate.UPDATED)


def _find_reason(grafana: Connection, uid: str, meta: Mapping[str, Any]) -> str:
    """Return why a dashboard must not be overwritten; nothing if it may be."""
    if meta.get("provisioned"):
        return "a file provisions it: change that file instead"
    if not _read_message(grafana, uid).startswith(_MESSAGE):
        return "somebody edited it: --force overwrites the edit"
    return ""


def _save(
    grafana: Connection, dashboard: Mapping[str, object], request: Mapping[str, object], fate: Fate
) -> Outcome:
    body = {"dashboard": {**dashboard, "id": None}, "overwrite": False, **request}
    title = str(dashboard["title"])
    try:
        grafana.ask(lambda api: api.dashboard.update_dashboard(body), "save dashboards")
    except GrafanaRefused as error:
        if error.status in _CONFLICTS:
            return Outcome(title, Fate.LEFT, "somebody has just changed it, or took its title")
        if error.status == 400:  # noqa: PLR2004 - as Grafana answers for what a file provisions
            return Outcome(title, Fate.LEFT, str(error).rstrip("."))
        raise
    return Outcome(title, fate)


def _read_message(grafana: Connection, uid: str) -> str:
    """Return with which words the newest version of a dashboard was saved."""
    answer = grafana.ask(
        lambda api: api.dashboard_versions.get_dashboard_versions_by_uid(uid),
        "look at versions of dashboards",
    )
    versions = answer["versions"] if isinstance(answer, Mapping) else answer
    newest = max(versions, key=lambda each: int(each["version"]))
    return str(newest.get("message", ""))


def _sign(dashboard: Mapping[str, object]) -> str:
    """Return the words that say who saved a dashboard, and what is in it."""
    content = json.dumps(dashboard, sort_keys=True).encode()
    return f"{_MESSAGE} {version('mltrace-otel')} {hashlib.sha256(content).hexdigest()[:16]}"
