"""deploy.yaml -> the targets of an environment, every mistake with its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from sloforge import plugins
from sloforge.deploy.target import Config, Endpoint
from sloforge.errors import Finding, Location, Problem
from sloforge.located.files import Unreadable
from sloforge.located.tree import Malformed, Node
from sloforge.located.yamltext import parse
from sloforge.specs import files
from sloforge.specs.fields import NAME_PATTERN, Address, Duration, Name
from sloforge.specs.forms import Form
from sloforge.specs.mistakes import Place, validated
from sloforge.specs.words import did_you_mean

FILE = "deploy.yaml"
VERSION = "sloforge-deploy/v1"
NO_TIME = timedelta(0)
# Grafana takes 50 characters for a tag, and ours is `sloforge:` and this name.
Project = Annotated[str, StringConstraints(pattern=NAME_PATTERN, max_length=41)]
_EXAMPLE = "see docs/deploy.md for one to begin with"


class DeployForm(Form):
    """Environments and their targets: deploy.yaml."""

    version: Literal["sloforge-deploy/v1"] = Field(description="The format.")
    project: Project = Field(description="This repository: what bears its name is ours.")
    environments: dict[Name, dict[Name, dict[str, Any]]] = Field(
        min_length=1, description="Environment -> target -> what it is and where."
    )


class TargetForm(Form):
    """What every target has."""

    kind: str = Field(description="What it is.")


class ServerForm(TargetForm):
    """How a server is reached. Secrets stand in environment variables or files, never here."""

    url: Address = Field(description="Its address.")
    token_env: str = Field("", description="The variable that holds a bearer token.")
    token_file: str = Field("", description="The file that holds it instead.")
    user: str = Field("", description="For basic authentication.")
    password_env: str = Field("", description="The variable that holds the password.")
    password_file: str = Field("", description="The file that holds it instead.")
    headers: dict[str, str] = Field(default_factory=dict, description="Sent with every request.")
    secret_headers: dict[str, str] = Field(
        default_factory=dict, description="Header -> the variable that holds its value."
    )
    ca_file: str = Field("", description="The authority that signed the server's certificate.")
    cert_file: str = Field("", description="Our own certificate.")
    key_file: str = Field("", description="Its key.")
    timeout: Duration = Field(timedelta(seconds=10), description="For one request.")


class ReloadForm(ServerForm):
    """A server that reads files of this machine when it is told to."""

    pid_file: str = Field("", description="Signal this process instead of POST /-/reload.")


class VmalertForm(ReloadForm):
    """vmalert of VictoriaMetrics."""

    folder: str = Field(min_length=1, description="Where releases go; `current` is the live one.")
    wait: Duration = Field(
        NO_TIME, description="Rules with longer intervals are asked by a query, not waited for."
    )


class PrometheusForm(VmalertForm):
    """Prometheus."""

    config: str = Field("", description="Its configuration, to be checked as a whole.")


class AlertmanagerForm(ReloadForm):
    """Alertmanager."""

    config: str = Field(min_length=1, description="The file it reads; templates/ is beside it.")


class RulerForm(ServerForm):
    """The ruler of Mimir, Cortex or Grafana Cloud; `url` ends before /config/v1/rules."""

    tenant: str = Field("", description="X-Scope-OrgID.")
    max_rules: int = Field(20, ge=0, description="Rules of a group; 0 means any number.")
    max_groups: int = Field(70, ge=0, description="Groups of the tenant; 0 means any number.")
    wait: Duration = Field(timedelta(minutes=1), description="How long until the ruler shows them.")


class KubernetesForm(TargetForm):
    """PrometheusRule manifests in a folder, for kubectl, Argo CD or Flux to apply."""

    folder: str = Field("dist/kubernetes", min_length=1, description="Where they are written.")
    namespace: Name = Field("monitoring", description="Of the objects.")
    labels: dict[str, str] = Field(
        default_factory=dict, description="What the Operator's ruleSelector asks for."
    )


class ImportForm(TargetForm):
    """Dashboards to share: Grafana asks for their data source when they are imported."""

    folder: str = Field("dist/import", min_length=1, description="Where they are written.")


class ProvisioningForm(TargetForm):
    """Dashboards, and the provider that has a Grafana read them from its disk."""

    folder: str = Field("dist/provisioning", min_length=1, description="Where they are written.")
    grafana_folder: str = Field("SLO", min_length=1, description="The title of Grafana's folder.")
    grafana_folder_uid: Name = Field("slo", description="Its uid.")
    org_id: int = Field(1, ge=1, description="The organisation.")
    path: str = Field("", description="Where the server finds `dashboards/`; by default as usual.")


class GrafanaForm(ServerForm):
    """Grafana, over its HTTP API."""

    folder: str = Field("SLO", min_length=1, description="The folder's title.")
    folder_uid: Name = Field("slo", description="Its uid.")
    org_id: int = Field(0, ge=0, description="The organisation; 0 means the login's own.")


class PluginForm(ServerForm):
    """A system that a plugin deploys to."""

    url: Address = Field("", description="Its address.")
    options: dict[str, Any] = Field(
        default_factory=dict, description="What the plugin asks for; it judges that itself."
    )


FORMS: Mapping[str, type[TargetForm]] = {
    "prometheus": PrometheusForm,
    "vmalert": VmalertForm,
    "ruler": RulerForm,
    "kubernetes": KubernetesForm,
    "alertmanager": AlertmanagerForm,
    "grafana": GrafanaForm,
    "provisioning": ProvisioningForm,
    "import": ImportForm,
}
_ENDPOINT = tuple(Endpoint.__dataclass_fields__)


def load(root: Path, environment: str = "") -> tuple[Config, ...]:
    """The targets of an environment, in the order of the file; it may be left out if it is alone.

    Raises Problem with every mistake of the whole file.
    """
    findings: list[Finding] = []
    tree = _tree(root)
    form = validated(DeployForm, tree, findings)
    wrong = {path[:1] for path in form} if isinstance(form, tuple) else set()
    readable = wrong <= {("project",), ("version",)}
    found = _environments(root, tree, findings) if readable else {}
    if findings or isinstance(form, tuple):
        raise Problem(findings=[_with_remedy(finding, root) for finding in findings])
    if not environment and len(found) == 1:
        (environment,) = found
    if environment not in found:
        what = f"unknown environment `{environment}`" if environment else "no environment is named"
        remedy = did_you_mean(environment, found) if environment else f"give --env: {_list(found)}"
        raise Problem(f"{FILE}: {what}; {remedy}")
    return found[environment]


def _with_remedy(finding: Finding, root: Path) -> Finding:
    """Without a name of its own, a repository would delete what another one has deployed."""
    if finding.what != "missing key `project`":
        return finding
    name = root.resolve().name
    example = name if re.fullmatch(NAME_PATTERN, name) else "checkout-slos"
    remedy = f"name this repository, and no other, as in `project: {example}`; what bears the name"
    return replace(finding, remedy=f"{remedy} is ours to change and to delete")


def _list(names: Mapping[str, object]) -> str:
    return " or ".join(sorted(names))


def _tree(root: Path) -> Node:
    try:
        return parse(files.text_of(root, root / FILE), FILE)
    except Unreadable as unreadable:
        if not (root / FILE).exists():
            message = f"{FILE}: expected the environments to deploy to, found no file; {_EXAMPLE}"
            raise Problem(message) from None
        raise Problem(findings=[unreadable.finding]) from None
    except Malformed as malformed:
        raise Problem(findings=[malformed.finding]) from None


def _environments(root: Path, tree: Node, findings: list[Finding]) -> dict[str, tuple[Config, ...]]:
    return {
        name: tuple(_targets(root, Place(tree, ("environments", name)), node, findings))
        for name, node in tree.value["environments"].value.items()
    }


def _targets(root: Path, place: Place, node: Node, findings: list[Finding]) -> Iterator[Config]:
    for name, target in node.value.items():
        kind = target.value["kind"].value if "kind" in target.value else None
        wanted = _form(kind)
        if wanted is None:
            here = place.at(name, "kind") if kind is not None else place.at(name)
            known = [*FORMS, *(one.name for one in plugins.found("targets", FORMS))]
            remedy = did_you_mean(str(kind), known) if kind else f"known are {', '.join(known)}"
            what = f"unknown kind `{kind}`" if kind is not None else "missing key `kind`"
            findings.append(here.wrong(what, remedy))
            continue
        form = validated(wanted, target, findings)
        if isinstance(form, tuple):
            continue
        findings += _mistakes(form, target.where)
        config = _config(root, form)
        project = _named(place.tree)
        yield Config(**config, project=project, name=name, environment=str(place.path[-1]))


def _form(kind: object) -> type[TargetForm] | None:
    if not isinstance(kind, str):
        return None
    offered = kind not in FORMS and plugins.named("targets", kind, FORMS) is not None
    return PluginForm if offered else FORMS.get(kind)


def _named(tree: Node) -> str:
    """The project; empty where it is one of the mistakes."""
    return str(tree.value["project"].value) if "project" in tree.value else ""


def _mistakes(form: TargetForm, where: Location) -> Iterator[Finding]:
    """What no single key shows."""
    for one, other in (("token_env", "token_file"), ("password_env", "password_file")):
        if getattr(form, one, "") and getattr(form, other, ""):
            what = f"expected `{one}` or `{other}`, got both"
            yield Finding(id="S003", where=where, what=what, remedy="remove one of them")
    password = getattr(form, "password_env", "") or getattr(form, "password_file", "")
    if bool(getattr(form, "user", "")) != bool(password):
        what = "expected `user` together with `password_env` or `password_file`, got one of them"
        yield Finding(id="S003", where=where, what=what, remedy="give both, or none")


def _config(root: Path, form: TargetForm) -> dict[str, Any]:
    values = {name: _value(getattr(form, name)) for name in type(form).model_fields}
    endpoint = {name: values.pop(name) for name in _ENDPOINT if name in values}
    kind = values.pop("kind")
    if isinstance(form, PluginForm):
        values = form.options
    return {"kind": kind, "root": root, "endpoint": Endpoint(**endpoint), "options": values}


def _value(value: Any) -> Any:
    """Times in seconds, mappings of texts as pairs."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    return tuple(sorted(value.items())) if isinstance(value, dict) else value
