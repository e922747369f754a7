"""Each kind's PromQL, typed by hand, and the series that its tests are fed."""

from datetime import timedelta
from decimal import Decimal

import pytest

from sloforge.promql import Expression, Matcher, Selector, selector
from sloforge.sli import Fixture, Freshness, Latency, Phase, Quantile, Ratio, Sli, Threshold, Up
from sloforge.sli.fixtures import accepted, examples, labels_for
from sloforge.sli.slices import Comparator

MINUTE = timedelta(minutes=1)
FIVE = 5 * MINUTE
HOUR = 60 * MINUTE
REQUESTS = selector("http_requests_total", {"job": "shop"})
FAILED = Selector(REQUESTS.name, (*REQUESTS.matchers, Matcher("status", "=~", "5..")))
DURATION = selector("http_duration_seconds", {"job": "shop"})

BAD = Ratio(whole=REQUESTS, part=FAILED, part_is_bad=True)
GOOD = Ratio(whole=REQUESTS, part=selector("http_good_total", {"job": "shop"}), part_is_bad=False)
FREE = Ratio(
    whole=Expression("sum by (x) (rate(a[$window]))"),
    part=Expression("rate(b[$window])"),
    part_is_bad=True,
)
SLOW = Latency(histogram=DURATION, threshold=Decimal("0.5"))
SLOW_NATIVE = Latency(histogram=DURATION, threshold=Decimal("0.5"), native=True)
P95 = Quantile(
    histogram=DURATION, quantile=Decimal("0.95"), threshold=Decimal("0.5"), windows=(HOUR, FIVE)
)
P95_NATIVE = Quantile(
    histogram=DURATION,
    quantile=Decimal("0.95"),
    threshold=Decimal("0.5"),
    windows=(HOUR, FIVE),
    native=True,
)
FRESH = Freshness(
    timestamp=selector("last_success", {"job": "shop"}), max_age=FIVE, step=MINUTE / 2
)
UP = Up(gauge=selector("state", {"job": "shop"}), step=MINUTE / 2)
QUEUE = Threshold(
    expression=selector("queue", {"job": "shop"}),
    comparator="<=",
    bound=Decimal(100),
    step=MINUTE / 2,
)
SHARE = Threshold(
    expression=Expression("sum(a) / sum(b)"), comparator=">", bound=Decimal("0.9"), step=MINUTE / 2
)
ALL = {
    "bad": BAD,
    "good": GOOD,
    "expressions": FREE,
    "latency": SLOW,
    "latency, native": SLOW_NATIVE,
    "quantile": P95,
    "quantile, native": P95_NATIVE,
    "freshness": FRESH,
    "up": UP,
    "threshold": QUEUE,
    "threshold of an expression": SHARE,
}


@pytest.mark.parametrize(
    ("sli", "window", "by", "expected"),
    [
        pytest.param(BAD, FIVE, (), 'sum(rate(http_requests_total{job="shop"}[5m]))', id="ratio"),
        pytest.param(
            BAD,
            HOUR,
            ("region", "zone"),
            'sum by (region, zone) (rate(http_requests_total{job="shop"}[1h]))',
            id="by",
        ),
        pytest.param(FREE, FIVE, (), "(sum(sum by (x) (rate(a[5m]))) >= 0)", id="expressions"),
        pytest.param(
            SLOW,
            FIVE,
            (),
            'sum(rate(http_duration_seconds_count{job="shop"}[5m]) '
            'and ignoring (le) rate(http_duration_seconds_bucket{job="shop",le="0.5"}[5m]))',
            id="latency",
        ),
        pytest.param(
            SLOW_NATIVE,
            FIVE,
            (),
            'histogram_count(sum(rate(http_duration_seconds{job="shop"}[5m])))',
            id="native",
        ),
        pytest.param(
            P95, FIVE, (), 'sum(rate(http_duration_seconds_count{job="shop"}[5m]))', id="quantile"
        ),
        pytest.param(
            FRESH,
            FIVE,
            (),
            'sum(count_over_time((max(last_success{job="shop"}))[5m:30s])) / 300',
            id="freshness",
        ),
        pytest.param(
            UP,
            HOUR,
            ("zone",),
            'sum by (zone) (count_over_time((state{job="shop"})[1h:30s])) / 3600',
            id="up",
        ),
        pytest.param(
            QUEUE,
            FIVE,
            (),
            'sum(count_over_time((queue{job="shop"} >= -Inf)[5m:30s])) / 300',
            id="threshold",
        ),
        pytest.param(
            SHARE,
            FIVE,
            (),
            "sum(count_over_time(((sum(a) / sum(b)) >= -Inf)[5m:30s])) / 300",
            id="threshold of an expression",
        ),
    ],
)
def test_the_total_is_this_promql(
    sli: Sli, window: timedelta, by: tuple[str, ...], expected: str
) -> None:
    assert sli.total(window, by) == expected


