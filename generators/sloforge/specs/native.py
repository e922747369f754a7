"""The native spec of a service -> the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from pydantic import Field

from sloforge.errors import Finding
from sloforge.located.tree import Node, Path, plain
from sloforge.located.words import shown
from sloforge.model import Alerting, Links, More, Service, Slo
from sloforge.naming import MIXINS
from sloforge.promql import duration
from sloforge.sli import Quantile, Sli
from sloforge.specs import burns, compat, panels, slis, slos
from sloforge.specs.burns import MAX_SCRAPE_INTERVAL, MIN_SCRAPE_INTERVAL
from sloforge.specs.expanding import expanded
from sloforge.specs.forms import VERSION, MoreForm, ServiceForm, SloForm
from sloforge.specs.mistakes import Place, validated
from sloforge.specs.project import Context
from sloforge.specs.slos import Setting, percentile
from sloforge.specs.words import did_you_mean

# A service of that name would write the files and dashboards that all services share.
_RESERVED = ("common", "fleet", "incident", MIXINS)
_KEEP_FIRING = timedelta(minutes=5)


def read(tree: Node, context: Context, findings: list[Finding]) -> Service | None:
    """The service; None with `findings` grown where it is wrong."""
    before = len(findings)
    tree = expanded(tree, context.library, findings)
    place = Place(tree)
    whole = validated(ServiceForm, tree, findings)
    form, indices = _sound(tree, whole, context) if isinstance(whole, tuple) else _all(whole)
    interval = min(form.scrape_interval or context.defaults.scrape_interval, MAX_SCRAPE_INTERVAL)
    scrape = slis.Scrape(job=form.job, interval=interval, settings=context.settings)
    setting = Setting(context=context, scrape=scrape)
    placed = [(slo, place.at("slos", at)) for at, slo in zip(indices, form.slos, strict=True)]
    findings += _service_mistakes(form, context, place)
    findings += _duplicates(placed)
    for slo, here in placed:
        findings += slos.mistakes(slo, setting, here)
    findings += panels.mistakes(form, place)
    if len(findings) > before:
        return None
    found = [_slo(form.service, slo, setting, here) for slo, here in placed]
    return _service(form, found, scrape, place)


class _Rest(ServiceForm):
    """What is left of a service when the mistaken parts are taken out."""

    slos: list[SloForm] = Field(default_factory=list)


def _all(form: ServiceForm) -> tuple[ServiceForm, list[int]]:
    return form, list(range(len(form.slos)))


def _sound(tree: Node, broken: Iterable[Path], context: Context) -> tuple[ServiceForm, list[int]]:
    """The parts without a mistake of form, so that their other mistakes are found in one run."""
    data, gone = plain(tree), {path[:2] for path in broken}
    keys = {path[0] for path in gone if path[0] != "slos" or len(path) == 1}
    listed = data.get("slos") if "slos" not in keys else ()
    kept = [at for at in range(len(listed or ())) if ("slos", at) not in gone]
    sound = {key: value for key, value in data.items() if key not in keys}
    sound["slos"] = [data["slos"][at] for at in kept]
    if "scrape_interval" in keys:
        sound["scrape_interval"] = duration(MIN_SCRAPE_INTERVAL)
    owner = context.settings.owners[0].name
    stand_ins = {"version": VERSION, "service": "unknown", "owner": owner}
    return _Rest.model_validate(stand_ins | sound, by_alias=True), kept


def _service_mistakes(form: ServiceForm, context: Context, place: Place) -> Iterator[Finding]:
    owners = [owner.name for owner in context.settings.owners]
    if context.complete and form.owner not in owners:
        remedy = f"add it to slos/project.yaml; {did_you_mean(form.owner, owners)}"
        what = f"unknown owner {shown(form.owner)}"
        yield place.at("owner").wrong(what, remedy, id_="S005")
    if form.service in _RESERVED:
        what = f"`{form.service}` is the name of something that all services share"
        yield place.at("service").wrong(what, "take another name", id_="S004")
    if form.scrape_interval is not None:
        yield from burns.scrape_mistakes(form.scrape_interval, place.at("scrape_interval"))


def _duplicates(placed: list[tuple[SloForm, Place]]) -> Iterator[Finding]:
    seen: dict[str, Place] = {}
    for slo, here in placed:
        if (first := seen.setdefault(slo.name, here)) is not here:
            remedy = f"it is already at {first.at('name').where}"
            yield here.at("name").wrong(f"duplicate SLO `{slo.name}`", remedy, id_="S004")
    for slo, here in placed:
        whole = slo.name.removesuffix("-period").removesuffix("-sloth")
        if whole != slo.name and whole in seen:
            what = f"`{slo.name}` would share a rule group with `{whole}`"
            yield here.at("name").wrong(what, "take another name", id_="S004")


def _slo(service: str, form: SloForm, setting: Setting, place: Place) -> Slo:
    sli = slis.sli(form.sli, setting.scrape)
    decided = not ("objective" in form.model_fields_set and form.objective is None)
    return Slo(
        service=service,
        name=form.name,
        description=form.description,
        rationale=form.rationale,
        grounding=form.grounding,
        measured=tuple(sorted((percentile(key), v) for key, v in form.measured.items())),
        objective=form.objective,
        decided=decided,
        window=setting.window(form),
        by=tuple(form.by),
        sli=sli,
        alerting=_alerting(form, setting, sli),
        source=place.where,
        sloth=compat.sloth(service, form, setting.context, setting.policy(form.alerting)),
    )


def _alerting(form: SloForm, setting: Setting, sli: Sli) -> Alerting:
    alerting, is_quantile = form.alerting, isinstance(sli, Quantile)
    policy = setting.policy(alerting)
    # An incomplete context may not know the policy; nothing is built from it.
    listed = policy.burns if policy is not None else ()
    kept = tuple(burn for burn in listed if burn.name not in alerting.disable)
    runbook = alerting.runbook or ("{slo}" if is_quantile else "{slo}-{burn}")
    keep = alerting.keep_firing_for
    return Alerting(
        burns=() if is_quantile else kept,
        min_errors=_min_errors(form, setting, sli),
        severity=alerting.severity or "page",
        wait=alerting.for_ or timedelta(0),
        keep_firing_for=_KEEP_FIRING if keep is None else keep,
        names=tuple(alerting.names.items()),
        labels=tuple(alerting.labels.items()),
        annotations=tuple(alerting.annotations.items()),
        page=_more(alerting.page),
        ticket=_more(alerting.ticket),
        disable=tuple(alerting.disable),
        runbook=runbook,
    )


def _more(form: MoreForm) -> More:
    return More(labels=tuple(form.labels.items()), annotations=tuple(form.annotations.items()))


def _min_errors(form: SloForm, setting: Setting, sli: Sli) -> int:
    """One failed request says little, one bad slice of time is as long as it says it is."""
    if form.alerting.min_errors is not None:
        return form.alerting.min_errors
    return setting.context.defaults.min_errors if sli.unit == "events" else 0


def _service(form: ServiceForm, found: list[Slo], scrape: slis.Scrape, place: Place) -> Service:
    return Service(
        name=form.service,
        owner=form.owner,
        tier=form.tier,
        description=form.description,
        job=form.job,
        scrape_interval=scrape.interval,
        links=Links(**form.links.model_dump()),
        disable=tuple(form.disable),
        slos=tuple(found),
        http=panels.http(form, found),
        rows=panels.rows(form),
        variables=tuple(form.dashboard.variables.items()),
        source=place.at("service").where,
    )
