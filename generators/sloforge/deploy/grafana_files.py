"""Dashboards for those who do not push: dist/provisioning/ for servers, dist/import/ to share."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from sloforge.artifacts import Artifact, json_artifact, yaml_text
from sloforge.deploy.folder import Files, Folder, Form
from sloforge.deploy.grafana_board import of_live, parsed, refuse_placeholder
from sloforge.deploy.grafana_words import summary
from sloforge.deploy.target import Config, Desired, Target

KIND = "dashboard"
SOURCE = "dashboards/"
HEAD = "# Written by `sloforge deploy`: goes to Grafana's provisioning/dashboards/. Do not edit.\n"
# Where a Grafana of the usual packages and images may read files.
SERVED = "/var/lib/grafana/dashboards"
INPUT = "DS_PROMETHEUS"
OLDEST = "10.4.0"
_NAMES = {
    "alertlist": "Alert list",
    "bargauge": "Bar gauge",
    "state-timeline": "State timeline",
    "status-history": "Status history",
    "timeseries": "Time series",
}


def provisioning(config: Config) -> Target:
    """Options: `folder`, where they are written; `grafana_folder`, `grafana_folder_uid`, `org_id`
    and `path`, where the server finds the dashboards.
    """
    return Folder(config, Form(kind=KIND, files=_provisioned, told=_told))


def imports(config: Config) -> Target:
    """Option: `folder`. The dashboards ask for their data source, and may be edited then."""
    return Folder(config, Form(kind=KIND, files=_imported, told=_told))


def _provisioned(desired: Desired, config: Config) -> Files:
    """A provider, for Grafana's provisioning/dashboards/, and the dashboards that it reads.

    https://grafana.com/docs/grafana/latest/administration/provisioning/#dashboards
    """
    options = config.options
    provider = {
        "name": f"sloforge {config.project}",
        "orgId": options["org_id"],
        "folder": options["grafana_folder"],
        "folderUid": options["grafana_folder_uid"],
        "type": "file",
        "disableDeletion": False,
        "allowUiUpdates": False,
        "updateIntervalSeconds": 30,
        "options": {
            "path": options["path"] or f"{SERVED}/{config.project}",
            "foldersFromFilesStructure": False,
        },
    }
    document = {"apiVersion": 1, "providers": [provider]}
    yield f"{config.project}.yaml", HEAD + yaml_text(document)
    for artifact in _dashboards(desired):
        refuse_placeholder(artifact)
        yield artifact.path, artifact.text


def _imported(desired: Desired, config: Config) -> Files:
    del config
    for artifact in _dashboards(desired):
        refuse_placeholder(artifact)
        one = _import(artifact)
        yield one.path, one.text


def _told(live: str | None, wanted: str | None) -> tuple[str, ...]:
    """As for a dashboard in Grafana, where both are one."""
    if live is None or wanted is None or not wanted.startswith("{"):
        return ()
    try:
        before, after = parsed(live), parsed(wanted)
    except ValueError:
        return ("what is there is no JSON",)
    return summary(
        *(of_live(one if isinstance(one, dict) else {}, "", "") for one in (before, after))
    )


def _dashboards(desired: Desired) -> Iterator[Artifact]:
    return (one for one in desired.under(SOURCE) if one.path.endswith(".json"))


def _import(artifact: Artifact) -> Artifact:
    document = json.loads(artifact.text)
    templating = document.get("templating") or {}
    variables = [_asking(variable) for variable in templating.get("list") or ()]
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
    return json_artifact(artifact.path.removeprefix(SOURCE), {**document, **asked})


def _asking(variable: Mapping[str, Any]) -> Mapping[str, Any]:
    """The data source variable as Grafana's exporter writes it; panels go on reading it."""
    if variable.get("type") != "datasource" or variable.get("query") != "prometheus":
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
        if panel.get("type", "row") != "row":
            yield panel["type"]
        yield from _kinds(panel)