@pytest.mark.parametrize(
    ("sli", "by", "expected"),
    [
        pytest.param(
            BAD,
            (),
            'sum(rate(http_requests_total{job="shop",status=~"5.."}[5m])) or 0 * ZERO',
            id="bad",
        ),
        pytest.param(
            GOOD,
            (),
            'clamp_min(sum(rate(http_requests_total{job="shop"}[5m])) - '
            '(sum(rate(http_good_total{job="shop"}[5m])) or 0 * ZERO), 0)',
            id="good",
        ),
        pytest.param(FREE, ("x",), "(sum by (x) (rate(b[5m])) >= 0) or 0 * ZERO", id="expressions"),
        pytest.param(
            SLOW,
            ("zone",),
            'clamp_min(sum by (zone) (rate(http_duration_seconds_count{job="shop"}[5m]) '
            'and ignoring (le) rate(http_duration_seconds_bucket{job="shop",le="0.5"}[5m])) - '
            'sum by (zone) (rate(http_duration_seconds_bucket{job="shop",le="0.5"}[5m])), 0)',
            id="latency",
        ),
        pytest.param(
            SLOW_NATIVE,
            (),
            '(histogram_count(sum(rate(http_duration_seconds{job="shop"}[5m]))) * '
            '(1 - histogram_fraction(-Inf, 0.5, sum(rate(http_duration_seconds{job="shop"}[5m])))) >= 0) '
            "or 0 * ZERO",
            id="latency, native",
        ),
        pytest.param(
            FRESH,
            (),
            'sum(sum_over_time(((time() - max(last_success{job="shop"}) > bool 300) + '
            '(time() - max(last_success{job="shop"}) < bool -60))[5m:30s])) / 300',
            id="freshness",
        ),
        pytest.param(
            UP, (), 'sum(sum_over_time((state{job="shop"} != bool 1)[5m:30s])) / 300', id="up"
        ),
        pytest.param(
            QUEUE,
            (),
            'sum(sum_over_time(((queue{job="shop"} >= -Inf) > bool 100)[5m:30s])) / 300',
            id="threshold",
        ),
        pytest.param(
            SHARE,
            (),
            "sum(sum_over_time((((sum(a) / sum(b)) >= -Inf) <= bool 0.9)[5m:30s])) / 300",
            id="threshold of an expression",
        ),
    ],
)
def test_the_errors_are_this_promql(sli: Sli, by: tuple[str, ...], expected: str) -> None:
    assert sli.errors(FIVE, by, "ZERO") == expected


def test_a_quantile_is_read_from_the_buckets() -> None:
    assert P95.value(HOUR, ("zone",)) == (
        'histogram_quantile(0.95, sum by (le, zone) (rate(http_duration_seconds_bucket{job="shop"}[1h]))) >= -Inf'
    )
    assert P95_NATIVE.value(FIVE, ()) == (
        'histogram_quantile(0.95, sum(rate(http_duration_seconds{job="shop"}[5m]))) >= -Inf'
    )
    assert P95.twin() == SLOW


@pytest.mark.parametrize(
    ("sli", "expected"),
    [
        (BAD, ['http_requests_total{job="shop"}']),
        (FREE, []),
        (SLOW, ['http_duration_seconds_bucket{job="shop",le="0.5"}']),
        (SLOW_NATIVE, ['http_duration_seconds{job="shop"}']),
        (P95, ['http_duration_seconds_count{job="shop"}']),
        (FRESH, ['last_success{job="shop"}']),
        (UP, ['state{job="shop"}']),
        (QUEUE, ['queue{job="shop"}']),
        (SHARE, []),
    ],
)
def test_an_sli_knows_what_a_scrape_must_hold(sli: Sli, expected: list[str]) -> None:
    assert [str(one) for one in sli.inputs()] == expected


