"""Starts a real Prometheus and Alertmanager with the project's configurations, made quick.

What is changed of the configurations that are shipped: addresses, intervals, and for how long a
condition must hold (`for`), which is a second.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import yaml
from services import REPOSITORY, Program, find_free_ports, require

_CONFIGURATIONS = REPOSITORY / "collector-config"


class Inbox:
    """What Alertmanager sent, by the receiver that it was for."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = threading.Lock()
        self._alerts: list[tuple[str, dict[str, Any]]] = []

    def put(self, receiver: str, alerts: list[dict[str, Any]]) -> None:
        """Keep what came for a receiver."""
        with self._lock:
            self._alerts += [(receiver, alert) for alert in alerts]

    def find(self, receiver: str, status: str, **labels: str) -> list[dict[str, Any]]:
        """Return the alerts that came with this status and these labels."""
        with self._lock:
            return [
                alert
                for to, alert in self._alerts
                if to == receiver
                and alert["status"] == status
                and labels.items() <= alert["labels"].items()
            ]


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    """Receive webhooks for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            inbox.put(self.path.strip("/"), body["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox = Inbox(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield inbox
        server.shutdown()
        thread.join()


class _Ready(Program):
    """A program that says under ``/-/ready`` when it is."""

    url: str

    def _answers(self, log: str) -> bool:
        del log
        try:
            return httpx.get(f"{self.url}/-/ready", timeout=2).is_success
        except httpx.HTTPError:
            return False


class Alertmanager(_Ready):
    """Alertmanager with the project's routes, which lead to an inbox."""

    def __init__(self, directory: Path, inbox: Inbox) -> None:
        directory.mkdir(parents=True)
        [port] = find_free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        config = yaml.safe_load(_read("alertmanager/alertmanager.yaml"))
        for route in (config["route"], *config["route"]["routes"]):
            route |= {"group_wait": "0s", "group_interval": "1s"}
        for receiver in config["receivers"]:
            receiver["webhook_configs"] = [{"url": f"{inbox.url}/{receiver['name']}"}]
        command = [
            str(require("prometheus-alertmanager")),
            f"--config.file={_write(directory / 'alertmanager.yaml', config)}",
            f"--storage.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        super().__init__(command, directory / "alertmanager.log")

    def list_alerts(self) -> list[dict[str, Any]]:
        """Return what it knows to fire."""
        alerts: list[dict[str, Any]] = httpx.get(f"{self.url}/api/v2/alerts").json()
        return alerts


class Prometheus(_Ready):
    """Prometheus with the project's rules, which scrapes an exporter each second.

    Args:
        directory: for its data.
        panel: URL of the exporter.
        alertmanager: where it sends alerts; None if nowhere.
    """

    def __init__(
        self, directory: Path, panel: str, alertmanager: Alertmanager | None = None
    ) -> None:
        directory.mkdir(parents=True)
        [port] = find_free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        config = yaml.safe_load(_read("prometheus/prometheus.yaml"))
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        [job] = [each for each in config["scrape_configs"] if each["job_name"] == "mltrace"]
        job["static_configs"] = [{"targets": [panel.removeprefix("http://")]}]
        targets = [alertmanager.url.removeprefix("http://")] if alertmanager else []
        config["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": targets}]}]
        config |= {"scrape_configs": [job], "rule_files": [_write_quick_rules(directory)]}
        command = [
            str(require("prometheus")),
            f"--config.file={_write(directory / 'prometheus.yaml', config)}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--enable-feature=exemplar-storage",
        ]
        super().__init__(command, directory / "prometheus.log")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the series that an expression gives now."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression})
        result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return result

    def list_firing(self) -> list[dict[str, str]]:
        """Return the labels of the alerts that fire."""
        alerts = httpx.get(f"{self.url}/api/v1/alerts").raise_for_status().json()["data"]["alerts"]
        return [each["labels"] for each in alerts if each["state"] == "firing"]


def _write_quick_rules(directory: Path) -> str:
    rules = yaml.safe_load(_read("prometheus/mltrace-rules.yaml"))
    for group in rules["groups"]:
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = "1s"
    return _write(directory / "rules.yaml", rules)


def _read(name: str) -> str:
    return (_CONFIGURATIONS / name).read_text()


def _write(path: Path, value: Mapping[str, Any]) -> str:
    path.write_text(yaml.safe_dump(value))
    return str(path)
