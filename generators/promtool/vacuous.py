"""Tests that prove nothing, which promtool reports as SUCCESS."""

import re
from collections.abc import Iterator

from promtool.results import Problem
from promtool.rulefiles import RuleSet
from promtool.testfile import Case, TestFile, TestGroup

_ALERTNAME = re.compile(r'ALERTS(?:_FOR_STATE)?\{[^}]*?\balertname="([^"\\]+)"')


def file_problems(file: TestFile, matched: dict[str, bool], rules: RuleSet) -> tuple[Problem, ...]:
    """Return what is wrong for all groups; `matched` says which patterns have files."""
    return tuple(
        Problem(path=file.path, line=line, text=text)
        for line, text in (*_patterns(file, matched), *_order(file, rules), *_no_tests(file))
    )


def group_problems(file: TestFile, group: TestGroup, rules: RuleSet) -> tuple[Problem, ...]:
    """Return what is wrong with one group."""
    if not group.cases:
        text = f"test group `{group.name}`: expected assertions, got none"
        text += "; add `alert_rule_test` or `promql_expr_test`"
        return (Problem(path=file.path, line=group.line, text=text),)
    if not rules.complete:
        return ()
    found = (_unknown_alert(group, case, rules) for case in group.cases if case.empty)
    return tuple(
        Problem(path=file.path, line=line, text=text) for line, text in filter(None, found)
    )


def _patterns(file: TestFile, matched: dict[str, bool]) -> Iterator[tuple[int, str]]:
    for pattern, line in file.patterns:
        if not matched[pattern]:
            text = f"rule_files: no file matches `{pattern}`"
            yield line, f"{text}; correct the path, which is relative to this file"


def _order(file: TestFile, rules: RuleSet) -> Iterator[tuple[int, str]]:
    known = {group.name for group in (*rules.groups, *rules.left_out)}
    for name, line in file.order if rules.complete else ():
        if name not in known:
            text = f"group_eval_order: no loaded rule file has a group `{name}`"
            yield line, f"{text}; correct the name or load its file"


def _no_tests(file: TestFile) -> Iterator[tuple[int, str]]:
    if not file.groups:
        yield 1, "expected test groups under `tests`, got none; add one"


def _unknown_alert(group: TestGroup, case: Case, rules: RuleSet) -> tuple[int, str] | None:
    """Find an alert that must not fire, and never can because no rule defines it."""
    if case.kind == "alert":
        name = case.subject
    else:
        found = _ALERTNAME.search(case.subject)
        if found is None or any("ALERTS" in item.series for item in group.inputs):
            return None
        name = found[1]
    if any(name in each.alerts for each in rules.groups):
        return None
    elsewhere = [each.name for each in rules.left_out if name in each.alerts]
    text = f"expects no alert `{name}`, but no loaded rule defines it, so this proves nothing; "
    remedy = "correct the name or load its rule file"
    if elsewhere:
        remedy = f"add its rule group `{elsewhere[0]}` to `group_eval_order`"
    return case.line, text + remedy
