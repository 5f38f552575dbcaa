"""A Grafana as far as `mltrace grafana` knows it: its paths, status codes and words, over HTTP.

What it answers is what Grafana 12 and 13 answer: ``pkg/api/dashboard.go``, ``folder.go``,
``datasources.go``, ``annotations.go`` and ``pkg/services/dashboards/errors.go`` of grafana/grafana.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

VERSION = "13.2.3"
EDITOR, ADMIN, VIEWER = "glsa_editor", "glsa_admin", "glsa_viewer"

Json = dict[str, Any]
Answer = tuple[int, Any]


@dataclass
class Grafana:
    """What it keeps.

    Attributes:
        url: where it answers.
        path: of its address, where it does not lie at the root.
        provisioned: uids of dashboards that a file provisions.
        requests: what was asked of it, as method and path.
    """

    url: str = ""
    path: str = ""
    folders: dict[str, Json] = field(default_factory=dict)
    dashboards: dict[str, Json] = field(default_factory=dict)
    versions: dict[str, list[Json]] = field(default_factory=dict)
    sources: dict[str, Json] = field(default_factory=dict)
    annotations: list[Json] = field(default_factory=list)
    provisioned: set[str] = field(default_factory=set)
    requests: list[tuple[str, str]] = field(default_factory=list)

    def edit(self, uid: str, **changes: object) -> None:
        """Do what somebody does who edits a dashboard in the browser and saves it."""
        self._keep(uid, {**self.dashboards[uid]["dashboard"], **changes}, "")

    def list_writes(self) -> list[tuple[str, str]]:
        """Return the requests that changed something."""
        return [each for each in self.requests if each[0] != "GET"]

    def answer(self, method: str, url: str, token: str, body: Json) -> Answer:
        """Return status and body of the answer to a request."""
        parts = urlsplit(url)
        path = parts.path.removeprefix(self.path)
        self.requests.append((method, path))
        if token not in {EDITOR, ADMIN, VIEWER}:
            return 401, {"message": "Invalid API key", "messageId": "api-key.invalid"}
        for pattern, needs, handle in self._routes(method):
            found = re.fullmatch(pattern, path)
            if found and token not in needs:
                return 403, {
                    "accessErrorId": "ACE0123456789",
                    "message": "You'll need additional permissions to perform this action.",
                    "title": "Access denied",
                }
            if found:
                return handle(found[1] if found.groups() else "", body, parse_qs(parts.query))
        return 404, {"message": "Not found"}

    def _routes(self, method: str) -> list[tuple[str, set[str], Callable[..., Answer]]]:
        everybody, editors, admins = {VIEWER, EDITOR, ADMIN}, {EDITOR, ADMIN}, {ADMIN}
        routes: dict[str, list[tuple[str, set[str], Callable[..., Answer]]]] = {
            "GET": [
                ("/api/frontend/settings", everybody, self._tell_settings),
                ("/api/search", everybody, lambda *_: (200, [])),
                ("/api/folders/([^/]+)", everybody, self._get_folder),
                ("/api/dashboards/uid/([^/]+)", everybody, self._get_dashboard),
                ("/api/dashboards/uid/([^/]+)/versions", editors, self._get_versions),
                ("/api/datasources/uid/([^/]+)", admins, self._get_source),
                ("/api/annotations", everybody, self._find_annotations),
            ],
            "POST": [
                ("/api/folders", editors, self._create_folder),
                ("/api/dashboards/db", editors, self._save_dashboard),
                ("/api/datasources", admins, self._create_source),
                ("/api/annotations", editors, self._add_annotation),
            ],
            "PUT": [("/api/datasources/uid/([^/]+)", admins, self._update_source)],
        }
        return routes.get(method, [])

    def _tell_settings(self, *_: object) -> Answer:
        return 200, {"buildInfo": {"version": VERSION, "edition": "Open Source"}}

    def _get_folder(self, uid: str, *_: object) -> Answer:
        if uid in self.folders:
            return 200, self.folders[uid]
        return 404, {"message": "folder not found", "status": "not-found"}

    def _create_folder(self, _: str, body: Json, __: object) -> Answer:
        if body["uid"] in self.folders:
            return 412, {"message": "the folder has been changed by someone else"}
        if body["title"] in {each["title"] for each in self.folders.values()}:
            return 409, {
                "message": "a folder with the same name already exists in the current location"
            }
        self.folders[body["uid"]] = {"id": len(self.folders) + 1, **body}
        return 200, self.folders[body["uid"]]

    def _get_dashboard(self, uid: str, *_: object) -> Answer:
        if uid not in self.dashboards:
            return 404, {"message": "Dashboard not found", "status": "not-found"}
        kept = self.dashboards[uid]
        meta = {
            "provisioned": uid in self.provisioned,
            "folderUid": kept["folderUid"],
            "version": kept["dashboard"]["version"],
            "isFolder": False,
        }
        return 200, {"dashboard": kept["dashboard"], "meta": meta}

    def _get_versions(self, uid: str, *_: object) -> Answer:
        if uid not in self.versions:
            return 404, {"message": "Dashboard not found"}
        return 200, {"continueToken": "", "versions": self.versions[uid][::-1]}

    def _save_dashboard(self, _: str, body: Json, __: object) -> Answer:
        dashboard = body["dashboard"]
        uid = dashboard["uid"]
        refusal = self._refuse_dashboard(body, dashboard)
        if refusal:
            return refusal
        self._keep(uid, dashboard, body.get("message", ""), body.get("folderUid", ""))
        number = self.dashboards[uid]["dashboard"]["version"]
        told = {"uid": uid, "url": f"/d/{uid}", "version": number, "status": "success"}
        return 200, told | {"id": self.dashboards[uid]["dashboard"]["id"], "slug": uid}

    def _refuse_dashboard(self, body: Json, dashboard: Json) -> Answer | None:
        if "elements" in dashboard or "spec" in dashboard:
            return 400, {
                "message": "dashboard appears to be in v2 format. Please use the "
                "/apis/dashboard.grafana.app/v2 API"
            }
        if body.get("folderUid") and body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        if dashboard["uid"] in self.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        return None if body.get("overwrite") else self._find_conflict(body, dashboard)

    def _find_conflict(self, body: Json, dashboard: Json) -> Answer | None:
        uid, folder = dashboard["uid"], body.get("folderUid")
        titles = {
            each["dashboard"]["title"]
            for other, each in self.dashboards.items()
            if other != uid and each["folderUid"] == folder
        }
        if dashboard["title"] in titles:
            words = "A dashboard with the same name in the folder already exists"
            return 412, {"status": "name-exists", "message": words}
        kept = self.dashboards.get(uid)
        if kept and kept["dashboard"]["version"] != dashboard.get("version"):
            words = "The dashboard has been changed by someone else"
            return 412, {"status": "version-mismatch", "message": words}
        return None

    def _keep(self, uid: str, dashboard: Json, message: str, folder: str | None = None) -> None:
        old = self.versions.setdefault(uid, [])
        number = len(old) + 1
        kept = {**dashboard, "id": len(self.versions), "version": number}
        where = self.dashboards[uid]["folderUid"] if folder is None else folder
        self.dashboards[uid] = {"dashboard": kept, "folderUid": where}
        old.append({"id": number, "uid": uid, "version": number, "message": message})

    def _get_source(self, uid: str, *_: object) -> Answer:
        if uid not in self.sources:
            return 404, {"message": "Data source not found"}
        told = {key: value for key, value in self.sources[uid].items() if key != "secureJsonData"}
        return 200, {"readOnly": False, **told}

    def _create_source(self, _: str, body: Json, __: object) -> Answer:
        if body["name"] in {each["name"] for each in self.sources.values()}:
            return 409, {"message": "data source with the same name already exists"}
        self.sources[body["uid"]] = body
        return 200, {"id": len(self.sources), "message": "Datasource added", "name": body["name"]}

    def _update_source(self, uid: str, body: Json, _: object) -> Answer:
        if self.sources[uid].get("readOnly"):
            return 403, {"message": "Cannot update read-only data source"}
        self.sources[uid] = body
        return 200, {"id": 1, "message": "Datasource updated", "name": body["name"]}

    def _find_annotations(self, _: str, __: Json, query: dict[str, list[str]]) -> Answer:
        wanted = set(query.get("tags", ()))
        found = [each for each in self.annotations if wanted <= {*each["tags"]}]
        return 200, found[: int(query.get("limit", ["100"])[0])]

    def _add_annotation(self, _: str, body: Json, __: object) -> Answer:
        if not body.get("text"):
            return 400, {"message": "Failed to save annotation"}
        self.annotations.append({"id": len(self.annotations) + 1, **body})
        return 200, {"id": len(self.annotations), "message": "Annotation added"}


@contextmanager
def open_grafana(path: str = "") -> Iterator[Grafana]:
    """Answer for as long as the context lasts, under a path if one is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: the second would wait for an answer

        def _reply(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            status, told = grafana.answer(self.command, self.path, token, body)
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json; charset=UTF-8")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _reply  # noqa: N815 - the names that the library looks for

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        grafana = Grafana(f"http://127.0.0.1:{server.server_port}{path}", path)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield grafana
        server.shutdown()
        thread.join()
