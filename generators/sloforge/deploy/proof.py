"""Which changed rules can be seen at work within one evaluation, and which can only be asked.

A rule manager comes to a group within its interval. Alerts, and what is evaluated as often, are
waited for; a group that is evaluated more seldom would hold a deploy up for minutes. Each of its
rules is evaluated once by a query, and the deploy says that no more has been seen of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from sloforge.deploy import access
from sloforge.deploy.access import Asks
from sloforge.deploy.liverules import CONCURRENCY, LiveGroup, pending
from sloforge.deploy.rulefiles import Rule
from sloforge.deploy.together import each
from sloforge.errors import Problem

# What the rule manager leaves out of a series before it puts a rule's own name and labels on it.
_NAMES = ("__name__", "alertname")


def longest(groups: Iterable[LiveGroup]) -> float:
    """The interval, in seconds, up to which groups are waited for: that of the slowest alerts."""
    groups = tuple(groups)
    alerts = [g.interval for g in groups if any(one.rule.kind == "alert" for one in g.rules)]
    return max(alerts or [min((g.interval for g in groups if g.interval), default=0.0)])


def asked(http: Asks, groups: Iterable[LiveGroup]) -> tuple[str, ...]:
    """What is wrong with rules, each evaluated by one query now."""
    rules = [(group, one.rule) for group in groups for one in group.rules]

    def work(found: tuple[LiveGroup, Rule]) -> str:
        group, rule = found
        wrong = _wrong(http, rule)
        return f"group {group.name}: {rule.title}: {wrong}" if wrong else ""

    return tuple(words for words in each(work, rules, CONCURRENCY) if words)


def notes(groups: Iterable[LiveGroup]) -> Iterator[str]:
    """What has been asked and not been seen yet, a line for each interval."""
    waiting = [group for group in groups if pending([group])]
    for interval in sorted({group.interval for group in waiting}):
        count = sum(len(group.rules) for group in waiting if group.interval == interval)
        several = f"{count} rules that are" if count > 1 else "1 rule that is"
        yield (
            f"{several} evaluated every {interval:g} s: evaluated by a query, without an error; "
            "the server itself has not come to them yet"
        )


def _wrong(http: Asks, rule: Rule) -> str:
    """Empty where the server would evaluate the rule without an error."""
    answer = http.request("GET", "/api/v1/query", params={"query": rule.expr})
    try:
        found = access.data(answer)
    except Problem as problem:
        return str(problem)
    if found["resultType"] not in ("vector", "scalar"):
        return f"expected a vector, got a {found['resultType']}"
    return _clash(rule, found["result"]) if found["resultType"] == "vector" else ""


def _clash(rule: Rule, series: Iterable[dict[str, dict[str, str]]]) -> str:
    """Two series that the rule's labels make one: an error of the evaluation, and of no query.

    Labels with a template may tell them apart, so nothing is said of those.
    """
    if any("{{" in value for _, value in rule.labels):
        return ""
    own = dict(rule.labels)
    bare = ({k: v for k, v in one["metric"].items() if k not in _NAMES} for one in series)
    counts = Counter(tuple(sorted({**labels, **own}.items())) for labels in bare)
    return "its labels make two series one" if any(n > 1 for n in counts.values()) else ""