def test_the_scope_of_two_metrics_is_what_both_ask_for() -> None:
    whole = selector("a_total", {"job": "shop", "x": "1"})
    part = selector("b_total", {"job": "shop", "y": "2"})
    scope = Ratio(whole=whole, part=part, part_is_bad=True).scope()
    assert scope == (Matcher("job", "=", "shop"),)
    assert BAD.scope() == REQUESTS.matchers


@pytest.mark.parametrize("sli", ALL.values(), ids=ALL)
def test_an_sli_can_say_what_is_bad(sli: Sli) -> None:
    assert sli.describe()
    assert sli.unit.endswith("s")
    assert sli.has_budget is (sli.kind != "quantile")


# Fixtures


@pytest.mark.parametrize(
    ("matchers", "labels"),
    [
        pytest.param([("status", "=", "500")], {"status": "500"}, id="equal"),
        pytest.param([("status", "=~", "5..")], {"status": "500"}, id="dots"),
        pytest.param([("route", "!~", "/healthz|/metrics")], {"route": "200"}, id="not one of two"),
        pytest.param([("route", "=~", "/v1/.*|/v2/.*")], {"route": "/v1/0"}, id="one of two"),
        pytest.param(
            [("status", "=~", "5..|429"), ("status", "!=", "500")],
            {"status": "429"},
            id="but for one",
        ),
        pytest.param([("id", "=~", "[^a-z]+x{2}")], {"id": "0xx"}, id="not in a set"),
        pytest.param([("id", "=~", r"\d+\.\w")], {"id": "0.a"}, id="classes"),
        pytest.param([("id", "=~", "[[:digit:]]+")], None, id="what only RE2 knows"),
        pytest.param([("region", "=", "")], {}, id="no such label"),
        pytest.param([("a", "=", "1"), ("a", "=", "2")], None, id="a contradiction"),
    ],
)
def test_labels_are_made_up_that_the_selector_takes(
    matchers: list[tuple[str, str, str]], labels: dict[str, str] | None
) -> None:
    wanted = Selector("x", tuple(Matcher(*one) for one in matchers))  # type: ignore[arg-type]
    assert labels_for(wanted) == labels
    assert labels is None or wanted.accepts(labels)


@pytest.mark.parametrize("whole", ["", "5..|2..", "[0-9]+"])
def test_a_good_event_is_none_that_the_bad_ones_are(whole: str) -> None:
    matchers = (Matcher("status", "=~", whole),) if whole else ()
    everything = Selector("x", matchers)
    bad = Selector("x", (*matchers, Matcher("status", "=~", "5..")))
    labels = labels_for(everything, bad)
    assert labels is not None
    assert everything.accepts(labels)
    assert not bad.accepts(labels)


def test_a_bad_event_is_one_that_the_good_ones_are_not() -> None:
    everything = Selector("x", (Matcher("job", "=", "a"),))
    good = Selector("x", (Matcher("job", "=", "a"), Matcher("code", "!~", "(5..|429)")))
    assert labels_for(everything, good) == {"job": "a", "code": "500"}


@pytest.mark.parametrize(
    ("matchers", "first"),
    [
        ([], ("a", "b")),
        ([("=~", "/api.*")], ("/api0", "/api0a")),
        ([("=~", "query|store")], ("query", "store")),
        ([("=~", "/api.*"), ("!=", "/api0")], ("/api0a", "/api01")),
        ([("=", "GET")], ("GET",)),
        ([("=~", "[[:digit:]]+")], ()),
    ],
)
def test_values_are_found_that_all_matchers_take(matchers, first) -> None:
    found = accepted(Matcher("handler", op, value) for op, value in matchers)
    assert found[:2] == first


def test_there_is_no_good_event_where_all_are_bad() -> None:
    assert (
        labels_for(
            Selector("x", (Matcher("a", "=", "1"),)), Selector("x", (Matcher("a", "=", "1"),))
        )
        is None
    )


def test_an_expression_has_an_example_per_alternative() -> None:
    assert examples(Matcher("a", "=~", "5..|4(2|3)|x?")) == ("500", "42", "x")
    assert examples(Matcher("a", "!~", "5..")) == ()


