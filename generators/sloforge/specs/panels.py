"""The dashboard part of a service's spec: HTTP rows and the team's own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sloforge.errors import Finding
from sloforge.model import Http, Query, Row, Slo, Step, TeamPanel
from sloforge.promql import WINDOW, Matcher, Selector
from sloforge.sli import Latency, Quantile, Ratio
from sloforge.specs import expressions, selectors
from sloforge.specs.forms import HttpForm, PanelForm, ServiceForm
from sloforge.specs.labels import OF_RULES
from sloforge.specs.mistakes import Place
from sloforge.specs.words import Wrong

# Every generated dashboard has these already.
_VARIABLES = ("datasource", "service", "slo", "route")
# Grafana's variables, replaced by something that parses; inside a string they do no harm.
_RANGE_VARIABLE = re.compile(r"\[\$\{?(__rate_interval|__interval|__range|interval)\}?")
_NUMBER_VARIABLE = re.compile(r"\$\{?__(range|interval|rate_interval)(_s|_ms)?\}?")


def parsable(expr: str) -> str:
    """The expression with Grafana's range variables put at five minutes."""
    return _NUMBER_VARIABLE.sub("300", _RANGE_VARIABLE.sub("[5m", expr))


def mistakes(form: ServiceForm, place: Place) -> Iterator[Finding]:
    """Panels without a query, queries that do not parse, and HTTP labels that cannot be."""
    for r, row in enumerate(form.dashboard.rows):
        for p, panel in enumerate(row.panels):
            yield from _panel_mistakes(panel, place.at("dashboard", "rows", r, "panels", p))
    for name in form.dashboard.variables:
        if name in _VARIABLES:
            what = f"every dashboard has a variable `{name}` already"
            yield place.at("dashboard", "variables", name).misnamed(what, "rename it", id_="S004")
    if form.http is not None:
        yield from _http_mistakes(form.http, form.job, place.at("http"))


def _panel_mistakes(panel: PanelForm, place: Place) -> Iterator[Finding]:
    if panel.type != "text" and not panel.queries:
        yield place.wrong("missing key `queries`", id_="S002")
    if panel.type == "text" and not panel.content:
        yield place.wrong("missing key `content`", id_="S002")
    for q, query in enumerate(panel.queries):
        try:
            expressions.parse(parsable(query.expr))
        except Wrong as error:
            yield place.at("queries", q, "expr").wrong(str(error), error.remedy, id_="S006")
        if WINDOW in query.expr:
            what = f"`{WINDOW}` is for SLIs, not for panels"
            remedy = "write $__rate_interval or $__range"
            yield place.at("queries", q, "expr").wrong(what, remedy, id_="S006")
    below = None
    for t, step in enumerate(panel.thresholds):
        here = place.at("thresholds", t)
        if (step.value is None) != (t == 0):
            what = "expected no `value` on the first step" if t == 0 else "missing key `value`"
            yield here.wrong(what, "the first step holds below all others")
        elif step.value is not None and below is not None and step.value <= below:
            yield here.at("value").wrong(f"expected more than {below}, got {step.value}")
        below = step.value if step.value is not None else below


def _http_mistakes(form: HttpForm, job: str | None, place: Place) -> Iterator[Finding]:
    if form.duration is not None:
        for what, remedy in selectors.histogram(form.duration):
            yield place.at("duration").wrong(what, remedy, id_="S006")
    for key in ("requests", "duration"):
        if (source := getattr(form, key)) is not None:
            for what, remedy in (
                *selectors.contradictions(source),
                *selectors.foreign(source, job),
            ):
                yield place.at(key).wrong(what, remedy, id_="S006")
    seen: dict[str, str] = {}
    for key in ("route", "method", "status"):
        label = getattr(form, key)
        if label in (*OF_RULES, "slo_service") or label.startswith("__"):
            yield place.at(key).wrong(f"`{label}` is set by sloforge", "relabel it", id_="S010")
        if (first := seen.setdefault(label, key)) != key:
            what = f"is the label of `{first}` already, got `{label}`"
            yield place.at(key).wrong(what, id_="S010")
    try:
        expressions.parse(f"x{{{Matcher('status', '=~', form.errors)}}}")
    except Wrong:
        what = f"expected a regular expression such as 5.., got `{form.errors}`"
        yield place.at("errors").wrong(what, id_="S006")


def rows(form: ServiceForm) -> tuple[Row, ...]:
    """The team's rows."""
    return tuple(
        Row(title=row.title, panels=tuple(map(_panel, row.panels)), collapsed=row.collapsed)
        for row in form.dashboard.rows
    )


def _panel(form: PanelForm) -> TeamPanel:
    return TeamPanel(
        title=form.title,
        kind=form.type,
        description=form.description,
        unit=form.unit,
        queries=tuple(Query(expr=query.expr, legend=query.legend) for query in form.queries),
        thresholds=tuple(Step(color=step.color, value=step.value) for step in form.thresholds),
        content=form.content,
        decimals=form.decimals,
        logarithmic=form.logarithmic,
        stacked=form.stacked,
    )


def http(form: ServiceForm, slos: list[Slo]) -> Http:
    """As written; what is not: the counter and the histogram of the first SLIs that have one."""
    counters = [s.sli.whole for s in slos if isinstance(s.sli, Ratio)]
    histograms = [s.sli.histogram for s in slos if isinstance(s.sli, Latency | Quantile)]
    requests = next((c for c in counters if isinstance(c, Selector) and "http" in c.name), None)
    found = Http(
        requests=requests.family() if requests else None,
        duration=next((h.family() for h in histograms if "http" in h.name), None),
    )
    if (given := form.http) is None:
        return found
    return Http(
        requests=given.requests or found.requests,
        duration=given.duration or found.duration,
        route=given.route,
        method=given.method,
        status=given.status,
        errors=given.errors,
    )
