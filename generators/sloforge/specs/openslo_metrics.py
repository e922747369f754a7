"""OpenSLO's indicators and budgeting methods -> the kinds of SLI."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sloforge.located.tree import Node
from sloforge.located.words import shown
from sloforge.promql import number
from sloforge.specs import expressions, reduce, sloth
from sloforge.specs.foreign import made
from sloforge.specs.mistakes import Place
from sloforge.specs.openslo_forms import IndicatorForm, MetricForm, ObjectiveForm, RatioForm
from sloforge.specs.openslo_objects import Found, Objects
from sloforge.specs.openslo_ratios import COMPARATORS, QUERIES
from sloforge.specs.words import Wrong

# Words in a source's `spec` that say which language the query is in.
_LANGUAGES = ("queryType", "type", "language")
_PROMETHEUS = ("prometheus", "promql", "thanos", "mimir", "cortex", "victoriametrics")


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How the budget is counted, where it says so, and the objective it is for."""

    name: str
    place: Place
    objective: ObjectiveForm
    at: Place


def sli(indicator: Found, method: Method, objects: Objects) -> Node | None:
    """The SLI; None where it is told why there is none."""
    form: IndicatorForm = indicator.form
    place = indicator.place.at("spec")
    given = [k for k in ("thresholdMetric", "ratioMetric") if getattr(form.spec, k) is not None]
    if len(given) != 1:
        got = "both" if given else "neither"
        what = f"expected `thresholdMetric` or `ratioMetric`, got {got}"
        objects.told.wrong.append(place.wrong(what, id_="S006"))
        return None
    if form.spec.thresholdMetric is not None:
        return _threshold(form.spec.thresholdMetric, place.at("thresholdMetric"), method, objects)
    assert form.spec.ratioMetric is not None
    return _ratio(form.spec.ratioMetric, place.at("ratioMetric"), method, objects)


def _threshold(form: MetricForm, place: Place, method: Method, objects: Objects) -> Node | None:
    """Time is good while the comparison holds: an event is a scrape, or a slice."""
    query = _query(form, place, objects)
    objective, told = method.objective, objects.told
    for key in ("op", "value"):
        if getattr(objective, key) is None:
            what = f"missing key `{key}`"
            told.wrong.append(method.at.wrong(what, "a threshold needs it", id_="S002"))
    if query is None or objective.op is None or objective.value is None:
        return None
    if method.name == "RatioTimeslices":
        what = "a threshold has no ratio per slice"
        told.lose(method.place, what, "write `Occurrences` or `Timeslices`")
    if (share := objective.timeSliceTarget) is not None and share != 1:
        what = f"a slice of which {number(share * 100)} % must be good cannot be expressed"
        told.lose(method.at.at("timeSliceTarget"), what, "write 1, or remove it")
    if objective.timeSliceWindow is not None:
        what = "time is judged once per scrape interval, whatever the slice"
        told.change(method.at.at("timeSliceWindow"), what)
    comparison = {
        "expression": made(reduce.source(query.value), _at(query)),
        "comparator": made(COMPARATORS[objective.op], method.at.at("op")),
        "bound": made(objective.value, method.at.at("value")),
    }
    return made({"threshold": comparison}, place)


def _ratio(form: RatioForm, place: Place, method: Method, objects: Objects) -> Node | None:
    told = objects.told
    if method.objective.op is not None or method.objective.value is not None:
        key = "op" if method.objective.op is not None else "value"
        what = "compares nothing: the indicator is a ratio"
        told.lose(method.at.at(key), what, "remove it")
    if form.raw is not None:
        return _raw(form, place, method, objects)
    key = "bad" if form.bad is not None else "good"
    if (form.bad is None) == (form.good is None) or form.total is None:
        what = "expected `total` with `good` or `bad`, or `raw`"
        told.wrong.append(place.wrong(what, id_="S006"))
        return None
    part = form.bad if form.bad is not None else form.good
    assert part is not None
    found = _query(part, place.at(key), objects)
    total = _query(form.total, place.at("total"), objects)
    if found is None or total is None:
        return None
    if form.counter is False and not (_windowed(found) and _windowed(total)):
        what = "a gauge that is not cumulative has no rate"
        remedy = "write the window into the query: avg_over_time(x[{{.window}}])"
        told.lose(place.at("counter"), what, remedy)
        return None
    counter = form.counter is not False
    events = made(reduce.source(found.value, counter=counter), _at(found))
    whole = made(reduce.source(total.value, counter=counter), _at(total))
    if method.name == "Timeslices":
        return _sliced(_Events(part=events, whole=whole, key=key), method, objects)
    if method.name == "RatioTimeslices":
        what = "an average over slices cannot be expressed: busy hours weigh more than quiet ones"
        told.lose(method.place, what, "write `Occurrences`")
    return _events(events, whole, key, place)


