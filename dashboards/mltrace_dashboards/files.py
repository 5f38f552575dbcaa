"""The files that Grafana reads. In: dashboards as code. Out: JSON, and what provisions it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from mltrace_dashboards.catalogue import DASHBOARDS
from mltrace_dashboards.choices import DEFAULT_PANEL_URL, PANEL_VARIABLE
from mltrace_dashboards.model import Dashboard

_HERE = Path(__file__).parent
_PROVISIONING = next(
    # In a wheel it lies inside this package, in the repository beside it.
    folder
    for folder in (_HERE / "provisioning", _HERE.parent / "provisioning")
    if folder.is_dir()
)


def render_dashboards(panel_url: str = DEFAULT_PANEL_URL) -> dict[str, dict[str, object]]:
    """Return every dashboard as JSON, by the name of its file.

    Args:
        panel_url: where people reach the web panel; links to runs begin with it.
    """
    address = panel_url.rstrip("/")
    return {f"{each.uid}.json": _lead(each, address) for each in DASHBOARDS}


def write_json(dashboard: Mapping[str, object]) -> str:
    """Return a dashboard as the text of its file."""
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def write_files(directory: Path, panel_url: str) -> list[Path]:
    """Write everything that Grafana provisions: ``json/`` and ``provisioning/``; return the files.

    Raises:
        OSError: the directory cannot be written to.
    """
    dashboards = render_dashboards(panel_url)
    texts = {
        **{Path("json") / name: write_json(each) for name, each in dashboards.items()},
        **dict(_read_provisioning()),
    }
    for name, text in texts.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(text)
    return [directory / name for name in texts]


def _read_provisioning() -> Iterator[tuple[Path, str]]:
    for path in sorted(_PROVISIONING.rglob("*.*")):
        yield Path("provisioning") / path.relative_to(_PROVISIONING), path.read_text()


def _lead(dashboard: Dashboard, panel_url: str) -> dict[str, object]:
    rendered = dashboard.render()
    variables = [
        {**each, "query": panel_url} if each["name"] == PANEL_VARIABLE else each
        for each in dashboard.variables
    ]
    return {**rendered, "templating": {"list": variables}}
