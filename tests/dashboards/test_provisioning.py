"""What a Grafana reads at its start: no secret in it, and no trap that others fell into."""

import re
from typing import Any

import pytest
import yaml
from boards import POSTGRES, PROMETHEUS
from services import REPOSITORY

from mltrace_dashboards.push import FOLDER

PROVISIONING = REPOSITORY / "dashboards" / "provisioning"
SOURCES = yaml.safe_load((PROVISIONING / "datasources" / "mltrace.yaml").read_text())
SECRET = re.compile(r"""(?i)password"?\s*[:=]\s*"?[a-z0-9]|password\s+'""")
VARIABLE = re.compile(r"\$\{?([A-Z][A-Z_]+)\}?")


def list_values(value: object, path: str = "") -> list[tuple[str, Any]]:
    """Return every value in a piece of YAML, with its key."""
    if isinstance(value, dict):
        return [each for key, inner in value.items() for each in list_values(inner, str(key))]
    if isinstance(value, list):
        return [each for inner in value for each in list_values(inner, path)]
    return [(path, value)]


def test_secrets_and_addresses_come_from_the_environment() -> None:
    for key, value in list_values(SOURCES):
        if key in {"password", "url", "user", "database"}:
            assert VARIABLE.match(value), (key, value)
    for source in SOURCES["datasources"]:
        assert {"password", "basicAuthPassword"}.isdisjoint(source)
        assert "password" not in source["jsonData"]


def test_every_variable_is_documented() -> None:
    page = (REPOSITORY / "docs" / "how-to" / "grafana.md").read_text()
    used = {name for _, value in list_values(SOURCES) for name in VARIABLE.findall(str(value))}
    assert used
    assert {name for name in used if f"`{name}`" not in page} == set()


def test_numbers_and_switches_are_no_texts() -> None:
    for key, value in list_values(SOURCES):
        assert not re.fullmatch(r"\d+|true|false", value) if isinstance(value, str) else True, key


def test_data_sources_have_uids_of_the_types_that_dashboards_choose() -> None:
    types = {each["uid"]: each["type"] for each in SOURCES["datasources"]}
    assert types == {
        "mltrace-postgres": POSTGRES,
        "mltrace-prometheus": PROMETHEUS,
        "mltrace-alertmanager": "alertmanager",
    }
    assert all(each["editable"] is False for each in SOURCES["datasources"])


def test_links_of_single_runs_keep_their_dollar_sign() -> None:
    [prometheus] = [each for each in SOURCES["datasources"] if each["type"] == PROMETHEUS]
    [destination] = prometheus["jsonData"]["exemplarTraceIdDestinations"]
    # Grafana reads $$ as one dollar sign, and would look for a variable after a single one.
    assert destination["url"] == "$MLTRACE_PANEL_URL/runs/$${__value.raw}"


def test_files_and_push_use_the_same_folder_and_nobody_edits_what_files_provision() -> None:
    text = (PROVISIONING / "dashboards" / "mltrace.yaml").read_text()
    [provider] = yaml.safe_load(text)["providers"]
    assert provider["folderUid"] == FOLDER
    assert provider["allowUiUpdates"] is False
    assert "foldersFromFilesStructure" not in provider["options"]


@pytest.mark.parametrize("name", ["json", "provisioning"])
def test_no_file_has_a_password(name: str) -> None:
    files = [path for path in (REPOSITORY / "dashboards" / name).rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert not SECRET.search(path.read_text()), path
