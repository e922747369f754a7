"""The parts of a promtool test file: groups of input series and what must hold at which time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.artifacts import Artifact, OneLine, yaml_artifact
from sloforge.promql import duration, number, quote, seconds
from sloforge.sli import Fixture, Phase, Series
from sloforge.sli.fixtures import accepted, refused_by, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sloforge.alerts import Alert
    from sloforge.model import Service, Slo

Group = dict[str, object]
Expectation = dict[str, object]
# What recorded series come to; None where there must be none.
Values = dict[str, Fraction | None]
_PREFIX = "slo:"
_DIGITS, _MOST_DIGITS = 6, 18
_LEAST, _MOST, _HALF, _EDGE = 1000, 10**13, Fraction(1, 2), Fraction(1, 100)
UP = "../../.."
STEP = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One test file."""

    path: str
    source: str
    rule_files: tuple[str, ...]
    order: tuple[str, ...]
    evaluation_interval: timedelta
    groups: tuple[Group, ...]

    def artifact(self) -> Artifact:
        document = {
            "rule_files": [f"{UP}/{path}" for path in self.rule_files],
            "evaluation_interval": duration(self.evaluation_interval),
            "group_eval_order": list(self.order),
            "tests": list(self.groups),
        }
        return yaml_artifact(self.path, self.source, document)


def group(name: str, step: timedelta, series: Iterable[Series], **checks: object) -> Group:
    """A test group; `checks` are `promql_expr_test` and `alert_rule_test`."""
    inputs = [OneLine(series=one.series, values=one.values) for one in series]
    found: Group = {"name": name, "interval": duration(step), "input_series": inputs}
    return found | {key: value for key, value in checks.items() if value}


def labels_of(slo: Slo) -> dict[str, str]:
    """The labels of one recorded series of the SLO: each `by` label has its first value."""
    return slo.labels | members(slo)[0]


def members(slo: Slo) -> tuple[dict[str, str], ...]:
    """Label values of the series that one SLO stands for: two, where its `by` labels have two."""
    if not slo.by:
        return ({},)
    values = {label: _values(slo, label) for label in slo.by}
    found = [{label: values[label][at] for label in slo.by} for at in (0, -1)]
    return tuple(found[: 1 + (found[0] != found[1])])


def _values(slo: Slo, label: str) -> tuple[str, ...]:
    """Two values that the SLI takes, or the one that it takes."""
    wanted = [one for one in slo.sli.scope() if one.label == label]
    return (accepted(wanted) or ("a", "b"))[:2]


def braces(labels: Mapping[str, str]) -> str:
    """`{a="1"}`, and nothing without labels."""
    inner = ",".join(f"{key}={quote(value)}" for key, value in labels.items())
    return f"{{{inner}}}" if inner else ""


def mine(slo: Slo, member: int | None = None) -> str:
    """Braces that pick the SLO's series, of one of its members or of all, among its service's."""
    labels = {} if member is None else members(slo)[member]
    return braces({"slo_name": slo.name} | labels)


def others(slo: Slo) -> tuple[dict[str, str], ...]:
    """Labels of two other SLOs, each alike in one: a rule that forgets a matcher mixes them in."""
    return slo.labels | {"slo_name": "other"}, slo.labels | {"slo_service": "other"}


def holds(expr: str, at: timedelta, labels: Mapping[str, str]) -> Expectation:
    """The expression, a `bool` comparison, is true of exactly one series with these labels."""
    return gives(expr, at, {braces(labels) or "{}": 1})


def equals(expr: str, value: Decimal, slack: Decimal | None = None) -> str:
    """Floats are compared exactly by promtool; this is the form that holds on every version."""
    bound = number(slack) if slack is not None else "1e-9"
    return f"abs({expr} - {number(value)}) <= bool {bound}"


def between(expr: str, low: Decimal, high: Decimal) -> str:
    """A window's left edge belongs to it up to Prometheus 2 and no longer since 3."""
    return f"({expr} >= bool {number(low)}) * ({expr} <= bool {number(high)})"


def nothing(expr: str, at: timedelta) -> Expectation:
    """The expression has no sample."""
    return gives(expr, at, {})


def gives(expr: str, at: timedelta, samples: Mapping[str, int]) -> Expectation:
    """The expression has exactly these values, by their labels."""
    found = [{"labels": labels, "value": value} for labels, value in samples.items()]
    return OneLine(expr=expr, eval_time=duration(at), exp_samples=found)


