"""Each assertion has its own result, with the difference in words."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from promtool import Options, run_tests
from promtool.junit import junit_xml
from promtool.report import as_json, as_text


def test_good_tests_pass_with_all_their_assertions(good, tool):
    suite = run_tests([good], tool)
    assert suite.ok
    assert suite.promtool == str(tool.version)
    (file,) = suite.files
    assert [(group.name, group.line, group.status) for group in file.groups] == [
        ("fires above", 5, "passed"),
        ("quiet below", 20, "passed"),
    ]
    first, second = file.groups[0].assertions
    assert (first.kind, first.subject, first.eval_time, first.line, first.status) == (
        "alert",
        "High",
        "10m",
        10,
        "passed",
    )
    assert (second.kind, second.subject, second.line) == ("expr", "job:errors:rate5m", 16)
    assert first.expected == '{job="a", severity="page"} {summary="errors: 2 a second"}'
    assert first.duration == second.duration == pytest.approx(file.groups[0].duration / 2)
    assert 0 < file.groups[0].duration < suite.duration


CHANGES = [
    (
        "severity: page}\n      exp",
        "severity: ticket}\n      exp",
        'alert High at 10m|{job="a", severity="ticket"}: label severity: expected `ticket`, got `page`',
    ),
    (
        "{job: a, severity: page}\n",
        "{severity: page}\n",
        'alert High at 10m|{severity="page"}: label job: expected none, got `a`',
    ),
    (
        "'errors: 2 a second'",
        "'errors: 3 a second'",
        'alert High at 10m|{job="a", severity="page"}: annotation summary: expected `errors: 3 a second`, got `errors: 2 a second`',
    ),
    (
        "      exp_annotations: {summary: 'errors: 2 a second'}\n",
        "",
        'alert High at 10m|{job="a", severity="page"}: annotation summary: expected none, got `errors: 2 a second`',
    ),
    (
        "value: 2}",
        "value: 2.5}",
        'expr job:errors:rate5m at 10m|job:errors:rate5m{job="a"}: value: expected `2.5`, got `2`',
    ),
    (
        "'job:errors:rate5m{job=\"a\"}', value: 2}",
        "'job:errors:rate5m{job=\"a\"}', value: 2}\n    - {labels: 'x{job=\"b\"}', value: 7}",
        'expr job:errors:rate5m at 10m|missing sample: x{job="b"} 7',
    ),
    (
        "    exp_samples:\n    - {labels: 'job:errors:rate5m{job=\"a\"}', value: 2}\n",
        "",
        'expr job:errors:rate5m at 10m|unexpected sample: job:errors:rate5m{job="a"} 2',
    ),
    (
        "0+15x40",
        "0+60x40",
        'alert High at 10m|fires, but is not expected: {job="a", severity="page"}',
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "want"), CHANGES, ids=[want.split("|")[1] for _, _, want in CHANGES]
)
def test_the_difference_is_said_in_words(old, new, want, good, run_text):
    text = good.read_text()
    assert text.count(old) == 1
    suite = run_text(text.replace(old, new))
    failed = [
        each for group in suite.groups for each in group.assertions if each.status == "failed"
    ]
    assert [f"{each.title}|{each.difference}" for each in failed] == [want]
    assert not any(group.raw for group in suite.groups)
    assert not suite.ok


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("> 1", "> 100"),
        ("> 1", "< 100"),
        ("[5m]", "[1m:30s]) * 3 + sum by (job) (errors_total"),
        ("page", "ticket"),
        ("sum by (job)", "sum"),
    ],
)
def test_a_mutated_rule_makes_the_test_fail(old, new, good, tool):
    rules = good.with_name("rules.yml")
    assert old in rules.read_text()
    rules.write_text(rules.read_text().replace(old, new, 1))
    assert run_tests([good], tool).status == "failed"


def test_assertions_with_the_same_subject_and_time_are_told_apart(run_text):
    suite = run_text("""\
        rule_files: [rules.yml]
        tests:
        - interval: 30s
          input_series:
          - {series: 'errors_total{job="a"}', values: '0+60x40'}
          promql_expr_test:
          - {expr: 'job:errors:rate5m', eval_time: 10m, exp_samples: [{labels: 'job:errors:rate5m{job="a"}', value: 2}]}
          - {expr: 'job:errors:rate5m', eval_time: 600s, exp_samples: [{labels: 'job:errors:rate5m{job="zz"}', value: 2}]}
          - {expr: 'job:errors:rate5m', eval_time: 10m, exp_samples: []}
          - {expr: 'job:errors:rate5m', eval_time: 10m0s, exp_samples: [{labels: 'job:errors:rate5m{job="a"}', value: 2}]}
        """)
    (group,) = suite.groups
    assert [each.status for each in group.assertions] == ["passed", "failed", "failed", "passed"]
    assert (
        group.assertions[1].difference
        == 'job:errors:rate5m{job="zz"}: label job: expected `zz`, got `a`'
    )


def test_an_expression_that_cannot_be_computed_is_an_error(run_text):
    suite = run_text("""\
        rule_files: [rules.yml]
        tests:
        - promql_expr_test:
          - {expr: 'sum(', eval_time: 1m}
          - {expr: '"say \\\\ \\"it\\"', eval_time: 1m}
          - {expr: 'vector(1)', eval_time: 1m, exp_samples: [{labels: '{', value: 1}]}
          - {expr: 'vector(1)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}
        """)
    (group,) = suite.groups
    assert [each.status for each in group.assertions] == ["error", "error", "error", "passed"]
    assert group.assertions[0].difference == "1:5: parse error: unclosed left parenthesis"
    assert group.assertions[1].subject == '"say \\\\ \\"it\\"'
    assert not group.raw


def test_a_rule_that_fails_at_run_time_is_named_and_nothing_counts_as_passed(write, tool):
    rules = "groups: [{name: g, rules: [{record: 'a:b', expr: 'x * on () group_left () y'}]}]\n"
    write(rules, "bad.yml")
    path = write("""\
        rule_files: [bad.yml]
        tests:
        - input_series:
          - {series: 'x{i="1"}', values: '1x5'}
          - {series: 'y{i="1"}', values: '1x5'}
          - {series: 'y{i="2"}', values: '1x5'}
          promql_expr_test:
          - {expr: 'vector(1)', eval_time: 3m, exp_samples: [{labels: '{}', value: 1}]}
        """)
    (group,) = run_tests([path], tool).groups
    assert group.raw.startswith(
        "rule `a:b` failed at 0s: found duplicate series for the match group {}"
    )
    assert group.assertions[0].status == "error"
    assert group.assertions[0].difference.startswith("not evaluated: rule `a:b` failed at 0s")


def test_the_sample_limit_is_explained(write, tool):
    write(
        "groups: [{name: g, rules: [{record: 'a:b', expr: 'sum_over_time(x[30d])'}]}]\n", "long.yml"
    )
    path = write("""\
        rule_files: [long.yml]
        evaluation_interval: 30d
        tests:
        - interval: 1m
          input_series: [{series: 'x', values: '1x43200'}]
          promql_expr_test:
          - {expr: 'a:b', eval_time: 30d, exp_samples: []}
        - interval: 1m
          input_series: [{series: 'y', values: '1x43200'}]
          promql_expr_test:
          - {expr: 'sum_over_time(y[14d])', eval_time: 30d, exp_samples: []}
        """)
    rule, expr = run_tests([path], tool).groups
    tail = "use a longer `interval`, a shorter window or fewer series, or feed recorded series as input and test the rules that record them apart"
    assert rule.raw.splitlines()[1] == (
        "promtool reads at most 10,000 samples in one query and no flag changes that; its widest range holds "
        f"43201 samples of each series at an interval of 1m; {tail}"
    )
    assert "its widest range holds 20161 samples" in expr.assertions[0].difference
    assert expr.assertions[0].status == "error"


def test_a_rule_file_that_promtool_rejects_keeps_its_name_and_reason(write, tool):
    write("groups: [{name: g, rules: [{record: 'a:b', expr: 'sum('}]}]\n", "broken.yml")
    path = write("""\
        rule_files: [broken.yml]
        group_eval_order: [g]
        tests:
        - promql_expr_test:
          - {expr: 'vector(1)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}
        """)
    (group,) = run_tests([path], tool).groups
    assert group.status == "error"
    assert group.raw.startswith(
        f'{path.with_name("broken.yml")}: group "g", rule 1, "a:b": could not parse expression'
    )


def test_json_has_every_status_and_xml_a_case_for_every_assertion(good, write, tool):
    bad = write(good.read_text().replace("0+60x40", "0+0x40"), "b.promtest.yml")
    suite = run_tests([good, bad], tool)
    document = json.loads(as_json(suite))
    assert [file["status"] for file in document["files"]] == ["passed", "failed"]
    assert document["files"][1]["groups"][0]["assertions"][0]["difference"].startswith(
        "does not fire, but is expected"
    )
    root = ET.fromstring(junit_xml(suite))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("6", "2", "0")
    cases = root.findall("testsuite")[1].findall("testcase")
    assert [case.get("name") for case in cases] == [
        "alert High at 10m",
        "expr job:errors:rate5m at 10m",
        "alert High at 10m",
    ]
    assert float(cases[0].get("time") or 0) > 0
    failure = cases[0].find("failure")
    assert failure is not None
    assert failure.get("message") == 'does not fire, but is expected: {job="a", severity="page"}'
    text = as_text(suite)
    assert text.startswith("..F.\n")
    assert (
        f"{bad}:5: fires above: 2 of 2 assertions not passed\n  {bad}:10: alert High at 10m: failed\n"
        in text
    )
    assert "1 failed, 3 passed in " in text


def test_results_keep_the_order_of_files_and_groups_over_many_processes(good, write, tool):
    head, body = good.read_text().split("tests:\n")
    paths = []
    for number in range(7):
        groups = body.replace("fires above", f"f{number}").replace("quiet below", f"q{number}")
        paths.append(
            write(
                f"{head}tests:\n{groups if number % 2 else groups.replace('0+60', '0+0')}",
                f"{number}.promtest.yml",
            )
        )
    suite = run_tests(paths, tool, Options(jobs=2, batch=3))
    assert [file.path for file in suite.files] == paths
    assert [group.name for group in suite.groups] == [
        f"{kind}{n}" for n in range(7) for kind in "fq"
    ]
    assert [file.status for file in suite.files] == ["failed", "passed"] * 3 + ["failed"]


def test_groups_are_selected_by_their_names(good, tool):
    assert [g.name for g in run_tests([good], tool, Options(select="^quiet")).groups] == [
        "quiet below"
    ]
    assert not run_tests([good], tool, Options(select="nothing")).ok


def test_a_run_leaves_no_file_behind(good, tool, tmp_path, monkeypatch):
    monkeypatch.setattr("promtool.process._SHARED_MEMORY", tmp_path / "shm")
    (tmp_path / "shm").mkdir()
    assert run_tests([good], tool).ok
    assert list((tmp_path / "shm").iterdir()) == []
    assert sorted(path.name for path in Path(tmp_path).iterdir()) == [
        "a.promtest.yml",
        "rules.yml",
        "shm",
    ]


def test_an_expression_of_several_lines_is_recognised(run_text):
    suite = run_text("""\
        rule_files: [rules.yml]
        tests:
        - promql_expr_test:
          - {expr: 'vector(1)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}
          - expr: |
              vector(
              \t1)
            eval_time: 1m
            exp_samples: []
        """)
    (group,) = suite.groups
    assert [each.status for each in group.assertions] == ["passed", "failed"]
    assert not group.raw


def test_the_likeliest_pairs_are_compared(run_text):
    suite = run_text("""\
        rule_files: [rules.yml]
        tests:
        - input_series: [{series: 'x{a="1",b="1"}', values: '1x5'}]
          promql_expr_test:
          - expr: x
            eval_time: 1m
            exp_samples:
            - {labels: 'x{a="1",b="0"}', value: 1}
            - {labels: 'x{a="1",b="1"}', value: 5}
        """)
    assert suite.groups[0].assertions[0].difference == (
        'x{a="1", b="1"}: value: expected `5`, got `1`\nmissing sample: x{a="1", b="0"} 1'
    )
