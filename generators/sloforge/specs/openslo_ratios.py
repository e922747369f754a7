"""OpenSLO's error ratio as the specification describes it, apart from what becomes of it here."""

from __future__ import annotations

import re

from sloforge.promql import number
from sloforge.sli.slices import Comparator
from sloforge.specs import reduce
from sloforge.specs.openslo_forms import IndicatorForm, MetricForm, ObjectiveForm, RatioForm

COMPARATORS: dict[str, Comparator] = {"lte": "<=", "gte": ">=", "lt": "<", "gt": ">"}
QUERIES = ("query", "promql", "expr")
# How often a gauge is looked at; who evaluates the text says it for each window.
_STEP = "$step"
_SELECTOR = re.compile(r"[A-Za-z_:][\w:]*(\{[^{}]*\})?")


def error_ratio(form: IndicatorForm, method: str, objective: ObjectiveForm) -> str | None:
    """Over `$window`, looked at every `$step`; None where there is no PromQL for it."""
    threshold, ratio = form.spec.thresholdMetric, form.spec.ratioMetric
    if threshold is not None:
        return _threshold(threshold, objective)
    if ratio is not None and ratio.raw is not None:
        return _raw(ratio.raw, is_error=ratio.rawType == "failure")
    if ratio is None or ratio.total is None:
        return None
    good = _good(ratio, "$window")
    window, target = objective.timeSliceWindow, objective.timeSliceTarget
    if good is None or method != "Timeslices" or window is None or target is None:
        return None if good is None else f"1 - {good}"
    slices = f"({_good(ratio, window)} >= bool {number(target)})"
    return f"1 - avg_over_time({slices}[$window:{_STEP}])"


def _threshold(metric: MetricForm, objective: ObjectiveForm) -> str | None:
    query = _query(metric)
    if query is None or objective.op is None or objective.value is None:
        return None
    holds = f"(({query}) {COMPARATORS[objective.op]} bool {number(objective.value)})"
    return f"1 - avg_over_time({holds}[$window:{_STEP}])"


def _raw(metric: MetricForm, *, is_error: bool) -> str | None:
    """A ratio that is there already, averaged where its query says no window."""
    query = _query(metric)
    if query is None:
        return None
    text = reduce.windowed(query)
    if "$window" not in text:
        plain = _SELECTOR.fullmatch(text.strip()) is not None
        over = f"{text}[$window]" if plain else f"({text})[$window:{_STEP}]"
        text = f"avg_over_time({over})"
    return text if is_error else f"1 - ({text})"


def _good(ratio: RatioForm, window: str) -> str | None:
    """The share of good events over a window."""
    part = ratio.good if ratio.good is not None else ratio.bad
    if part is None or ratio.total is None:
        return None
    texts = [_query(part), _query(ratio.total)]
    if texts[0] is None or texts[1] is None:
        return None
    some, every = (_rate(text or "", window, counter=ratio.counter is not False) for text in texts)
    share = f"({some} / {every})"
    return f"(1 - {share})" if ratio.good is None else share


def _rate(text: str, window: str, *, counter: bool) -> str:
    """A cumulative counter stands for its rate."""
    source = reduce.source(text, counter=counter)
    if "$window" in source:
        return f"({source.replace('$window', window)})"
    return f"sum(rate({source}[{window}]))"


def _query(metric: MetricForm) -> str | None:
    spec = metric.metricSource.spec
    texts = [spec[key] for key in QUERIES if isinstance(spec.get(key), str)]
    return texts[0] if texts else None
