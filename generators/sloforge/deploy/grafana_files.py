"""Dashboards for those who do not push: dist/provisioning/ for servers, dist/import/ to share."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sloforge.artifacts import Artifact, json_artifact, yaml_artifact
from sloforge.errors import Problem

SOURCE = "dashboards/"
PROVISIONING = "dist/provisioning"
IMPORT = "dist/import"
INPUT = "DS_PROMETHEUS"
# What only the import dialog of Grafana replaces: https://github.com/grafana/grafana/issues/10786
PLACEHOLDER = "${DS_"
OLDEST = "10.4.0"
_NAMES = {
    "alertlist": "Alert list",
    "bargauge": "Bar gauge",
    "state-timeline": "State timeline",
    "status-history": "Status history",
    "timeseries": "Time series",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a Grafana that reads files shows them; `path` is where it finds them."""

    folder: str = "SLO"
    folder_uid: str = "slo"
    org_id: int = 1
    path: str = "/var/lib/grafana/dashboards/sloforge"


def provisioning(artifacts: Iterable[Artifact], place: Place) -> tuple[Artifact, ...]:
    """A provider, for Grafana's provisioning/dashboards/, and the dashboards that it reads.

    https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards
    """
    provider = {
        "name": f"sloforge {place.folder_uid}",
        "orgId": place.org_id,
        "folder": place.folder,
        "folderUid": place.folder_uid,
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {"path": place.path, "foldersFromFilesStructure": False},
    }
    document = {"apiVersion": 1, "providers": [provider]}
    boards = [_copied(artifact) for artifact in _dashboards(artifacts)]
    return (yaml_artifact(f"{PROVISIONING}/sloforge.yaml", "slos/", document), *boards)


def imports(artifacts: Iterable[Artifact]) -> tuple[Artifact, ...]:
    """Dashboards that ask for their data source when they are imported, and may be edited then."""
    return tuple(_import(artifact) for artifact in _dashboards(artifacts))


def refuse_placeholder(artifact: Artifact) -> None:
    """Raises Problem for a dashboard that only the import dialog could complete."""
    if PLACEHOLDER in artifact.text:
        raise Problem(
            f"{artifact.path}: must not hold `{PLACEHOLDER}...}}`, which Grafana replaces in its "
            "import dialog and nowhere else; use the variable `${datasource}`"
        )


def _dashboards(artifacts: Iterable[Artifact]) -> Iterator[Artifact]:
    for artifact in sorted(artifacts, key=lambda one: one.path):
        if artifact.path.startswith(SOURCE) and artifact.path.endswith(".json"):
            yield artifact


def _copied(artifact: Artifact) -> Artifact:
    refuse_placeholder(artifact)
    name = artifact.path.removeprefix(SOURCE)
    return Artifact(f"{PROVISIONING}/dashboards/{name}", artifact.text)


def _import(artifact: Artifact) -> Artifact:
    refuse_placeholder(artifact)
    document = json.loads(artifact.text)
    templating = document.get("templating", {})
    variables = [_asking(variable) for variable in templating.get("list", [])]
    asked = {
        "__inputs": [
            {
                "name": INPUT,
                "label": "Prometheus",
                "description": "",
                "type": "datasource",
                "pluginId": "prometheus",
                "pluginName": "Prometheus",
            }
        ],
        "__requires": list(_required(document)),
        "editable": True,
        "templating": {**templating, "list": variables},
    }
    return json_artifact(f"{IMPORT}/{artifact.path.removeprefix(SOURCE)}", {**document, **asked})


def _asking(variable: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data source variable as Grafana's exporter writes it; panels go on reading it."""
    if variable.get("type") != "datasource":
        return variable
    return {**variable, "current": {"selected": True, "text": "", "value": f"${{{INPUT}}}"}}


def _required(document: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Sorted by id, as the exporter has them."""
    found = [{"type": "grafana", "id": "grafana", "name": "Grafana", "version": OLDEST}]
    source = {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"}
    found.append(source)
    for kind in sorted(set(_kinds(document))):
        name = _NAMES.get(kind, kind.capitalize())
        found.append({"type": "panel", "id": kind, "name": name, "version": ""})
    yield from sorted(found, key=lambda one: one["id"])


def _kinds(holder: Mapping[str, Any]) -> Iterator[str]:
    for panel in holder.get("panels") or ():
        if panel["type"] != "row":
            yield panel["type"]
        yield from _kinds(panel)
