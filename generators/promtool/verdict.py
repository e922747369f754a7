"""From promtool's words about one test group to typed results for each assertion."""

from dataclasses import dataclass, replace

from promtool import output, samples
from promtool.batch import Outcome
from promtool.difference import difference, label_sets
from promtool.output import Failure, Report
from promtool.results import Assertion, Group, Problem
from promtool.rulefiles import RuleSet
from promtool.testfile import Case, TestGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What is known of a group before promtool's word is heard."""

    group: TestGroup
    rules: RuleSet
    problems: tuple[Problem, ...] = ()

    def result(self, outcome: Outcome) -> Group:
        """Give each assertion its part of the outcome; what fits nowhere is kept as raw text."""
        if outcome.passed:
            return self._group(outcome, self._passed(), raw="")
        if outcome.broken:
            raw = f"{outcome.broken}\n{outcome.text}".strip()
            return self._group(outcome, self._unknown(outcome.broken), raw=raw)
        report = output.parse(outcome.text)
        found, unclaimed = _attribute(self.group.cases, report.failures)
        raw = "\n".join([*self._rule_errors(report), report.rest, *map(_shown, unclaimed)]).strip()
        if not raw and not found:
            raw = "promtool said FAILED and gave no reason"
        assertions = self._passed()
        if report.rule_errors or not report.failures:
            assertions = self._unknown(raw.splitlines()[0])
        for index, failure in found.items():
            assertions[index] = self._failed(assertions[index], failure)
        return self._group(outcome, assertions, raw=raw)

    def skipped(self, reason: str) -> Group:
        assertions = [replace(each, status="skipped") for each in self._passed()]
        return replace(self._group(Outcome(), assertions, raw=""), skipped=reason)

    def _group(self, outcome: Outcome, assertions: list[Assertion], raw: str) -> Group:
        share = outcome.duration / max(1, len(assertions))
        return Group(
            name=self.group.name,
            line=self.group.line,
            assertions=tuple(replace(each, duration=share) for each in assertions),
            problems=self.problems,
            raw=raw,
            duration=outcome.duration,
        )

    def _passed(self) -> list[Assertion]:
        return [
            Assertion(
                status="passed",
                kind=case.kind,
                subject=case.subject,
                eval_time=case.eval_time,
                line=case.line,
                expected=case.expected,
            )
            for case in self.group.cases
        ]

    def _unknown(self, why: str) -> list[Assertion]:
        text = f"not evaluated: {why}"
        return [replace(each, status="error", difference=text) for each in self._passed()]

    def _failed(self, assertion: Assertion, failure: Failure) -> Assertion:
        if failure.error:
            text = failure.error
            if samples.is_limit_error(text):
                text += "\n" + samples.explain(failure.subject, self.group.interval)
            return replace(assertion, status="error", difference=text)
        return replace(
            assertion,
            status="failed",
            expected=failure.expected,
            got=failure.got,
            difference=difference(failure.kind, failure.expected, failure.got),
        )

    def _rule_errors(self, report: Report) -> list[str]:
        lines = []
        for error in report.rule_errors:
            lines.append(f"rule `{error.rule}` failed at {error.time}: {error.error}")
            if samples.is_limit_error(error.error):
                lines.append(
                    samples.explain(self.rules.expression(error.rule), self.group.interval)
                )
        return lines


def _attribute(
    cases: tuple[Case, ...], failures: tuple[Failure, ...]
) -> tuple[dict[int, Failure], list[Failure]]:
    """Give each failure the first case of its kind, subject and time that is still free."""
    found: dict[int, Failure] = {}
    unclaimed = []
    for failure in failures:
        free = [i for i, case in enumerate(cases) if case.key == failure.key and i not in found]
        if free:
            found[min(free, key=lambda i: (_unlike(cases[i], failure), i))] = failure
        else:
            unclaimed.append(failure)
    return found, unclaimed


def _unlike(case: Case, failure: Failure) -> int:
    """Count how far the failure's expectation is from the case's: several may share a time."""
    if failure.error:
        return 0
    wanted = label_sets(failure.kind, failure.expected)
    if case.empty or not wanted:
        return 0 if case.empty == (not wanted) else 1_000
    own = {("alertname", case.subject)}
    return sum(
        f'{key}="{value}"' not in case.expected
        for labels in wanted
        for key, value in labels.items()
        if (key, value) not in own and key != "__name__"
    )


def _shown(failure: Failure) -> str:
    parts = (failure.error, f"expected {failure.expected}", f"got {failure.got}")
    return "\n".join([f"{failure.kind} {failure.subject} at {failure.time}:", *filter(None, parts)])
