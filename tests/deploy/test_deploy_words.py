"""A change of a rule file in words: what a reviewer wants to know, on one line for each rule."""

import pytest
from tests.deploy.project import alert, record, rule_file

from sloforge.deploy import rulefiles, words
from sloforge.errors import Problem

SLO = {"slo_service": "shop", "slo_name": "api"}


def said(before: str, after: str) -> tuple[str, ...]:
    return words.summary(rulefiles.groups(before, "a"), rulefiles.groups(after, "b"))


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        pytest.param(
            record("slo:objective:ratio", "vector(0.999)", **SLO),
            record("slo:objective:ratio", "vector(0.9995)", **SLO),
            "shop/api: objective 99.9 -> 99.95",
            id="objective",
        ),
        pytest.param(
            alert("A", "x > 14.4 * 0.001 and y > 14.4 * 0.001", **SLO),
            alert("A", "x > 14.4 * 0.005 and y > 14.4 * 0.005", **SLO),
            "alert A of shop/api: threshold 14.4 * 0.001 -> 14.4 * 0.005",
            id="threshold",
        ),
        pytest.param(
            alert("A", "x > 1"), alert("A", "y > 1"), "alert A: expression changed", id="expression"
        ),
        pytest.param(
            alert("A", "x") | {"for": "2m", "annotations": {"summary": "a"}},
            alert("A", "x") | {"for": "5m", "annotations": {"summary": "b"}},
            "alert A: for 120s -> 300s; summary changed",
            id="for",
        ),
        pytest.param(
            alert("A", "x") | {"keep_firing_for": "1h"},
            alert("A", "x"),
            "alert A: keep_firing_for 3600s -> 0s",
            id="keep-firing-for",
        ),
        pytest.param(
            record("slo_info", "vector(1)", objective="99", **SLO),
            record("slo_info", "vector(1)", objective="98", **SLO),
            "record slo_info of shop/api: labels changed",
            id="labels",
        ),
    ],
)
def test_a_changed_rule_is_one_line(before, after, line):
    assert said(rule_file(before), rule_file(after)) == (line,)


def test_an_interval_is_said():
    before, after = (rule_file(record("a:b", "x"), interval=i) for i in ("1m", "30s"))
    assert said(before, after) == ("group g: interval 60s -> 30s",)


def test_long_lists_are_cut_and_what_is_all_new_is_counted():
    many = [record(f"a:b{at}", "x") for at in range(20)]
    lines = said(rule_file(record("z:z", "x")), rule_file(*many))
    assert lines[-1] == "and 9 more"
    assert said("", rule_file(*many, alert("A", "x"))) == ("1 alerts, 20 recording rules",)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1m", 60), ("1h30m", 5400), ("1m0s", 60), ("100ms", 0.1), (15, 15), ("0", 0)],
)
def test_durations_are_read_in_every_spelling(text, seconds):
    assert rulefiles.seconds(text) == seconds


@pytest.mark.parametrize("text", ["a: [", "groups: [{name: a, rules: [{}]}]", "- a", "groups: [1]"])
def test_what_is_no_rule_file_is_a_problem(text):
    with pytest.raises(Problem, match=r"^x\.yml: "):
        rulefiles.groups(text, "x.yml")
