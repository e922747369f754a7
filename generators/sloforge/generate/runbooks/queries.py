"""The block `queries` of a runbook: what to ask first, and what each answer means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sloforge import naming
from sloforge.alerts import Alert
from sloforge.generate.runbooks.asked import Asked, asked, shown
from sloforge.generate.runbooks.common import common
from sloforge.generate.runbooks.page import Page, unique
from sloforge.generate.runbooks.spelling import code, percent, quantity, rounded
from sloforge.model import Http, Service, Slo
from sloforge.promql import Matcher, Selector, duration, selector, sum_by
from sloforge.sli import Latency, Quantile, Ratio
from sloforge.windows import BASE, Burn

_BY_SHARE = ("burn", "quantile")
Burns = Sequence[tuple[Slo, Burn]]


def queries(page: Page) -> str:
    """The questions of each SLO, then those of the alerts that every service has."""
    return shown(_all(page))


def _all(page: Page) -> Iterator[Asked]:
    by_service = page.by_service()
    for service, alerts in by_service:
        yield from _service(service, [one for one in alerts if one.kind in _BY_SHARE])
    kinds = dict.fromkeys(one.kind for one in page.alerts)
    for kind in kinds:
        yield from common(page, kind)
    for service, alerts in by_service:
        if "down" not in kinds and any(one.kind in _BY_SHARE for one in alerts):
            yield from _up(service)


def _service(service: Service, alerts: list[Alert]) -> Iterator[Asked]:
    """What alerts on a share of its events; several SLOs are asked for at once."""
    slos = unique(one.slo for one in alerts if one.slo is not None)
    for slo in slos:
        if isinstance(slo.sli, Quantile):
            yield _percentile(slo, slo.sli)
    burns = [(one.slo, one.burn) for one in alerts if one.slo is not None and one.burn is not None]
    if burns:
        yield _now(burns)
        yield _windows(burns)
        yield _left(burns)
    for slo in slos:
        yield from _where(service.http, slo)


def _series(burns: Burns, *matchers: Matcher, metric: str = "") -> str:
    """A recorded series of these SLOs."""
    names = tuple(dict.fromkeys(slo.name for slo, _ in burns))
    name = Matcher("slo_name", "=" if len(names) == 1 else "=~", "|".join(names))
    service = Matcher("slo_service", "=", burns[0][0].service)
    return str(Selector(metric, (*matchers, service, name)))


def _now(burns: Burns) -> Asked:
    least = rounded(min(burn.factor(slo.window) for slo, burn in burns))
    between = (f"between 1 and {least}: more than is allowed, less than what alerts",)
    return asked(
        "Does it still burn its budget?",
        _series(burns, metric=naming.CURRENT_BURN),
        f"above {least}: it still does",
        *(between if least != "1" else ()),
        "below 1: it is over, and the alert resets by itself",
        f"nothing: nothing happened in the last {duration(BASE)}, or the process is down",
    )


def _windows(burns: Burns) -> Asked:
    windows = sorted({window for _, burn in burns for window in (burn.short, burn.long)})
    names = "|".join(naming.error_ratio(window) for window in windows)
    return asked(
        "Has it just begun, or has it gone on for long?",
        _series(burns, Matcher("__name__", "=~", names)),
        *(_fires(slo, burn) for slo, burn in burns),
        "only the short window above: it has just begun",
        "only the long window above: it is over",
    )


def _fires(slo: Slo, burn: Burn) -> str:
    assert slo.budget is not None
    ratio = burn.threshold(slo.window, slo.budget)
    windows = f"{duration(burn.long)} and {duration(burn.short)}"
    return (
        f"above {rounded(ratio)} ({percent(ratio)}) over {windows}: "
        f"{code(burn.name)} of {code(slo.name)} fires"
    )


def _left(burns: Burns) -> Asked:
    return asked(
        "How much of the budget is left?",
        _series(burns, metric=naming.REMAINING),
        "1: all of it",
        "0.5: half of it",
        "0 or less: none; only changes that restore reliability may go out",
    )


def _percentile(slo: Slo, sli: Quantile) -> Asked:
    bound, window = quantity(sli.threshold, "s"), min(sli.windows)
    return asked(
        f"Is P{rounded(sli.quantile * 100)} of {code(slo.name)} still too high?",
        str(naming.of(slo, naming.quantile(window))),
        f"above {rounded(sli.threshold)} ({bound}): it still is, over the last {duration(window)}",
        "below: it is over, and the alert resets by itself",
        "at the histogram's largest bound: that slow or slower; the real value is not known",
        f"nothing: no {sli.unit} in that time, or the process is down",
    )


def _where(http: Http, slo: Slo) -> Iterator[Asked]:
    """By route where the SLI reads what the service's HTTP rows read, else by target."""
    sli = slo.sli
    if isinstance(sli, Ratio):
        if sli.part_is_bad and isinstance(sli.part, Selector) and _same(sli.part, http.requests):
            yield from _by_status(http, slo, sli.part)
    elif isinstance(sli, Latency | Quantile):
        if _same(sli.histogram, http.duration) and not sli.native:
            yield _by_route(http, slo, sli)
        else:
            yield _by_target(sli)


def _same(mine: Selector, other: Selector | None) -> bool:
    return other is not None and mine.name == other.name


def _by_status(http: Http, slo: Slo, part: Selector) -> Iterator[Asked]:
    """Nothing where the SLI picks bad requests by labels that are not recorded: all would show."""
    labels = (http.route, http.method, http.status)
    series = _recorded(naming.HTTP_REQUESTS, slo, part, labels)
    if not any(matcher.label in labels for matcher in part.matchers):
        return
    yield asked(
        "Which requests fail, and with which status?",
        f"topk(10, {sum_by(labels, str(series))} > 0)",
        "one route: look at what it alone does, and at what was changed there",
        "all routes: look at the process, its host, and what went out last",
        "nothing: no request fails at this moment",
    )


def _by_route(http: Http, slo: Slo, sli: Latency | Quantile) -> Asked:
    series = _recorded(naming.HTTP_DURATION, slo, sli.histogram, (http.route, http.method))
    bound = quantity(sli.threshold, "s")
    return asked(
        "Are most requests slow, or only some? (Median, failures too.)",
        f"histogram_quantile(0.5, {sum_by(('le', http.route), str(series))})",
        f"above {rounded(sli.threshold)} ({bound}): most are; look for something that has run out",
        "far below: only some are; look for one tenant, one function or one target",
    )


def _by_target(sli: Latency | Quantile) -> Asked:
    rate = sli.histogram.with_suffix("_count").rate(BASE)
    if sli.native:
        rate = f"histogram_count({sli.histogram.rate(BASE)})"
    return asked(
        "Is there more work than usual, and on which targets?",
        f"sum by (instance) ({rate})",
        "risen on all targets: more work came in",
        "uneven: look at the odd target, and take it out",
        f"as usual: the same {sli.unit} take longer",
    )


def _recorded(metric: str, slo: Slo, source: Selector, labels: tuple[str, ...]) -> Selector:
    """The recorded series with those matchers of the SLI that it has labels for."""
    own = tuple(matcher for matcher in source.matchers if matcher.label in labels)
    return Selector(metric, (Matcher("slo_service", "=", slo.service), *own))


def _up(service: Service) -> Iterator[Asked]:
    if service.job is not None:
        yield asked(
            f"Is {code(service.name)} there at all?",
            str(selector("up", {"job": service.job})),
            "1: this target answers its scrapes",
            "0 or nothing: it is down and counts no errors; go on with the runbook `down`",
        )
