"""A test that needs a newer promtool is skipped with the reason, and runs where it can."""

import pytest

from promtool import Version, run_tests
from promtool.testfile import load

ASSERT = "  promql_expr_test: [{expr: 'vector(1)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}]\n"
HEAD = "rule_files: [rules.yml]\n"
NEEDS = {
    "histogram input": (
        HEAD
        + "tests:\n- input_series: [{series: h, values: '{{schema:0 sum:5 count:4 buckets:[1 2 1]}}x5'}]\n"
        + ASSERT,
        "native_histograms",
        "uses the native-histogram notation `{{...}}`, which needs promtool 2.47, got 2.42.0",
    ),
    "histogram expected": (
        HEAD
        + "tests:\n- promql_expr_test: [{expr: h, eval_time: 1m, exp_samples: [{labels: h, histogram: '{{schema:0}}'}]}]\n",
        "native_histograms",
        "uses the native-histogram notation `{{...}}`, which needs promtool 2.47, got 2.42.0",
    ),
    "fuzzy": (
        HEAD + "fuzzy_compare: true\ntests:\n- name: x\n" + ASSERT,
        "fuzzy_compare",
        "uses the field `fuzzy_compare`, which needs promtool 3.5, got 2.42.0",
    ),
    "start": (
        HEAD + "tests:\n- start_timestamp: 2020-01-01T00:00:00Z\n" + ASSERT,
        "start_timestamp",
        "uses the field `start_timestamp`, which needs promtool 3.9, got 2.42.0",
    ),
    "names": (
        HEAD
        + "tests:\n- input_series: [{series: '{\"http.requests\", a=\"b\"}', values: '1x5'}]\n"
        + ASSERT,
        "utf8_names",
        "uses metric and label names outside `[a-zA-Z0-9_:]`, which needs promtool 3.0, got 2.42.0",
    ),
    "declared": (
        "# promtool needs: left_open_ranges\n" + HEAD + "tests:\n- name: x\n" + ASSERT,
        "left_open_ranges",
        "uses ranges that leave out their left edge, which needs promtool 3.0, got 2.42.0",
    ),
    "two": (
        "# promtool needs: junit, run\n" + HEAD + "tests:\n- name: x\n" + ASSERT,
        "junit run",
        "uses the flag `--junit` and the flag `--run`, which needs promtool 2.55, got 2.42.0",
    ),
}


@pytest.mark.parametrize(("text", "names", "reason"), NEEDS.values(), ids=NEEDS)
def test_the_need_is_seen_and_the_reason_shown(text, names, reason, write, fake):
    from promtool import locate

    path = write(text)
    assert load(path).groups[0].needs == tuple(names.split())
    suite = run_tests([path], locate(fake("exit 9")))
    assert suite.groups[0].skipped == reason
    assert suite.groups[0].assertions[0].status == "skipped"
    assert suite.status == "skipped"
    assert suite.ok


def test_quotes_in_label_values_need_nothing(write):
    path = write(
        HEAD
        + 'tests:\n- input_series: [{series: \'x{a="{,\\"b", c=", "}\', values: \'1x5\'}]\n'
        + ASSERT
    )
    assert load(path).groups[0].needs == ()


def test_a_need_is_no_obstacle_for_a_promtool_that_has_it(write, tool):
    text, _, _ = NEEDS["histogram input"]
    (group,) = run_tests([write(text)], tool).groups
    assert group.status == ("passed" if tool.version >= Version(major=2, minor=47) else "skipped")


def test_a_group_without_interval_takes_the_evaluation_interval_on_every_version(write, tool):
    suite = run_tests(
        [
            write(
                HEAD
                + """\
evaluation_interval: 2m
tests:
- input_series: [{series: 'x', values: '0 1 2 3 4'}]
  promql_expr_test: [{expr: x, eval_time: 4m, exp_samples: [{labels: x, value: 2}]}]
"""
            )
        ],
        tool,
    )
    assert suite.ok, suite
