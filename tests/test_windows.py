"""Against the SRE Workbook, chapter 5, and worked figures: every number here is typed by hand."""

from datetime import timedelta
from decimal import Decimal

import pytest

from sloforge.windows import BUILT_IN, FOUR_WINDOWS, SHORT_PERIOD, WORKBOOK, Burn

DAY = timedelta(days=1)
PERIOD = 30 * DAY


def burn(*, hours: float = 1, factor: str | None = None, spend: str | None = None) -> Burn:
    return Burn(
        name="a-burn",
        severity="page",
        long=timedelta(hours=hours),
        short=timedelta(hours=hours) / 12,
        fixed=Decimal(factor) if factor else None,
        spend=Decimal(spend) if spend else None,
    )


@pytest.mark.parametrize(
    ("spend", "hours", "factor"),
    [
        pytest.param("0.02", 1, "14.4", id="2 % in 1h"),
        pytest.param("0.05", 6, "6", id="5 % in 6h"),
        pytest.param("0.1", 24, "3", id="10 % in 1d"),
        pytest.param("0.1", 72, "1", id="10 % in 3d"),
    ],
)
def test_the_shares_of_the_workbook_are_its_factors_at_30_days(
    spend: str, hours: float, factor: str
) -> None:
    assert burn(hours=hours, spend=spend).factor(PERIOD) == Decimal(factor)
    assert burn(hours=hours, factor=factor).spent(PERIOD) == Decimal(spend)


@pytest.mark.parametrize(
    ("days", "factors"),
    [
        pytest.param(7, ["3.36", "1.4", "0.7"], id="7d"),
        pytest.param(14, ["6.72", "2.8", "1.4"], id="14d"),
        pytest.param(28, ["13.44", "5.6", "2.8"], id="28d"),
        pytest.param(90, ["43.2", "18", "9"], id="90d"),
    ],
)
def test_the_same_shares_are_other_factors_over_other_periods(
    days: int, factors: list[str]
) -> None:
    shares = [(1, "0.02"), (6, "0.05"), (24, "0.1")]
    found = [burn(hours=hours, spend=spend).factor(days * DAY) for hours, spend in shares]
    assert found == [Decimal(factor) for factor in factors]


# threshold x long / errors: 14.4 x 0.001 x 3600 s = 51.84 s of a full outage, and so on.
@pytest.mark.parametrize(
    ("objective", "errors", "hours", "factor", "seconds"),
    [
        pytest.param("0.999", "1", 1, "14.4", 51.84, id="99.9 %, all fail, page in 0.9 min"),
        pytest.param("0.999", "0.1", 1, "14.4", 518.4, id="99.9 %, 10 % fail, page in 8.6 min"),
        pytest.param("0.999", "0.02", 1, "14.4", 2592, id="99.9 %, 2 % fail, page in 43 min"),
        pytest.param("0.999", "0.01", 6, "6", 12960, id="99.9 %, 1 % fail, page in 3.6 h"),
        pytest.param("0.999", "0.005", 72, "1", 51840, id="99.9 %, 0.5 % fail, ticket in 14.4 h"),
        pytest.param("0.99", "1", 1, "14.4", 518.4, id="99 %, all fail, page in 8.6 min"),
        pytest.param("0.99", "0.1", 6, "6", 12960, id="99 %, 10 % fail, page in 3.6 h"),
        pytest.param("0.999", "1", 6, "6", 129.6, id="99.9 %, all fail, slow page in 130 s"),
        pytest.param("0.999", "1", 24, "3", 259.2, id="99.9 %, all fail, ticket in 259 s"),
    ],
)
def test_detection_takes_as_long_as_the_workbook_says(
    objective: str, errors: str, hours: float, factor: str, seconds: float
) -> None:
    found = burn(hours=hours, factor=factor).detection(
        PERIOD, 1 - Decimal(objective), Decimal(errors)
    )
    assert found == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("budget", "errors"),
    [
        pytest.param("0.01", "0.01", id="at exactly the budget"),
        pytest.param("0.01", "0.144", id="at exactly the threshold"),
        pytest.param("0.1", "1", id="where even an outage is below it"),
    ],
)
def test_what_is_not_above_the_threshold_is_never_detected(budget: str, errors: str) -> None:
    assert burn(factor="14.4").detection(PERIOD, Decimal(budget), Decimal(errors)) is None


def test_the_alert_ends_once_the_short_window_is_clean_enough() -> None:
    # 5m x (1 - 14.4 x 0.001 / 0.1) = 256.8 s, and nearly the whole window after an outage.
    assert burn(factor="14.4").reset(PERIOD, Decimal("0.001"), Decimal("0.1")) == timedelta(
        seconds=256.8
    )
    assert burn(factor="14.4").reset(PERIOD, Decimal("0.001"), Decimal(1)) == timedelta(
        seconds=295.68
    )
    assert burn(factor="14.4").reset(PERIOD, Decimal("0.001"), Decimal("0.001")) == timedelta(0)


def test_thresholds_are_exact() -> None:
    assert burn(factor="14.4").threshold(PERIOD, 1 - Decimal("0.999")) == Decimal("0.0144")


def test_the_built_in_policies_are_these() -> None:
    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    table = {
        policy.name: [
            (b.name, b.severity, b.long, b.short, b.fixed or b.spend, b.keep_firing_for)
            for b in policy.burns
        ]
        for policy in BUILT_IN
    }
    fast = ("fast-burn", "page", hour, 5 * minute, Decimal("14.4"), 5 * minute)
    slow = ("slow-burn", "page", 6 * hour, 30 * minute, Decimal(6), 10 * minute)
    steady = ("steady-burn", "ticket", 24 * hour, 2 * hour, Decimal(3), 10 * minute)
    very_slow = ("very-slow-burn", "ticket", 72 * hour, 6 * hour, Decimal(1), 10 * minute)
    assert table[WORKBOOK.name] == [fast, slow, very_slow]
    assert table[FOUR_WINDOWS.name] == [fast, slow, steady, very_slow]
    assert table[SHORT_PERIOD.name] == [
        ("fast-burn", "page", hour, 5 * minute, Decimal("0.2"), 5 * minute),
        ("slow-burn", "page", 6 * hour, 30 * minute, Decimal("0.5"), 10 * minute),
    ]


@pytest.mark.parametrize("days", [7, 28, 30, 90, 400])
def test_the_workbook_policy_never_fires_while_the_slo_is_met(days: int) -> None:
    assert min(b.factor(days * DAY) for b in WORKBOOK.burns) >= 1


@pytest.mark.parametrize("days", [1, 2, 3])
def test_the_policy_for_short_periods_suits_them(days: int) -> None:
    for one in SHORT_PERIOD.burns:
        assert one.long <= days * DAY
        assert one.factor(days * DAY) >= 1
