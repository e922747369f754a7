"""A copy of the project that a demo can deploy: quicker waits, receivers and links on loopback.

Windows, factors, thresholds, routes, inhibitions and texts are as in the repository.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sloforge import pipeline, specs
from sloforge.demo import layers
from sloforge.demo.layers import Rule
from sloforge.demo.services import INSTANCES, QUEUE_WORKER, TENSOR_WASM
from sloforge.errors import Problem
from sloforge.model import Project
from sloforge.promql import duration, number
from sloforge.windows import WORKBOOK, Burn

SERVICES = (TENSOR_WASM, QUEUE_WORKER)
BUILT = ("recording", "rules", "dashboards", "alertmanager", "runbooks")
PROJECT, BASE = "slos/project.yaml", "alertmanager/base.yml"
# In seconds: in production a minute, five to ten minutes, 30 s and five minutes.
INTERVAL, KEEP, GROUP_WAIT, GROUP_INTERVAL = 10, 20, 5, 15
HASTE = (
    "Windows, thresholds, routes and texts are the repository's; only what waits is quicker: "
    f"rules are evaluated every {INTERVAL} s and not every minute, burns are held for {KEEP} s and "
    f"not for 5 to 10 minutes, and Alertmanager groups for {GROUP_WAIT} and {GROUP_INTERVAL} s "
    "and not for 30 s and 5 minutes."
)
LIVE = "live"
VERSION = "sloforge-deploy/v1"
FOLDER, FOLDER_UID, MARK = "SLO demo", "slo-demo", "sloforge-demo"
TOKEN = "GRAFANA_TOKEN"  # noqa: S105 - the name of a variable
Form = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where everything is on this machine; `grafana` is one that is somewhere else, or nothing."""

    desk: str
    dashboards: str
    prometheus: str
    alertmanager: str
    grafana: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """The copy, built; `folder` is its root, `live` what the servers read."""

    folder: Path
    live: Path
    project: Project
    rules: tuple[Rule, ...]


def stage(root: Path, folder: Path, where: Addresses) -> Staged:
    """Copy, change and build. Raises Problem with the project's mistakes."""
    project = specs.load(root)
    missing = sorted(set(SERVICES) - {service.name for service in project.services})
    if missing:
        remedy = "start it in a checkout of sloforge that still has both"
        raise Problem(f"slos/: expected {' and '.join(missing)}, which the demo plays; {remedy}")
    staged, live = folder / "project", folder / LIVE
    _copy(root, staged, project)
    _write(staged / PROJECT, _project(_read(root / PROJECT), where))
    _write(staged / BASE, _base(_read(root / BASE), where.desk))
    _write(staged / "deploy.yaml", _targets(live, where))
    built = pipeline.build(staged, BUILT, remember=False)
    pipeline.apply(staged, built)
    texts = [
        path.read_text(encoding="utf-8")
        for part in ("recording", "rules")
        for path in sorted((staged / part).glob("*.yml"))
    ]
    return Staged(folder=staged, live=live, project=built.project, rules=layers.rules(texts))


def prometheus_config(staged: Staged, where: Addresses) -> str:
    """Scrapes the service as often as its file says, and reads the released rules."""
    desk = where.desk.removeprefix("http://")
    jobs = {service.job: service for service in staged.project.services}
    scraped: list[Form] = [
        {
            "job_name": job,
            "scrape_interval": duration(service.scrape_interval),
            "static_configs": [
                {
                    "targets": [desk],
                    "labels": {
                        **one.labels,
                        "__metrics_path__": f"/targets/{one.name}/metrics",
                    },
                }
                for one in INSTANCES
                if one.job == job
            ],
        }
        for job, service in sorted(jobs.items())
    ]
    own = {"targets": [where.prometheus.removeprefix("http://")]}
    manager = {"targets": [where.alertmanager.removeprefix("http://")]}
    return yaml.safe_dump(
        {
            "global": {"scrape_interval": "15s", "evaluation_interval": f"{INTERVAL}s"},
            "alerting": {"alertmanagers": [{"static_configs": [manager]}]},
            "rule_files": [f"{staged.live}/slo/current/*.yml"],
            "scrape_configs": [*scraped, {"job_name": "prometheus", "static_configs": [own]}],
        },
        sort_keys=False,
    )


