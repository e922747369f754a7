"""Files for the tests of the promtool wrapper, written into a temporary folder."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from promtool import Promtool, Suite, locate, run_tests

SOURCE_ROOT = Path(__file__).resolve().parents[2] / "generators"

RULES = """\
groups:
- name: base
  rules:
  - record: job:errors:rate5m
    expr: sum by (job) (rate(errors_total[5m]))
- name: alerts
  rules:
  - alert: High
    expr: job:errors:rate5m > 1
    labels: {severity: page}
    annotations: {summary: 'errors: {{ $value }} a second'}
- name: other
  rules:
  - alert: Other
    expr: vector(1)
"""

TEST = """\
rule_files: [rules.yml]
evaluation_interval: 1m
group_eval_order: [base, alerts]
tests:
- name: fires above
  interval: 30s
  input_series:
  - {series: 'errors_total{job="a"}', values: '0+60x40'}
  alert_rule_test:
  - eval_time: 10m
    alertname: High
    exp_alerts:
    - exp_labels: {job: a, severity: page}
      exp_annotations: {summary: 'errors: 2 a second'}
  promql_expr_test:
  - expr: job:errors:rate5m
    eval_time: 10m
    exp_samples:
    - {labels: 'job:errors:rate5m{job="a"}', value: 2}
- name: quiet below
  interval: 30s
  input_series:
  - {series: 'errors_total{job="a"}', values: '0+15x40'}
  alert_rule_test:
  - eval_time: 10m
    alertname: High
    exp_alerts: []
"""

Write = Callable[..., Path]


@pytest.fixture(scope="session")
def tool() -> Promtool:
    return locate()


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write `name` into the test's folder, beside the rules, and return its path."""
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")

    def _write(text: str, name: str = "a.promtest.yml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return _write


@pytest.fixture
def good(write: Write) -> Path:
    return write(TEST)


@pytest.fixture
def run_text(write: Write, tool: Promtool) -> Callable[[str], Suite]:
    """Run the text of one test file."""
    return lambda text: run_tests([write(text)], tool)


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run Python in the test's folder with the wrapper on its path."""

    def _python(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(SOURCE_ROOT), **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return _python


@pytest.fixture
def fake(tmp_path: Path) -> Callable[[str], Path]:
    """Write a shell script that tells the version 2.42.0 and does `body` on anything else."""

    def _fake(body: str, version: str = "promtool, version 2.42.0") -> Path:
        path = tmp_path / "fake-promtool"
        path.write_text(
            f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{version}"; exit 0; fi\n{body}\n',
            encoding="utf-8",
        )
        path.chmod(0o755)
        return path

    return _fake
