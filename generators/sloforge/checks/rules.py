"""Q...: what promtool does not look at in rules: labels, texts, costs, and what they read.

The rules on labels and annotations are those of mixtool and kubernetes-mixin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import promql_parser as parser

from sloforge.errors import Finding, Location, Severity
from sloforge.libyaml import load
from sloforge.naming import is_foreign
from sloforge.promql import parse_duration
from sloforge.specs import expressions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

# Mimir's default limit, and the length that mixtool accepts for a group with room for a suffix.
MAX_RULES = 20
MAX_RAW_RANGE = timedelta(hours=1)
MAX_INTERVAL = timedelta(minutes=5)
_COMPARISONS = ("==", "!=", ">", "<", ">=", "<=", "unless")
_ALERT_NAME = re.compile(r"[A-Z][A-Za-z0-9]*")
_SENTENCE = re.compile(r"[A-Z].*\.", re.DOTALL)
# Prometheus' own, and what every scrape has.
_ALWAYS = re.compile(r"ALERTS|ALERTS_FOR_STATE|up|scrape_.*|prometheus_.*|alertmanager_.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of one file, with its group."""

    path: str
    group: str
    interval: str
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        return str(self.body.get("alert") or self.body.get("record"))

    @property
    def expr(self) -> str:
        return str(self.body["expr"])

    def wrong(self, id_: str, what: str, remedy: str) -> Finding:
        severity: Severity = "error"
        text = f"{self.group}: {self.name}: {what}"
        return Finding(
            id=id_, where=Location(self.path), what=text, remedy=remedy, severity=severity
        )


def rule_findings(texts: Mapping[str, str]) -> Iterator[Finding]:
    """Findings in rule files, by path; they are read together, since alerts read recordings."""
    groups = [(p, g) for p, text in sorted(texts.items()) for g in _groups(text)]
    rules = [
        Rule(path=path, group=group["name"], interval=group.get("interval", ""), body=body)
        for path, group in groups
        for body in group["rules"]
    ]
    yield from _group_findings(groups)
    recorded = frozenset(rule.name for rule in rules if "record" in rule.body)
    for rule in (rule for rule in rules if not is_foreign(rule.path)):
        if "alert" in rule.body:
            for check in ALERT_RULES:
                yield from check(rule)
            yield from _unrecorded(rule, recorded)
        yield from _raw_ranges(rule)


def _groups(text: str) -> list[dict[str, Any]]:
    document = load(text)
    return list((document or {}).get("groups") or [])


def _group_findings(groups: list[tuple[str, dict[str, Any]]]) -> Iterator[Finding]:
    """Q001: a group of more than 20 rules, which Mimir refuses; Q002: an interval above 5m."""
    for path, group in groups:
        where, name = Location(path), group["name"]
        if len(group["rules"]) > MAX_RULES:
            what = f"group {name} has {len(group['rules'])} rules, expected at most {MAX_RULES}"
            yield _too_large(where, what)
        interval = group.get("interval")
        if not is_foreign(path) and interval and parse_duration(interval) > MAX_INTERVAL:
            what = f"group {name} is evaluated every {interval}, expected at most 5m"
            remedy = "a series older than 5m is gone for a reader"
            yield Finding(id="Q002", where=where, what=what, remedy=remedy)


def _too_large(where: Location, what: str) -> Finding:
    """A foreign group is nobody's mistake, and is split where a ruler asks for it."""
    if not is_foreign(where.path):
        return Finding(id="Q001", where=where, what=what, remedy="use fewer burn windows")
    remedy = "a deploy to a ruler splits it: what reads a rule of another part sees it later"
    return Finding(id="Q001", where=where, what=what, remedy=remedy, severity="warning")


def _names(rule: Rule) -> Iterator[Finding]:
    """Q003: an alert whose name is not in CamelCase."""
    if not _ALERT_NAME.fullmatch(rule.name):
        yield rule.wrong("Q003", "the name is not CamelCase", "set alerting.names")


def _labels(rule: Rule) -> Iterator[Finding]:
    """Q004: an alert without a severity that routes know."""
    severity = rule.body.get("labels", {}).get("severity")
    if severity not in ("page", "ticket", "none"):
        what = f"expected a severity of page, ticket or none, got {severity}"
        yield rule.wrong("Q004", what, "no route would take it")


def _annotations(rule: Rule) -> Iterator[Finding]:
    """Q005: an alert without texts, or with a summary that is no fixed sentence."""
    annotations = rule.body.get("annotations", {})
    for key in ("summary", "description"):
        if not annotations.get(key):
            yield rule.wrong("Q005", f"missing annotation {key}", "say what is wrong, in words")
    summary = str(annotations.get("summary", ""))
    if "{{" in summary or (summary and not _SENTENCE.fullmatch(summary)):
        what = f"expected a summary of one fixed sentence, got `{summary}`"
        yield rule.wrong("Q005", what, "what changes belongs into the description")


def _runbooks(rule: Rule) -> Iterator[Finding]:
    """Q006: an alert without a link to its runbook; the Watchdog needs none."""
    if rule.body.get("labels", {}).get("severity") == "none":
        return
    if not rule.body.get("annotations", {}).get("runbook_url"):
        yield rule.wrong("Q006", "missing annotation runbook_url", "an alert needs a runbook")


def _comparisons(rule: Rule) -> Iterator[Finding]:
    """Q007: an alert that compares nothing fires for every series that exists."""
    if rule.name == "Watchdog" or _compares(expressions.generated(rule.expr)):
        return
    yield rule.wrong("Q007", "the expression compares nothing", "compare it with a bound")


def _compares(tree: Any) -> bool:
    for part in expressions.walk(tree):
        if isinstance(part, parser.BinaryExpr) and str(part.op) in _COMPARISONS:
            return True
        if isinstance(part, parser.Call) and part.func.name in ("absent", "absent_over_time"):
            return True
    return False


ALERT_RULES: tuple[Callable[[Rule], Iterator[Finding]], ...] = (
    _names,
    _labels,
    _annotations,
    _runbooks,
    _comparisons,
)


def _unrecorded(rule: Rule, recorded: frozenset[str]) -> Iterator[Finding]:
    """Q008: an alert that reads a series with a colon in its name that no rule records."""
    for part in expressions.walk(expressions.generated(rule.expr)):
        name = (part.name or "") if isinstance(part, parser.VectorSelector) else ""
        if ":" in name and name not in recorded:
            what = f"reads {name}, which no rule records"
            yield rule.wrong("Q008", what, "an alert on nothing never fires")


def _raw_ranges(rule: Rule) -> Iterator[Finding]:
    """Q009: a scraped series read over more than an hour, at every evaluation."""
    for name, over in dict.fromkeys(ranges(expressions.generated(rule.expr))):
        if over > MAX_RAW_RANGE and ":" not in name and not _ALWAYS.fullmatch(name):
            what = f"reads {name} over more than an hour"
            yield rule.wrong("Q009", what, "read what is recorded every five minutes")


def ranges(tree: Any) -> Iterator[tuple[str, timedelta]]:
    """Every series that is read over a range, with the range."""
    for part in expressions.walk(tree):
        if isinstance(part, parser.MatrixSelector):
            yield part.vector_selector.name or "", part.range or timedelta(0)
        if isinstance(part, parser.SubqueryExpr):
            inner = expressions.walk(part.expr)
            read = [one for one in inner if isinstance(one, parser.VectorSelector)]
            yield from ((one.name or "", part.range or timedelta(0)) for one in read)
