"""Numbers as Grafana writes them. Expected texts are from its valueFormats and its documentation."""

import math

import pytest

from sloforge.preview import axes
from sloforge.preview.units import shown

TEXTS = [
    (0.9991, "percentunit", 2, "99.91%"),
    (0.123456, "percentunit", None, "12.3%"),
    (1, "percentunit", None, "100%"),
    (-9.7922, "percentunit", 2, "-979.22%"),
    (0.0001, "percentunit", None, "0.0100%"),
    (42.5, "percent", 0, "43%"),
    (0, "none", 2, "0.00"),
    (2.5, "none", 0, "3"),
    (-0.2, "none", 0, "0"),
    (1234.5, "none", None, "1235"),
    (14.4, "none", None, "14.4"),
    (0.1234, "none", None, "0.123"),
    (1234.5, "short", None, "1.23 K"),
    (999, "short", None, "999"),
    (1_000_000, "short", None, "1 Mil"),
    (-15_600, "short", 1, "-15.6 K"),
    (0.5, "short", None, "0.500"),
    (2e12, "short", 0, "2 Tri"),
    (12_345, "reqps", None, "12.3K req/s"),
    (0.033, "cps", 2, "0.03 c/s"),
    (7, "ops", None, "7 ops/s"),
    (0, "s", 2, "0 s"),
    (5e-10, "s", None, "0.500 ns"),
    (0.0001, "s", None, "100 µs"),
    (0.05, "s", None, "50 ms"),
    (1.41, "s", 2, "1.41 s"),
    (90, "s", None, "1.50 min"),
    (7200, "s", 1, "2.0 hours"),
    (3600, "s", None, "1 hour"),
    (172_800, "s", None, "2 days"),
    (1_209_600, "s", None, "2 weeks"),
    (250, "ms", None, "250 ms"),
    (90_000, "ms", None, "1.50 min"),
    (864_000, "dtdurations", None, "1 week"),
    (864_000, "dtdurations", 1, "1 week, 3 days"),
    (216_000, "dtdurations", 1, "2 days, 12 hours"),
    (61, "dtdurations", 1, "1 minute, 1 second"),
    (0, "dtdurations", 1, "0 seconds"),
    (-60, "dtdurations", None, "1 minute ago"),
    (3661, "dthms", None, "01:01:01"),
    (1024, "bytes", None, "1 KiB"),
    (3e9, "bytes", None, "2.79 GiB"),
    (1e9, "decbytes", None, "1 GB"),
    (1536, "binBps", 1, "1.5 KiB/s"),
    (2_000_000, "bps", None, "2 Mb/s"),
    (1_000, "hertz", None, "1 kHz"),
    (1, "bool_yes_no", None, "Yes"),
    (0, "bool_on_off", None, "Off"),
    (0, "dateTimeAsIso", None, "1970-01-01 00:00:00 UTC"),
    (3, "widgets", None, "3 widgets"),
    (3, "suffix: kernels", None, "3 kernels"),
    (3, "prefix:#", None, "#3"),
    (0.25, "currency:€", 2, "€0.25"),
    (math.inf, "none", None, "∞"),
    (-math.inf, "s", None, "-∞"),
    (math.nan, "s", None, "NaN"),
]


@pytest.mark.parametrize(("value", "unit", "decimals", "text"), TEXTS)
def test_a_number_is_written_as_grafana_writes_it(value, unit, decimals, text):
    assert shown(value, unit, decimals) == text


@pytest.mark.parametrize(
    "unit", ["percentunit", "s", "bytes", "short", "none", "dtdurations", "sci"]
)
@pytest.mark.parametrize("value", [1e300, -1e300, 1e-300, 5e-324, 0.1 + 0.2, 1e21, -0.0])
def test_no_number_is_too_strange(value, unit):
    assert shown(value, unit)


AXES = [
    (0, 1, "percentunit", 5, ["0%", "20%", "40%", "60%", "80%", "100%"]),
    (0.9985, 1, "percentunit", 4, ["99.85%", "99.9%", "99.95%", "100%"]),
    (0, 3, "none", 4, ["0", "1", "2", "3"]),
    (0, 0.9, "s", 4, ["0 s", "250 ms", "500 ms", "750 ms", "1 s"]),
    (0, 7000, "s", 4, ["0 s", "30 min", "1 hour", "1.5 hours", "2 hours"]),
    (0, 3e9, "bytes", 4, ["0 B", "1 GiB", "2 GiB", "3 GiB"]),
    (0, 90, "reqps", 2, ["0 req/s", "50 req/s", "100 req/s"]),
    (-5.9, 1.2, "percentunit", 4, ["-600%", "-400%", "-200%", "0%", "200%"]),
]


@pytest.mark.parametrize(("low", "high", "unit", "most", "texts"), AXES)
def test_ticks_are_round_and_hold_all_numbers(low, high, unit, most, texts):
    (start, end), ticks = axes.linear(low, high, unit, most)
    assert [text for _, text in ticks] == texts
    assert start <= low
    assert end >= high


@pytest.mark.parametrize(("low", "high"), [(0, 0), (5, 5), (-2, -2), (1e-9, 1e-9), (0, 1e300)])
def test_an_axis_of_a_single_number_still_has_a_range(low, high):
    (start, end), ticks = axes.linear(low, high, "none", 4)
    assert start < end
    assert len(ticks) >= 2


def test_a_logarithmic_axis_has_powers():
    (start, end), ticks = axes.logarithmic(0.3, 59.42, 2, "none")
    assert (start, end) == (0.25, 64)
    assert [text for _, text in ticks] == ["0.25", "1", "4", "16", "64"]
