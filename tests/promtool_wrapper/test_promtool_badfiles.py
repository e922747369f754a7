"""Bad test files, one mistake each, with the exact message."""

import pytest

from promtool import run_tests

HEAD = "rule_files: [rules.yml]\n"
ONE = "- promql_expr_test: [{expr: 'vector(1)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}]\n"

BAD = {
    "no match": (
        "rule_files:\n- rules.yml\n- gone/*.yml\ntests:\n" + ONE,
        "3: rule_files: no file matches `gone/*.yml`; correct the path, which is relative to this file",
    ),
    "no tests": (HEAD, "1: expected test groups under `tests`, got none; add one"),
    "empty tests": (
        HEAD + "tests: []\n",
        "1: expected test groups under `tests`, got none; add one",
    ),
    "no assertions": (
        HEAD + "tests:\n- name: idle\n  interval: 1m\n",
        "3: test group `idle`: expected assertions, got none; add `alert_rule_test` or `promql_expr_test`",
    ),
    "unknown alert": (
        HEAD + "tests:\n- alert_rule_test:\n  - {eval_time: 1m, alertname: Hihg, exp_alerts: []}\n",
        "4: expects no alert `Hihg`, but no loaded rule defines it, so this proves nothing; correct the name or load its rule file",
    ),
    "no expectation": (
        HEAD + "tests:\n- alert_rule_test:\n  - {eval_time: 1m, alertname: Hihg}\n",
        "4: expects no alert `Hihg`, but no loaded rule defines it, so this proves nothing; correct the name or load its rule file",
    ),
    "unordered alert": (
        HEAD
        + "group_eval_order: [base]\ntests:\n- alert_rule_test:\n  - {eval_time: 1m, alertname: High, exp_alerts: []}\n",
        "5: expects no alert `High`, but no loaded rule defines it, so this proves nothing; add its rule group `alerts` to `group_eval_order`",
    ),
    "unknown in ALERTS": (
        HEAD
        + 'tests:\n- promql_expr_test:\n  - expr: ALERTS{alertname="Hihg"}\n    eval_time: 1m\n    exp_samples: []\n',
        "4: expects no alert `Hihg`, but no loaded rule defines it, so this proves nothing; correct the name or load its rule file",
    ),
    "unknown group": (
        HEAD + "group_eval_order:\n- base\n- alert\ntests:\n" + ONE,
        "4: group_eval_order: no loaded rule file has a group `alert`; correct the name or load its file",
    ),
    "not yaml": (
        "tests: [\n",
        "2: not YAML: did not find expected node content; correct the syntax",
    ),
    "a list": ("- a\n", "1: expected a mapping with `tests`, got none; write one"),
    "empty": ("", "1: expected a mapping with `tests`, got none; write one"),
    "unknown need": (
        "# promtool needs: fast_cars\n" + HEAD + "tests:\n" + ONE,
        "1: `# promtool needs: fast_cars`: unknown; expected any of ",
    ),
}


@pytest.mark.parametrize(("text", "want"), BAD.values(), ids=BAD)
def test_a_test_that_proves_nothing_fails_with_its_place(text, want, write, tool):
    path = write(text)
    suite = run_tests([path], tool)
    problems = [*suite.files[0].problems, *(p for group in suite.groups for p in group.problems)]
    assert len(problems) == 1
    assert str(problems[0]).startswith(f"{path}:{want}")
    assert want.endswith(" ") or str(problems[0]) == f"{path}:{want}"
    assert suite.status == "error"
    assert not suite.ok


def test_a_file_that_is_not_there_or_not_text_is_said(tmp_path, tool):
    (tmp_path / "latin").write_bytes(b"tests: \xe9\n")
    suite = run_tests([tmp_path / "gone", tmp_path / "latin"], tool)
    assert [str(problem) for file in suite.files for problem in file.problems] == [
        f"{tmp_path}/gone:1: cannot read: No such file or directory; check the path",
        f"{tmp_path}/latin:1: expected UTF-8, got byte 0xe9 at offset 7; save the file as UTF-8",
    ]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (HEAD + "colour: red\ntests:\n" + ONE, "field colour not found"),
        (
            HEAD
            + "tests:\n- colour: red\n  promql_expr_test: [{expr: 'vector(1)', eval_time: 1m}]\n",
            "field colour not found",
        ),
        (
            HEAD
            + "tests:\n- interval: often\n  promql_expr_test: [{expr: 'vector(1)', eval_time: 1m}]\n",
            "not a valid duration string",
        ),
        (
            HEAD
            + "tests:\n- input_series: [{series: 'x', values: '1y1'}]\n  promql_expr_test: [{expr: 'vector(1)', eval_time: 1m}]\n",
            "parse error",
        ),
        (
            HEAD + "group_eval_order: [base, base]\ntests:\n" + ONE,
            "group name repeated in evaluation order: base",
        ),
    ],
)
def test_what_promtool_rejects_is_kept_in_its_own_words(text, want, run_text):
    (group,) = run_text(text).groups
    assert want in group.raw
    assert group.assertions[0].status == "error"


def test_an_alert_that_the_input_brings_may_be_absent_from_the_rules(run_text):
    assert run_text(
        HEAD
        + """\
tests:
- input_series: [{series: 'ALERTS{alertname="Foreign",x="1"}', values: '1x5'}]
  promql_expr_test:
  - {expr: 'ALERTS{alertname="Foreign",x="2"}', eval_time: 1m, exp_samples: []}
"""
    ).ok


def test_one_bad_group_does_not_hide_the_others(run_text):
    suite = run_text(
        HEAD + "tests:\n- interval: often\n" + ONE.replace("- ", "  ", 1) + ONE + "- name: idle\n"
    )
    assert [group.status for group in suite.groups] == ["error", "passed", "error"]