def _events(part: Node, whole: Node, key: str, place: Place) -> Node:
    """A latency where the good events are a bucket of a histogram."""
    try:
        one, all_ = expressions.selector(part.value), expressions.selector(whole.value)
        share = reduce.Share(one, all_, part_is_bad=key == "bad")
    except Wrong:
        return made({"ratio": {"total": whole, key: part}}, place)
    if (found := reduce.latency(share)) is not None:
        histogram, threshold = found
        return made({"latency": {"histogram": histogram, "threshold": threshold}}, place)
    return made({"ratio": {"total": whole, key: part}}, place)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Events:
    """Good or bad events, by `key`, and all events."""

    part: Node
    whole: Node
    key: str


def _sliced(events: _Events, method: Method, objects: Objects) -> Node | None:
    """A slice is good while its ratio reaches the target: a comparison over time."""
    objective, told = method.objective, objects.told
    for name in ("timeSliceTarget", "timeSliceWindow"):
        if getattr(objective, name) is None:
            what = f"missing key `{name}`"
            told.wrong.append(method.at.wrong(what, "time slices need it", id_="S002"))
    if objective.timeSliceTarget is None or objective.timeSliceWindow is None:
        return None
    window = objective.timeSliceWindow
    told.change(
        method.place, f"a slice of {window} is judged at every scrape, not once in {window}"
    )
    some, every = (_rate(one.value, window) for one in (events.part, events.whole))
    good = f"{some} / {every}" if events.key == "good" else f"1 - {some} / {every}"
    target = made(objective.timeSliceTarget, method.at.at("timeSliceTarget"))
    comparison = {"expression": good, "comparator": ">=", "bound": target}
    return made({"threshold": comparison}, _at(events.part))


def _rate(text: str, window: str) -> str:
    if "$window" in text:
        return f"({text.replace('$window', window)})"
    return f"sum(rate({text}[{window}]))"


def _raw(form: RatioForm, place: Place, method: Method, objects: Objects) -> Node | None:
    assert form.raw is not None
    told = objects.told
    others = [key for key in ("good", "bad", "total") if getattr(form, key) is not None]
    for key in others:
        told.wrong.append(place.at(key).misnamed("stands beside `raw`", "remove it", id_="S006"))
    if form.rawType is None:
        what = "missing key `rawType`"
        told.wrong.append(place.wrong(what, "success or failure", id_="S002"))
        return None
    query = _query(form.raw, place.at("raw"), objects)
    if query is None or others:
        return None
    here, is_error = _at(query), form.rawType == "failure"
    text = str(query.value)
    if method.name == "Timeslices":
        what = "a ratio that is recorded already has no slices"
        told.lose(method.place, what, "write `RatioTimeslices`, which is what it is")
    if not _windowed(query):
        text = _averaged(text)
    return sloth.raw(text, here, is_error=is_error)


def _averaged(text: str) -> str:
    """A recorded ratio is averaged over the window."""
    try:
        return f"avg(avg_over_time({expressions.selector(text)}[$window]))"
    except Wrong:
        return f"avg_over_time(({text})[$window:1m])"


def _windowed(query: Node) -> bool:
    return "$window" in reduce.windowed(str(query.value))


def _query(form: MetricForm, place: Place, objects: Objects) -> Node | None:
    """The PromQL of a metric source; what reads no Prometheus is told."""
    here, told = place.at("metricSource"), objects.told
    source, spec = form.metricSource, form.metricSource.spec
    kind, where = source.type, here.at("type")
    if source.metricSourceRef is not None and source.type is None:
        found = objects.find("DataSource", here.at("metricSourceRef"))
        if found is not None:
            kind, where = found.form.spec.type, here.at("metricSourceRef")
    if kind is not None and kind.lower() not in _PROMETHEUS:
        told.lose(where, f"expected a Prometheus, got {shown(kind)}", "its queries are no PromQL")
        return None
    for key, value in spec.items():
        if key not in (*QUERIES, *_LANGUAGES):
            told.lose(here.at("spec", key), "says nothing that rules could use", "remove it")
        elif key in _LANGUAGES and str(value).lower() not in _PROMETHEUS:
            told.lose(here.at("spec", key), f"expected promql, got {shown(value)}")
            return None
    given = [key for key in QUERIES if key in spec]
    if len(given) != 1 or not isinstance(spec[given[0]], str):
        what = f"expected one of {', '.join(QUERIES)} with PromQL"
        told.wrong.append(here.at("spec").wrong(what, id_="S006"))
        return None
    return made(spec[given[0]], here.at("spec", given[0]))


def _at(node: Node) -> Place:
    """The place of a node that was made already."""
    return Place(replace(node, value={}))
