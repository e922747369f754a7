"""Checks believe neither an exit code nor silence; backfill writes blocks or says why not."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from promtool import (
    History,
    ToolError,
    backfill_openmetrics,
    backfill_rules,
    check_config,
    check_rules,
    locate,
)

DUPLICATE = "groups: [{name: a, rules: [{record: 'a:c', expr: 'x'}, {record: 'a:c', expr: 'x'}]}]\n"
BROKEN = "groups:\n- name: a\n  rules:\n  - {record: 'a:b', expr: 'sum(x'}\n"


def test_good_rules_pass(good, tool):
    check = check_rules([good.with_name("rules.yml")], tool)
    assert (check.ok, check.findings) == (True, ())
    assert "SUCCESS: 3 rules found" in check.output


def test_every_finding_names_its_file(write, tool):
    duplicate, broken, fine = (
        write(DUPLICATE, "d.yml"),
        write(BROKEN, "b.yml"),
        write(BROKEN, "rules.yml").parent,
    )
    check = check_rules([duplicate, broken, fine / "[dx].yml"], tool)
    assert not check.ok
    lint = f"{duplicate}: lint error 1 duplicate rule(s) found.; Metric: a:c; Label(s):; Might cause inconsistency while recording expressions"
    assert check.findings[::2] == (lint, lint)
    assert re.fullmatch(
        re.escape(f"{broken}: ")
        + r'\d+:\d+: group "a", rule 1, "a:b": could not parse expression: 1:6: parse error: unclosed left parenthesis',
        check.findings[1],
    )


def test_without_lint_a_file_need_only_be_one_that_prometheus_loads(write, tool):
    duplicate, broken = write(DUPLICATE, "d.yml"), write(BROKEN, "b.yml")
    config = write("rule_files: [d.yml]\n", "prometheus.yml")
    assert not check_config(config, tool).ok
    assert check_rules([duplicate], tool, lint=False).ok
    assert check_config(config, tool, lint=False).ok
    assert not check_rules([duplicate, broken], tool, lint=False).ok


def test_a_path_without_files_is_a_finding(tmp_path, tool):
    assert check_rules([tmp_path / "*.yml"], tool).findings == (
        f"no file matches `{tmp_path}/*.yml`; correct the path",
    )
    assert check_rules([], tool).findings == ("expected rule files to check, got none; name some",)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("rule_files: [rules.yml]\n", ""),
        (
            "rule_files:\n- rules.yml\n- gone/*.yml\n",
            "{path}:3: rule_files: no file matches `gone/*.yml`; correct the path",
        ),
        (
            "rule_files: [gone.yml]\n",
            '{path}: "{folder}/gone.yml" does not point to an existing file',
        ),
        (
            "rule_files: [d.yml]\n",
            "{folder}/d.yml: lint error 1 duplicate rule(s) found.; Metric: a:c; Label(s):; Might cause inconsistency while recording expressions",
        ),
    ],
)
def test_a_configuration_is_checked_with_its_rules(text, finding, write, tool):
    write(DUPLICATE, "d.yml")
    path = write(text, "prometheus.yml")
    check = check_config(path, tool)
    assert check.findings == ((finding.format(path=path, folder=path.parent),) if finding else ())
    assert check.ok is not bool(finding)


@pytest.mark.parametrize(
    "body",
    [
        "echo '  FAILED:'; echo '    lint error'; exit 0",
        "echo '  WARNING: lint error'; exit 0",
        "echo lint error; exit 1",
        "echo lint error; exit 3",
    ],
)
def test_an_exit_code_that_lies_is_not_believed(body, good, fake):
    check = check_rules([good], locate(fake(body)))
    assert (check.ok, check.findings) == (False, ("lint error",))


def test_an_exit_code_that_means_nothing_is_an_error(good, fake):
    with pytest.raises(
        ToolError,
        match="`promtool check rules` ended with exit code 9: boom; check that the binary works",
    ):
        check_rules([good], locate(fake("echo boom; exit 9")))


def test_a_month_is_backfilled_into_one_block(write, tmp_path, tool):
    lines = "".join(f"x_total {i} {1_600_000_000 + 3600 * i}\n" for i in range(720))
    source = write(f"# TYPE x counter\n{lines}# EOF\n", "history.txt")
    (block,) = backfill_openmetrics(source, tmp_path / "data", tool)
    assert (block / "meta.json").is_file()
    short = backfill_openmetrics(
        source, tmp_path / "more", tool, max_block_duration=timedelta(days=2)
    )
    assert len(short) > 10


@pytest.mark.parametrize(
    ("text", "want"),
    [
        (
            "x 1 1600000000\n",
            "`promtool tsdb create-blocks-from openmetrics` failed: getting min and max timestamp: next: data does not end with # EOF; correct its input",
        ),
        ("# EOF\n", "`promtool tsdb create-blocks-from openmetrics` wrote no block: "),
    ],
)
def test_a_backfill_that_writes_nothing_is_an_error(text, want, write, tmp_path, tool):
    with pytest.raises(ToolError, match=re.escape(want)):
        backfill_openmetrics(write(text, "history.txt"), tmp_path / "data", tool)


START = datetime(2020, 9, 13, 12, 26, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("interval", "given", "seconds"),
    [
        ("", None, 660_000),
        ("interval: 10s, ", None, 110_000),
        ("interval: 5m, ", None, 660_000),
        ("interval: 10s, ", timedelta(days=3), 259_200),
    ],
    ids=["the history's interval", "a group is more often", "a group is less often", "as told"],
)
def test_rules_are_backfilled_with_times_in_seconds(interval, given, seconds, fake, tmp_path):
    path = fake(
        f'echo "$@" > "{tmp_path}/argv"; mkdir -p "{tmp_path}/data/01"; echo > "{tmp_path}/data/01/meta.json"'
    )
    rules = tmp_path / "r.yml"
    rules.write_text(f"groups: [{{name: a, {interval}rules: []}}, {{name: b, rules: []}}]\n")
    history = History(url="http://127.0.0.1:9090", start=START, end=START + timedelta(hours=1))
    assert backfill_rules(
        [rules], tmp_path / "data", history, locate(path), max_block_duration=given
    ) == (tmp_path / "data/01",)
    assert (tmp_path / "argv").read_text() == (
        f"tsdb create-blocks-from rules --max-block-duration={seconds}s "
        "--start=1600000000.000 --end=1600003600.000 --eval-interval=60s "
        f"--url=http://127.0.0.1:9090 --output-dir={tmp_path}/data {rules}\n"
    )


def test_a_history_runs_forward(tool, tmp_path):
    history = History(url="x", start=START, end=START)
    with pytest.raises(ToolError, match=r"expected a start before the end, got .*; swap them"):
        backfill_rules(["r.yml"], tmp_path, history, tool)


def test_every_strict_flag_is_given(good, fake, tmp_path):
    path = locate(fake(f'echo "$@" >> "{tmp_path}/argv"'))
    check_rules([good], path)
    check_config(good, path)
    assert (tmp_path / "argv").read_text().splitlines() == [
        f"check rules --lint=all --lint-fatal {good}",
        f"check config --lint=all --lint-fatal {good}",
    ]