def table(values: Values, at: timedelta, own: Mapping[str, str]) -> Iterator[Expectation]:
    """Each of these recorded series has this value, and no label but its `own`.

    None is a series that must not be there. promtool compares floats exactly, so they are rounded
    to so many digits that no version of Prometheus can come out at another number: instants lie
    between samples, where it does not matter whether a window's left edge belongs to it.
    """
    names = sorted((name for name in values), key=lambda name: values[name] or 0)
    there = [(name, value) for name in names if (value := values[name]) is not None]
    digits = _digits(value for _, value in there)
    if digits is None:
        half = len(names) // 2
        yield from table({name: values[name] for name in names[:half]}, at, own)
        yield from table({name: values[name] for name in names[half:]}, at, own)
        return
    wanted = _any_of(name.removeprefix(_PREFIX) for name in values)
    picked = braces(own).removesuffix("}") + f',__name__=~"{_PREFIX}({wanted})"}}'
    named = f'label_replace({picked}, "rule", "$1", "__name__", "{_PREFIX}(.+)")'
    expr = f"round(1e{digits} * sum without ({', '.join(own)}) ({named}))"
    samples = [
        OneLine(
            labels=braces({"rule": name.removeprefix(_PREFIX)}), value=round(value * 10**digits)
        )
        for name, value in there
    ]
    yield {"expr": expr, "eval_time": duration(at), "exp_samples": samples}


def _any_of(names: Iterable[str]) -> str:
    """A regular expression: `a:rate5m`, `a:rate1h` and `b` are `a:rate(5m|1h)|b`."""
    found: dict[str, list[str]] = {}
    for name in names:
        head, rate, tail = name.rpartition("rate")
        found.setdefault(head + rate, []).append(tail)
    return "|".join(
        head + (tails[0] if len(tails) == 1 else f"({'|'.join(tails)})")
        for head, tails in found.items()
    )


def _digits(values: Iterable[Fraction]) -> int | None:
    """So many that each value has some of them, and none lies between two integers.

    None where one is too small beside another; a single value always finds them.
    """
    found = [abs(value) for value in values if value]
    for digits in range(_DIGITS, _MOST_DIGITS):
        scaled = [value * 10**digits for value in found]
        if all(_LEAST < one < _MOST and abs(one % 1 - _HALF) > _EDGE for one in scaled):
            return digits
    return _MOST_DIGITS if len(found) == 1 else None


def firing(alert: Alert, found: Iterable[Alert]) -> str:
    """The alert among those that fire; of several with one name, by its burn."""
    labels = {"alertname": alert.name, "alertstate": "firing"}
    if sum(other.name == alert.name for other in found) > 1:
        labels["burn"] = dict(alert.labels).get("burn", "")
    return f"ALERTS{braces(labels)}"


def all_labels(alert: Alert, more: Mapping[str, str]) -> str:
    """The labels of the alert while it fires."""
    state = {"alertname": alert.name, "alertstate": "firing"}
    return braces(state | dict(alert.labels) | dict(more))


def constant(metric: str, labels: Mapping[str, str], value: Decimal, samples: int) -> Series:
    """A recorded series that stays where it is."""
    return Series(series=spelled(metric, labels), values=f"{number(value)}x{samples}")


def step_of(service: Service, slo: Slo) -> timedelta:
    """How often the SLO's series are scraped in a test.

    Slices are as long as a scrape of the service; rates of events are the same for any, and
    extrapolated by less the shorter it is.
    """
    return service.scrape_interval if slo.sli.unit == "slices" else STEP


def fixture(step: timedelta, phases: tuple[Phase, ...], labels: Mapping[str, str]) -> Fixture:
    """A hundred events with every scrape."""
    return Fixture(phases=phases, step=step, events=100, labels=tuple(labels.items()))


def scrapes(step: timedelta, time: timedelta) -> int:
    """How many scrapes fall into a time."""
    return int(seconds(time) / seconds(step))


def strangers(service: Service, slo: Slo, phases: tuple[Phase, ...]) -> list[Series]:
    """Series that differ from ours in one label each, that of one matcher: none is to count."""
    found: list[Series] = []
    ours = members(slo)[0] | ({"job": service.job} if service.job else {})
    for matcher in slo.sli.scope():
        value = refused_by(matcher)
        if value is not None and matcher.label not in slo.by:
            labels = ours | {matcher.label: value}
            found += slo.sli.series(fixture(step_of(service, slo), phases, labels))
    return found


def recording_order(slo: Slo) -> tuple[str, ...]:
    """The groups that record an SLO, in the order in which one reads the other."""
    if not slo.sli.has_budget:
        return (naming.recording_group(slo),)
    return naming.recording_group(slo), naming.period_group(slo)
