"""slos/project.yaml -> settings and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from sloforge.errors import Finding, Location
from sloforge.located.tree import Node
from sloforge.model import Owner, Settings, Suppression
from sloforge.promql import duration
from sloforge.specs import burns, labels
from sloforge.specs.mistakes import Place, validated
from sloforge.specs.settings import PROJECT_VERSION, DefaultsForm, ProjectForm
from sloforge.specs.templates import Library
from sloforge.specs.variables import Variables, variables
from sloforge.specs.words import did_you_mean
from sloforge.windows import BASE, Policy

FILE = "slos/project.yaml"
MIN_INTERVAL = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What reading a service needs to know of the project.

    `python` is whether specs may be programs. `complete` is False where the project's own file is
    wrong: services are read all the same, but what they name cannot be looked up.
    """

    settings: Settings
    policies: dict[str, Policy]
    defaults: DefaultsForm
    library: Library = field(default_factory=Library)
    python: bool = False
    variables: Variables = field(default_factory=Variables)
    mixins: Mapping[str, Choice] = field(default_factory=dict)
    complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What is said of a mixin, and where."""

    owner: str
    where: Location


def unknown() -> Context:
    """The context of a project whose file cannot be read; nothing is too fast for it."""
    quick = duration(MIN_INTERVAL)
    text = {
        "version": PROJECT_VERSION,
        "owners": {"unknown": {"page": "page", "ticket": "ticket"}},
        "defaults": {"scrape_interval": quick},
        "evaluation": {"interval": quick},
    }
    form = ProjectForm.model_validate(text)
    nothing = Place(Node({}, Location(FILE)))
    return replace(_context(form, nothing), complete=False)


def read(tree: Node, findings: list[Finding]) -> Context:
    """The project's settings; incomplete, with `findings` grown, where they are wrong."""
    place = Place(tree)
    form = validated(ProjectForm, tree, findings)
    if isinstance(form, tuple):
        return unknown()
    before = len(findings)
    for name, policy in form.policies.items():
        findings += burns.mistakes(policy.burns, place.at("policies", name, "burns"))
    policies = {policy.name for policy in burns.policies(())} | form.policies.keys()
    if form.defaults.burns not in policies:
        what = f"unknown policy `{form.defaults.burns}`"
        remedy = did_you_mean(form.defaults.burns, policies)
        findings.append(place.at("defaults", "burns").wrong(what, remedy, id_="S005"))
    if (owner := form.defaults.owner) is not None and owner not in form.owners:
        what, remedy = f"unknown owner `{owner}`", did_you_mean(owner, form.owners)
        findings.append(place.at("defaults", "owner").wrong(what, remedy, id_="S005"))
    for name, mixin in form.mixins.items():
        if mixin.owner and mixin.owner not in form.owners:
            what, remedy = f"unknown owner `{mixin.owner}`", did_you_mean(mixin.owner, form.owners)
            findings.append(place.at("mixins", name, "owner").wrong(what, remedy, id_="S005"))
    scrape = place.at("defaults", "scrape_interval")
    findings += burns.scrape_mistakes(form.defaults.scrape_interval, scrape)
    interval = form.evaluation.interval
    if not MIN_INTERVAL <= interval <= BASE:
        what = f"expected {duration(MIN_INTERVAL)} to {duration(BASE)}, got {duration(interval)}"
        findings.append(place.at("evaluation", "interval").wrong(what, id_="S007"))
    findings += labels.label_mistakes(form.labels, (), place.at("labels"))
    return unknown() if len(findings) > before else _context(form, place)


def _context(form: ProjectForm, place: Place) -> Context:
    own = [Policy(name=n, burns=tuple(map(burns.burn, p.burns))) for n, p in form.policies.items()]
    return Context(
        settings=_settings(form),
        policies={policy.name: policy for policy in burns.policies(own)},
        defaults=form.defaults,
        python=form.python,
        variables=variables(form.jsonnet, place.at("jsonnet")),
        mixins={
            name: Choice(owner=one.owner, where=place.at("mixins", name).key)
            for name, one in form.mixins.items()
        },
    )


def _settings(form: ProjectForm) -> Settings:
    owners = [
        Owner(
            name=name,
            page=owner.page,
            ticket=owner.ticket,
            description=owner.description,
            links=tuple(owner.links.items()),
        )
        for name, owner in sorted(form.owners.items())
    ]
    return Settings(
        owners=tuple(owners),
        interval=form.evaluation.interval,
        mode=form.evaluation.mode,
        fallback_receiver=form.alertmanager.fallback,
        watchdog_receiver=form.alertmanager.watchdog,
        datasource=form.grafana.datasource,
        runbook_base_url=_directory(form.runbook_base_url),
        dashboard_base_url=form.dashboard_base_url.rstrip("/"),
        labels=tuple(form.labels.items()),
        compat=form.compat,
        suppressions=tuple(
            Suppression(id=one.id, path=one.path, reason=one.reason) for one in form.suppress
        ),
    )


def _directory(url: str) -> str:
    return url if not url or url.endswith("/") else url + "/"