# What an Alertmanager needs to start with; the first deploy takes it over.
NO_ROUTES = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def _copy(root: Path, staged: Path, project: Project) -> None:
    for service in project.services:
        if service.name in SERVICES:
            target = staged / service.source.path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / service.source.path, target)
    for path, text in project.authored:
        kept = ("alertmanager/templates/", *(f"runbooks/{name}/" for name in ("common", *SERVICES)))
        if path.startswith(kept):
            target = staged / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")


def _project(form: Form, where: Addresses) -> Form:
    evaluation = {**form.get("evaluation", {}), "interval": f"{INTERVAL}s"}
    policies = {"workbook": {"burns": [_burn(one) for one in WORKBOOK.burns]}}
    policies |= form.get("policies", {})
    for one in policies["workbook"]["burns"]:
        one["keep_firing_for"] = f"{KEEP}s"
    return {
        **form,
        "evaluation": evaluation,
        "policies": policies,
        "runbook_base_url": f"{where.desk}/runbooks/",
        "dashboard_base_url": where.dashboards,
    }


def _burn(one: Burn) -> Form:
    assert one.fixed is not None
    return {
        "name": one.name,
        "severity": one.severity,
        "long": duration(one.long),
        "short": duration(one.short),
        "factor": float(number(one.fixed)),
    }


def _base(form: Form, desk: str) -> Form:
    """Every receiver as it is, but for where it sends."""
    pace = {"group_wait": f"{GROUP_WAIT}s", "group_interval": f"{GROUP_INTERVAL}s"}
    return {
        **{key: value for key, value in form.items() if key != "global"},
        "route": {**(form.get("route") or {}), **pace},
        "receivers": [_receiver(one, desk) for one in form.get("receivers", ())],
    }


_ADDRESS: Mapping[str, tuple[str, Form]] = {
    "slack_configs": ("api_url", {}),
    "pagerduty_configs": ("url", {"routing_key": "demo"}),
    "webhook_configs": ("url", {}),
}
_SECRET = ("api_url_file", "routing_key_file", "service_key_file", "http_config")


def _receiver(form: Form, desk: str) -> Form:
    """Slack, PagerDuty and webhooks lead to the desk; anything else is left out."""
    found: Form = {"name": form["name"]}
    for kind, (key, more) in _ADDRESS.items():
        here = f"{desk}/notify/{kind.removesuffix('_configs')}/{form['name']}"
        configs = [
            {k: v for k, v in one.items() if k not in _SECRET} | {key: here, **more}
            for one in form.get(kind, ())
        ]
        found |= {kind: configs} if configs else {}
    return found


def _targets(live: Path, where: Addresses) -> Form:
    targets: Form = {
        "alertmanager": {
            "kind": "alertmanager",
            "url": where.alertmanager,
            "config": f"{live}/alertmanager/alertmanager.yml",
        },
        "prometheus": {
            "kind": "prometheus",
            "url": where.prometheus,
            "folder": f"{live}/slo",
            "config": f"{live}/prometheus/prometheus.yml",
        },
    }
    if where.grafana:
        targets["grafana"] = {
            "kind": "grafana",
            "url": where.grafana,
            "token_env": TOKEN,
            "folder": FOLDER,
            "folder_uid": FOLDER_UID,
        }
    return {"version": VERSION, "project": MARK, "environments": {"demo": targets}}


def _read(path: Path) -> Form:
    """It has been loaded before, and is right."""
    found: Form = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def _write(path: Path, form: Form) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(form, sort_keys=False, allow_unicode=True), encoding="utf-8")
