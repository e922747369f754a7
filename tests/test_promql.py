import re
from datetime import timedelta
from decimal import Decimal

import pytest

from sloforge.promql import (
    Expression,
    Matcher,
    Selector,
    bucket,
    duration,
    number,
    parse_duration,
    quote,
    seconds,
    selector,
    sum_by,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5m", timedelta(minutes=5)),
        ("1h30m", timedelta(minutes=90)),
        ("30d", timedelta(days=30)),
        ("1w", timedelta(days=7)),
        ("1y", timedelta(days=365)),
        ("250ms", timedelta(milliseconds=250)),
    ],
)
def test_durations_are_read_as_prometheus_reads_them(text: str, value: timedelta) -> None:
    assert parse_duration(text) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a duration such as 30d, 6h or 5m, got ``"),
        ("5", "expected a duration such as 30d, 6h or 5m, got `5`"),
        ("1.5d", "expected a duration such as 30d, 6h or 5m, got `1.5d`"),
        ("5 m", "expected a duration such as 30d, 6h or 5m, got `5 m`"),
        ("-5m", "expected a duration such as 30d, 6h or 5m, got `-5m`"),
        ("٥m", "expected a duration such as 30d, 6h or 5m, got `٥m`"),
        ("0s", "expected a duration above zero and below 100 years, got `0s`"),
        ("101y", "expected a duration above zero and below 100 years, got `101y`"),
        ("9" * 5000 + "d", "expected a duration such as 30d, 6h or 5m, got"),
    ],
)
def test_what_is_no_duration_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_duration(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (timedelta(minutes=90), "90m"),
        (timedelta(hours=24), "1d"),
        (timedelta(days=7), "7d"),
        (timedelta(seconds=75), "75s"),
        (timedelta(milliseconds=1500), "1500ms"),
    ],
)
def test_durations_are_written_with_one_unit(value: timedelta, text: str) -> None:
    assert duration(value) == text
    assert parse_duration(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0.001", "0.001"),
        ("1E-7", "0.0000001"),
        ("1e6", "1000000"),
        ("99.90", "99.9"),
        ("100", "100"),
        ("-0", "0"),
        ("0.0", "0"),
        ("-2.50", "-2.5"),
    ],
)
def test_numbers_are_plain_digits(value: str, text: str) -> None:
    assert number(Decimal(value)) == text


def test_seconds_are_exact() -> None:
    assert seconds(timedelta(milliseconds=1)) == Decimal("0.001")
    assert seconds(timedelta(days=400)) == Decimal(34_560_000)


def test_a_budget_has_no_noise_of_floats() -> None:
    assert number(1 - Decimal("99.9") / 100) == "0.001"
    assert number(Decimal("14.4") * (1 - Decimal("99.95") / 100)) == "0.0072"


def test_text_is_quoted() -> None:
    assert quote('a"b\\d\n') == '"a\\"b\\\\d\\n"'
    assert quote("é😀") == '"é😀"'


def test_selectors_are_spelled_in_their_order() -> None:
    assert str(Selector("up")) == "up"
    assert str(selector("up", {"job": "a", "x": "b"})) == 'up{job="a",x="b"}'
    assert Selector("x").rate(timedelta(minutes=5)) == "rate(x[5m])"
    assert str(Selector("x").with_suffix("_bucket", Matcher("le", "=", "1"))) == 'x_bucket{le="1"}'


def test_a_selector_is_pinned_to_a_job_unless_it_names_one() -> None:
    assert str(Selector("x").on_job("a")) == 'x{job="a"}'
    assert str(Selector("x").on_job(None)) == "x"
    named = Selector("x", (Matcher("job", "=~", "a|b"),))
    assert named.on_job("a") is named


def test_a_family_keeps_only_where_it_is_scraped() -> None:
    whole = Selector("x", (Matcher("job", "=", "a"), Matcher("code", "=", "500")))
    assert str(whole.family()) == 'x{job="a"}'


