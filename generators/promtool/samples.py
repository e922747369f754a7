"""The 10,000 samples that promtool lets a query read, and an estimate of what a query needs."""

import re

from promtool.durations import milliseconds

# The test engine's MaxSamples, the same in 2.42 and 3.x: promql/promqltest in
# https://github.com/prometheus/prometheus; no flag changes it.
LIMIT = 10_000

_ERROR = "query processing would load too many samples"
_RANGE = re.compile(r"\[\s*(?P<window>\w+)\s*(?P<colon>:\s*(?P<step>\w*)\s*)?\]")


def is_limit_error(text: str) -> bool:
    return _ERROR in text


def estimate(expr: str, interval: str) -> int:
    """Return how many samples the widest range of `expr` reads from one series.

    `interval` is the distance of the samples; a subquery's own step counts instead of it.
    """
    found = (_samples(each, interval) for each in _RANGE.finditer(expr))
    return max(found, default=1)


def explain(expr: str, interval: str) -> str:
    """Say what the limit is, what the query needs and what to change."""
    per_series = estimate(expr, interval)
    need = (
        f"its widest range holds {per_series} samples of each series at an interval of {interval}"
    )
    return (
        f"promtool reads at most {LIMIT:,} samples in one query and no flag changes that; {need}; "
        "use a longer `interval`, a shorter window or fewer series, or feed recorded series "
        "as input and test the rules that record them apart"
    )


def _samples(found: re.Match[str], interval: str) -> int:
    window = milliseconds(found["window"]) or 0
    step = milliseconds(found["step"] or interval) or milliseconds(interval) or 60_000
    return window // step + 1
