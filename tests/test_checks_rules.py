"""Each of our rules on rules: what breaks it, and what it says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests import core_project as core

from sloforge.artifacts import yaml_text
from sloforge.checks.prometheus import promtool_findings
from sloforge.checks.rules import rule_findings

GOOD = {
    "alert": "TooMany",
    "expr": "up == 0",
    "labels": {"severity": "page"},
    "annotations": {"summary": "It is down.", "description": "Look.", "runbook_url": "https://x/"},
}


def said(*rules: dict[str, Any], **group: Any) -> list[str]:
    document = {"groups": [{"name": "g", "interval": "1m", "rules": list(rules)} | group]}
    return [f"{f.id} {f}" for f in rule_findings({"rules/a.yml": yaml_text(document)})]


def changed(**parts: Any) -> dict[str, Any]:
    return GOOD | parts


def test_a_good_alert_has_no_findings() -> None:
    assert said(GOOD) == []


TEXTS = GOOD["annotations"]
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "Q003": (changed(alert="too_many"), "too_many: the name is not CamelCase; set alerting.names"),
    "Q004": (
        changed(labels={"severity": "critical"}),
        "TooMany: expected a severity of page, ticket or none, got critical; no route would take it",
    ),
    "Q004 none": (
        changed(labels={}),
        "TooMany: expected a severity of page, ticket or none, got None; no route would take it",
    ),
    "Q005": (
        changed(annotations={"summary": "It is down.", "runbook_url": "https://x/"}),
        "TooMany: missing annotation description; say what is wrong, in words",
    ),
    "Q005 templated": (
        changed(annotations={**GOOD["annotations"], "summary": "{{ $value }} are down."}),  # type: ignore[dict-item]
        "TooMany: expected a summary of one fixed sentence, got `{{ $value }} are down.`; what changes belongs into the description",
    ),
    "Q006": (
        changed(annotations={"summary": "It is down.", "description": "Look."}),
        "TooMany: missing annotation runbook_url; an alert needs a runbook",
    ),
    "Q007": (
        changed(expr="up"),
        "TooMany: the expression compares nothing; compare it with a bound",
    ),
    "Q008": (
        changed(expr="slo:gone:ratio > 1"),
        "TooMany: reads slo:gone:ratio, which no rule records; an alert on nothing never fires",
    ),
    "Q009": (
        changed(expr="rate(req_total[2h]) > 1"),
        "TooMany: reads req_total over more than an hour; read what is recorded every five minutes",
    ),
    "Q009 subquery": (
        changed(expr="max_over_time(rate(req_total[5m])[1d:5m]) > 1"),
        "TooMany: reads req_total over more than an hour; read what is recorded every five minutes",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_rule_is_named_with_its_remedy(case: str) -> None:
    rule, message = BROKEN[case]
    assert said(rule) == [f"{case.split(maxsplit=1)[0]} rules/a.yml: g: {message}"]


def test_a_group_of_more_than_twenty_rules_is_too_large() -> None:
    rules = [{"record": f"a:b:c{at}", "expr": "up"} for at in range(21)]
    assert said(*rules) == [
        "Q001 rules/a.yml: group g has 21 rules, expected at most 20; use fewer burn windows"
    ]
    assert said(*rules[:20]) == []


@pytest.mark.parametrize(("interval", "found"), [("5m", 0), ("6m", 1), ("1h", 1), ("301s", 1)])
def test_a_group_is_evaluated_at_least_every_five_minutes(interval: str, found: int) -> None:
    expected = [
        (
            f"Q002 rules/a.yml: group g is evaluated every {interval}, expected at most 5m; "
            "a series older than 5m is gone for a reader"
        )
    ]
    assert said(GOOD, interval=interval) == expected[:found]


@pytest.mark.parametrize(
    "expr",
    [
        pytest.param("absent(up)", id="absent"),
        pytest.param("up unless on () other", id="unless"),
        pytest.param("rate(req_total[1h]) > 1", id="an hour"),
        pytest.param("max_over_time(up[7d]) == 0", id="what every scrape has"),
    ],
)
def test_what_is_no_mistake(expr: str) -> None:
    assert said(changed(expr=expr)) == []


def test_a_recording_satisfies_an_alert_of_another_file() -> None:
    record = {"groups": [{"name": "r", "rules": [{"record": "slo:gone:ratio", "expr": "up"}]}]}
    alert = {"groups": [{"name": "g", "rules": [changed(expr="slo:gone:ratio > 1")]}]}
    texts = {"recording/a.yml": yaml_text(record), "rules/a.yml": yaml_text(alert)}
    assert list(rule_findings(texts)) == []


def test_the_watchdog_compares_nothing_and_needs_no_runbook(tmp_path: Path) -> None:
    project = core.one(tmp_path, core.SLIS["up"])
    text = core.generated(project, "rules")["rules/_watchdog.yml"]
    assert list(rule_findings({"rules/_watchdog.yml": text})) == []


@pytest.mark.parametrize("mode", ["hybrid", "derived"])
def test_generated_rules_have_no_findings(mode: str, tmp_path: Path) -> None:
    slos = [core.slo(k, s) for k, s in core.SLIS.items()]
    project = core.load(tmp_path, core.service("shop", slos), mode=mode)
    assert list(rule_findings(core.generated(project, "recording", "rules"))) == []


def test_promtool_speaks_with_the_path_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    rules = yaml.safe_dump({"groups": [{"name": "g", "rules": [changed(expr="up ==")]}]})
    (tmp_path / "rules/a.yml").write_text(rules, encoding="utf-8")
    (finding,) = promtool_findings(tmp_path, ["rules/a.yml"])
    assert (finding.id, finding.where.path) == ("P001", "rules/a.yml")
    assert "parse error" in finding.what
    assert str(tmp_path) not in str(finding)


def test_a_rule_on_very_many_metrics_is_read_like_any_other() -> None:
    many = "\nor\n".join(f"absent(a_metric_with_a_long_name_{at})" for at in range(300))
    assert said(changed(expr=many)) == []
    assert len(said(changed(expr=f"{many}\nor\na:b > 1"))) == 1