def test_an_expression_takes_each_window() -> None:
    both = Expression("rate(a[$window]) + sum_over_time(b[$window:30s])")
    assert both.rate(timedelta(hours=1)) == "rate(a[1h]) + sum_over_time(b[1h:30s])"


def test_sums_keep_labels() -> None:
    assert sum_by((), "x") == "sum(x)"
    assert sum_by(("a", "b"), "x") == "sum by (a, b) (x)"
    assert sum_by(("a",), "x", "max") == "max by (a) (x)"


@pytest.mark.parametrize(
    ("op", "pattern", "takes", "refuses"),
    [
        ("=", "a", ["a"], ["b", "", "aa"]),
        ("!=", "a", ["b", ""], ["a"]),
        ("=~", "5..", ["500", "5x\n"], ["50", "1500", ""]),
        ("!~", "5..", ["50", "1500", ""], ["500"]),
        ("=~", ".*", ["", "a\nb"], []),
        ("=~", ".+", ["a"], [""]),
        ("=~", r"\d+", ["1"], ["٣", ""]),
        ("=~", "(?i)get", ["GET", "get"], ["POST"]),
    ],
)
def test_matchers_match_as_in_prometheus(
    op: str, pattern: str, takes: list[str], refuses: list[str]
) -> None:
    matcher = Matcher("x", op, pattern)  # type: ignore[arg-type]
    assert [value for value in takes if not matcher.matches(value)] == []
    assert [value for value in refuses if matcher.matches(value)] == []


@pytest.mark.parametrize("pattern", [r"\pL+", "[[:alpha:]]", r"\Qa.b\E"])
def test_what_only_re2_can_judge_is_not_judged(pattern: str) -> None:
    with pytest.raises(re.error):
        Matcher("x", "=~", pattern).matches("a")


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+b", "(a|a)*b", ".*.*.*.*.*.*.*.*.*.*b", "(a*)*(a*)*(a*)*b", "a*a*a*a*a*b"],
)
def test_an_expression_made_to_be_slow_is_done_in_a_moment(pattern: str) -> None:
    matcher = Matcher("x", "=~", pattern)
    assert not matcher.matches("a" * 16)
    with pytest.raises(re.error):
        matcher.matches("a" * 3_000)


# What client libraries and Prometheus 2 and 3 write for the same bound.
@pytest.mark.parametrize(
    ("bound", "spellings", "others"),
    [
        pytest.param("1", ["1", "1.0"], ["10", "1.5", "0.1", "1x0", ""], id="1"),
        pytest.param("0.5", ["0.5"], ["5", "0.50001", "0x5", "0.05"], id="0.5"),
        pytest.param("2.5", ["2.5"], ["25", "2.50", "2x5"], id="2.5"),
        pytest.param(
            "0.00005", ["0.00005", "5e-05", "5e-5"], ["5e-06", "0.0005", "5e-50", "5"], id="0.00005"
        ),
        pytest.param("0.0001", ["0.0001"], ["0.001"], id="0.0001"),
        pytest.param(
            "1000000",
            ["1000000", "1000000.0", "1e+06", "1e6", "1e+6"],
            ["100000", "1e+07", "1e+60"],
            id="1000000",
        ),
        pytest.param(
            "2500000", ["2500000", "2500000.0", "2.5e+06"], ["25e+05", "2x5e+06"], id="2500000"
        ),
        pytest.param("100000", ["100000", "100000.0"], ["1000000"], id="100000"),
        pytest.param("0.30", ["0.3"], ["0.30"], id="0.30"),
    ],
)
def test_a_bucket_is_found_in_every_spelling_of_its_bound(
    bound: str, spellings: list[str], others: list[str]
) -> None:
    matcher = bucket(Decimal(bound))
    assert matcher.label == "le"
    assert [one for one in spellings if not matcher.matches(one)] == []
    assert [one for one in others if matcher.matches(one)] == []
