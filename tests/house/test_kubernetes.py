"""Promises of deploy/kubernetes: its files are what Kubernetes and the Prometheus Operator take."""

import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from provide import find_operator_schemas
from services import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "kubernetes"
OPERATOR = "monitoring.coreos.com/v1"
OLDEST, NEWEST = "1.30", kubernetes_validate.latest_version()


def read_objects() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(FOLDER.rglob("*.yaml")):
        if path.name != "kustomization.yaml":
            for each in yaml.safe_load_all(path.read_text()):
                yield f"{path.parent.name}/{path.name}", each


OBJECTS = list(read_objects())
OWN = [each for each in OBJECTS if each[1]["apiVersion"] != OPERATOR]
OPERATORS = [each for each in OBJECTS if each[1]["apiVersion"] == OPERATOR]


def find(kind: str, name: str = "mltrace") -> dict[str, Any]:
    [found] = [
        each for _, each in OBJECTS if (each["kind"], each["metadata"]["name"]) == (kind, name)
    ]
    return found


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize(("name", "described"), OWN)
def test_kubernetes_takes_it(name: str, described: dict[str, Any], version: str) -> None:
    del name
    kubernetes_validate.validate(described, version, strict=True)


@pytest.mark.parametrize(("name", "described"), OPERATORS)
def test_the_operator_takes_it(name: str, described: dict[str, Any]) -> None:
    del name
    folder = find_operator_schemas()
    if folder is None:
        pytest.skip("the schemas of the Prometheus Operator are missing: `make services`")
    plural = f"{described['kind'].lower()}s"
    definition = yaml.safe_load((folder / f"monitoring.coreos.com_{plural}.yaml").read_text())
    [version] = [each for each in definition["spec"]["versions"] if each["name"] == "v1"]

    # Not checked itself: its patterns are Go's, of fields that are not used here.
    schema = refuse_unknown(version["schema"]["openAPIV3Schema"])
    jsonschema.Draft202012Validator(schema).validate(described)


def refuse_unknown(schema: Any) -> Any:
    """Return a schema that also refuses fields it does not know, which Kubernetes would drop."""
    if isinstance(schema, list):
        return [refuse_unknown(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {name: refuse_unknown(each) for name, each in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        strict.setdefault("additionalProperties", False)
    return strict


def test_a_mistake_would_be_found() -> None:
    wrong = {**find("Deployment"), "spec": {**find("Deployment")["spec"], "replica": 2}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"a": 1}, refuse_unknown({"type": "object", "properties": {}}))


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("kustomization.yaml")), ids=str)
def test_a_folder_names_all_its_files(path: Path) -> None:
    named = set(yaml.safe_load(path.read_text())["resources"])
    assert named == {file.name for file in path.parent.iterdir()} - {path.name}


def test_what_belongs_together_agrees() -> None:
    deployment, service, monitor = find("Deployment"), find("Service"), find("ServiceMonitor")
    pod = deployment["spec"]["template"]
    [container] = pod["spec"]["containers"]
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    labels = pod["metadata"]["labels"]

    assert ports == {"http": 8080, "otlp-grpc": 4317, "otlp-http": 4318}
    for each in (service, find("Service", "mltrace-exporters")):
        assert {port["targetPort"]: port["port"] for port in each["spec"]["ports"]}.items() <= (
            ports.items()
        )
        assert each["spec"]["selector"] == labels
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert find("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert monitor["spec"]["selector"]["matchLabels"] == service["metadata"]["labels"]
    assert [each["port"] for each in monitor["spec"]["endpoints"]] == ["http"]


def test_alerts_know_the_job_by_its_name() -> None:
    [relabeling] = find("ServiceMonitor")["spec"]["endpoints"][0]["relabelings"]
    rules = yaml.safe_dump(find("PrometheusRule")["spec"])

    assert set(re.findall(r'job="([^"]*)"', rules)) == {relabeling["replacement"]}


def test_the_rules_are_those_of_prometheus() -> None:
    for name, file in (("mltrace", "mltrace-rules"), ("mltrace-burn-rate", "mltrace-burn-rate")):
        path = REPOSITORY / "collector-config" / "prometheus" / f"{file}.yaml"
        assert find("PrometheusRule", name)["spec"] == yaml.safe_load(path.read_text())


def test_images_are_of_this_version() -> None:
    version = importlib.metadata.version("mltrace-otel")
    compose = yaml.safe_load((REPOSITORY / "docker-compose.yaml").read_text())["services"]
    [container] = find("Deployment")["spec"]["template"]["spec"]["containers"]

    assert container["image"] == compose["exporter"]["image"] == f"mltrace-exporter:{version}"
    assert compose["demo"]["image"] == f"mltrace-demo:{version}"