def fixture(*phases: tuple[int, str]) -> Fixture:
    return Fixture(
        phases=tuple(Phase(steps=steps, bad=Decimal(bad)) for steps, bad in phases),
        step=MINUTE,
        events=60,
        labels=(("instance", "i:1"),),
    )


@pytest.mark.parametrize(
    ("sli", "expected"),
    [
        pytest.param(
            BAD,
            {
                'http_requests_total{instance="i:1",job="shop"}': "0+60x3 210+30x1",
                'http_requests_total{instance="i:1",job="shop",status="500"}': "0+0x3 30+30x1",
            },
            id="bad",
        ),
        pytest.param(
            GOOD,
            {
                'http_requests_total{instance="i:1",job="shop"}': "0+60x3 240+60x1",
                'http_good_total{instance="i:1",job="shop"}': "0+60x3 210+30x1",
            },
            id="good",
        ),
        pytest.param(
            SLOW,
            {
                'http_duration_seconds_count{instance="i:1",job="shop"}': "0+60x3 240+60x1",
                'http_duration_seconds_bucket{instance="i:1",job="shop",le="0.5"}': "0+60x3 210+30x1",
                'http_duration_seconds_bucket{instance="i:1",job="shop",le="+Inf"}': "0+60x3 240+60x1",
            },
            id="latency",
        ),
        pytest.param(UP, {'state{instance="i:1",job="shop"}': "1 1 1 0 1"}, id="up"),
        pytest.param(
            QUEUE, {'queue{instance="i:1",job="shop"}': "99 99 99 101 99"}, id="threshold"
        ),
        # Each value is the time of its scrape; a bad one is older than 300 s.
        pytest.param(
            FRESH, {'last_success{instance="i:1",job="shop"}': "0 60 120 -121 240"}, id="freshness"
        ),
        pytest.param(FREE, {}, id="expressions"),
        pytest.param(SHARE, {}, id="threshold of an expression"),
    ],
)
def test_series_play_three_good_scrapes_and_two_of_which_half_are_bad(
    sli: Sli, expected: dict[str, str]
) -> None:
    found = sli.series(fixture((3, "0"), (2, "0.5")))
    assert {one.series: one.values for one in found} == expected


@pytest.mark.parametrize("bound", ["1", "0.5", "0.00005", "1000000", "2.5"])
def test_the_bucket_of_a_fixture_is_the_one_that_the_rules_read(bound: str) -> None:
    sli = Latency(histogram=DURATION, threshold=Decimal(bound))
    (within,) = sli.inputs()
    (matcher,) = [m for m in within.matchers if m.label == "le"]
    values = [
        one.series.partition('le="')[2].partition('"')[0] for one in sli.series(fixture((1, "0")))
    ]
    assert [value for value in values if value and matcher.matches(value)] == [bound]


def test_slow_events_of_a_native_fixture_lie_above_the_threshold() -> None:
    (one,) = SLOW_NATIVE.series(fixture((1, "0"), (1, "0.5")))
    # Schema 0: bucket i holds (2^(i-1), 2^i]; of five from -3 on the first ends at 0.125, the last begins at 1.
    assert one.values == (
        "{{schema:0 count:0 sum:0 offset:-3 buckets:[0 0 0 0 0]}} "
        "{{schema:0 count:60 sum:0 offset:-3 buckets:[60 0 0 0 0]}} "
        "{{schema:0 count:120 sum:0 offset:-3 buckets:[90 0 0 0 30]}}"
    )


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">=", "==", "!="])
def test_a_threshold_fixture_has_both_sides(comparator: Comparator) -> None:
    sli = Threshold(
        expression=selector("queue", {}),
        comparator=comparator,
        bound=Decimal(5),
        step=MINUTE,
    )
    (one,) = sli.series(fixture((1, "0"), (1, "1")))
    good, bad = one.values.split()
    holds = {
        "<": "__lt__",
        "<=": "__le__",
        ">": "__gt__",
        ">=": "__ge__",
        "==": "__eq__",
        "!=": "__ne__",
    }
    assert getattr(int(good), holds[comparator])(5)
    assert not getattr(int(bad), holds[comparator])(5)
