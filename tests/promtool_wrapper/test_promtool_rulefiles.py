"""Only the rule groups that a test orders are loaded, and they mean what they meant."""

from promtool import Options, run_tests
from promtool.rulefiles import RuleCache, parse, trimmed_text

ODD = """\
groups:
- name: kept
  interval: 1m
  rules:
  - alert: Odd
    expr: &shared vector(1) == bool 1
    for: 0s
    labels: {yes: 'yes', a: yes, b: 012, c: 1_000, d: 12:30:45, e: 2020-01-01, f: ~, g: "1", h: 1e3, i: ‘ü’}
    annotations:
      text: |
        two
          lines # not a comment
      folded: >-
        one
        line
- name: dropped
  rules: [{record: 'x:y', expr: *shared}]
- name: aliased
  rules: [{record: 'x:z', expr: *shared}]
"""


def test_trimmed_rules_mean_what_the_whole_file_means(write, tool):
    rules = write(ODD, "odd.yml")
    test = """\
        rule_files: [odd.yml]
        group_eval_order: [kept, aliased]
        tests:
        - alert_rule_test: [{eval_time: 1m, alertname: Odd, exp_alerts: [{exp_labels: {none: none}}]}]
        """
    path = write(test)
    trimmed, whole = (
        run_tests([path], tool, Options(only_ordered_groups=each)).groups[0].assertions[0].got
        for each in (True, False)
    )
    assert trimmed == whole
    assert all(
        part in trimmed
        for part in (
            'a="yes"',
            'b="012"',
            'c="1_000"',
            'd="12:30:45"',
            'i="‘ü’"',
            r"two\n  lines # not",
        )
    )
    text = trimmed_text(parse(rules), ("kept", "aliased"))
    assert "dropped" not in text
    assert "x:z" in text


def test_left_out_groups_are_not_loaded_unless_asked_for(write, tool):
    path = write("""\
        rule_files: [rules.yml]
        group_eval_order: [base]
        tests:
        - promql_expr_test:
          - {expr: 'count(ALERTS)', eval_time: 1m, exp_samples: []}
        """)
    assert run_tests([path], tool).ok
    assert not run_tests([path], tool, Options(only_ordered_groups=False)).ok


def test_a_file_without_an_order_loads_everything(write, tool):
    path = write("""\
        rule_files: [rules.yml]
        tests:
        - promql_expr_test:
          - {expr: 'count(ALERTS)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}
        """)
    assert run_tests([path], tool).ok


def test_a_rule_file_is_parsed_once_until_it_changes(write, monkeypatch):
    path = write(ODD, "odd.yml")
    calls = []

    def counted(found):
        calls.append(found)
        return parse(found)

    monkeypatch.setattr("promtool.rulefiles.parse", counted)
    cache = RuleCache(limit=1)
    assert cache.read(path) is cache.read(path)
    assert len(calls) == 1
    path.write_text(ODD + "# longer\n", encoding="utf-8")
    assert cache.read(path).groups[0].alerts == {"Odd"}
    assert len(calls) == 2


def test_paths_and_patterns_are_relative_to_the_test_file(write, tool):
    write(
        "groups: [{name: g, rules: [{record: 'a:b', expr: 'vector(7)'}]}]\n", "rules [1]/one*.yml"
    )
    path = write(
        """\
        rule_files: ['../rules ?1?/*.yml', ../rules.yml]
        group_eval_order: [g]
        tests:
        - promql_expr_test:
          - {expr: 'a:b', eval_time: 1m, exp_samples: [{labels: 'a:b', value: 7}]}
        """,
        "sub/a.promtest.yml",
    )
    for each in (True, False):
        suite = run_tests([path], tool, Options(only_ordered_groups=each))
        assert suite.ok, suite


def test_the_pure_python_reader_gives_the_same_as_libyaml(write, monkeypatch):
    import yaml

    from promtool import nodes

    path = write(ODD, "odd.yml")
    quick = parse(path)
    monkeypatch.setattr(nodes, "_LOADER", yaml.SafeLoader)
    monkeypatch.setattr(nodes, "_DUMPER", yaml.SafeDumper)
    slow = parse(path)
    assert [(g.name, g.alerts, g.exprs) for g in slow.groups] == [
        (g.name, g.alerts, g.exprs) for g in quick.groups
    ]
    assert yaml.safe_load(trimmed_text(slow, ("kept",))) == yaml.safe_load(
        trimmed_text(quick, ("kept",))
    )


def test_merge_keys_and_aliases_of_a_test_file_are_followed(write, tool):
    suite = run_tests(
        [
            write("""\
        rule_files: [rules.yml]
        tests:
        - &one
          name: one
          interval: 1m
          promql_expr_test: &asserts
          - {expr: 'vector(1)', eval_time: 1m, exp_samples: [{labels: '{}', value: 1}]}
        - <<: *one
          name: two
        - {name: three, promql_expr_test: *asserts}
        """)
        ],
        tool,
    )
    assert [(group.name, group.status, len(group.assertions)) for group in suite.groups] == [
        ("one", "passed", 1),
        ("two", "passed", 1),
        ("three", "passed", 1),
    ]
