import dataclasses
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tests.formats_project import SPECS, load, repository

from promtool import locate
from sloforge.errors import Problem
from sloforge.formats import importing, telling, verify
from sloforge.formats.commands import import_command

CART = SPECS / "sloth" / "good" / "events.yaml"


def run(root: Path, *arguments: object):
    words = [str(one) for one in arguments]
    return CliRunner().invoke(import_command, words, obj=root, catch_exceptions=False)


def test_a_file_is_written_for_each_service_with_its_comments(tmp_path):
    repository(tmp_path)
    result = run(tmp_path, CART)
    assert result.exit_code == 0
    text = (tmp_path / "slos" / "cart.yaml").read_text()
    assert text.startswith("# Carts, as Sloth has them.\nversion: sloforge/v1\nservice: cart\n")
    assert "slos:\n# One in a thousand may fail.\n- name: answers\n" in text
    assert "# slow ones, as all without the quick ones" in text
    assert yaml.safe_load(text)["slos"][1]["sli"] == {
        "latency": {"histogram": 'cart_request_seconds{job="cart"}', "threshold": 0.25}
    }


@pytest.mark.parametrize("tool", ["sloth", "pyrra", "openslo"])
def test_what_is_imported_means_what_the_reader_says(tool, tmp_path):
    """The same model from the file itself and from the native file that is made of it."""
    for path in sorted((SPECS / tool / "good").glob("*.yaml")):
        there = repository(tmp_path / f"{path.stem}-there")
        (there / "slos" / path.name).write_text(path.read_text())
        here = repository(tmp_path / f"{path.stem}-here")
        importing.write(here / "slos", importing.convert(here, [path]))
        assert meaning(load(here)) == meaning(load(there))


def meaning(project):
    """All but the places, and the order of files."""
    found = []
    for service in project.services:
        for slo in service.slos:
            fields = {f: getattr(slo, f) for f in slo.__slots__ if f != "source"}
            found.append((service.name, service.owner, service.job, service.tier, fields))
    return found


def test_what_is_lost_and_what_changes_is_told_slo_by_slo(tmp_path):
    repository(tmp_path)
    found = importing.convert(tmp_path, [SPECS / "sloth" / "bad" / "plugin.yaml"])
    lines = list(telling.notes(found))
    assert lines[:2] == ["ingress/own (not imported)", "  lost " + lines[1].split("lost ", 1)[1]]
    assert "ingress/answers" in lines
    assert [line.split()[0] for line in lines].count("lost") == 3
    assert any("slos[0].sli.plugin.id: the plugin `sloth-common" in line for line in lines)
    assert any("slos[0].alerting.name: each burn is an alert of its own" in line for line in lines)


def test_an_slo_that_comes_to_nothing_is_told(tmp_path):
    repository(tmp_path)
    found = importing.convert(tmp_path, [SPECS / "openslo" / "bad" / "lost.yaml"])
    assert found.dropped == ("search/month", "search/elsewhere")
    assert "search/elsewhere (not imported)" in list(telling.notes(found))


def test_nothing_is_written_over(tmp_path):
    root = repository(tmp_path, cart="mine")
    with pytest.raises(Problem, match=r"cart\.yaml is there already, and nothing was written"):
        run(root, CART)
    assert (root / "slos" / "cart.yaml").read_text() == "mine"


def test_a_project_file_is_needed(tmp_path):
    with pytest.raises(Problem, match=r"slos/project\.yaml is missing"):
        run(tmp_path, CART)


def test_printing_writes_nothing(tmp_path):
    repository(tmp_path)
    result = run(tmp_path, "--print", CART)
    assert "service: cart" in result.output
    assert not (tmp_path / "slos" / "cart.yaml").exists()


ONE = """\
version: prometheus/v1
service: shop
slos:
- name: answers
  objective: 99.9
  sli: {events: {error_query: 'sum(rate(hits_total{code="500"}[{{.window}}]))', total_query: 'sum(rate(hits_total[{{.window}}]))'}}
  alerting: {ticket_alert: {disable: true}}
"""


def test_the_error_ratios_of_both_tools_are_compared_in_promtool(tmp_path):
    root = repository(tmp_path)
    (tmp_path / "shop.yml").write_text(ONE)
    found = importing.convert(root, [tmp_path / "shop.yml"])
    compared = verify.compare(found)
    assert [str(one.window) for one in compared] == [
        "0:05:00",
        "0:30:00",
        "1:00:00",
        "6:00:00",
        "1 day, 0:00:00",
    ]
    assert all(one.difference is not None and one.difference < 0.01 for one in compared)
    # A wrong translation shows.
    broken = {
        (
            "shop",
            "answers",
        ): 'sum(rate(hits_total{code!="500"}[$window])) / sum(rate(hits_total[$window]))'
    }
    wrong = importing.Imported(project=found.project, texts={}, notes=(), dropped=(), ratios=broken)
    assert all(one.difference is not None and one.difference > 0.5 for one in verify.compare(wrong))
    assert telling.comparison(compared).splitlines()[1].startswith("shop/answers      5m  ")


OPENSLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: NAME}
spec:
  service: NAME
  indicator: {metadata: {name: NAME}, spec: SPEC}
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99MORE}]
  alertPolicies:
  - kind: AlertPolicy
    metadata: {name: quick}
    spec:
      alertWhenBreaching: true
      conditions:
      - kind: AlertCondition
        metadata: {name: quick}
        spec: {severity: page, condition: {kind: burnrate, op: gt, threshold: 14, lookbackWindow: 1h}}
      notificationTargets: []
"""
METRIC = "{metricSource: {type: Prometheus, spec: {query: 'QUERY'}}}"
KINDS = {
    "queue": ("{thresholdMetric: " + METRIC.replace("QUERY", "waiting") + "}", ", op: lte, value: 5"),
    "quick": (
        "{ratioMetric: {counter: true, good: "
        + METRIC.replace("QUERY", 'took_seconds_bucket{le="0.5"}')
        + ", total: "
        + METRIC.replace("QUERY", "took_seconds_count")
        + "}}",
        "",
    ),
    "recorded": ("{ratioMetric: {rawType: failure, raw: " + METRIC.replace("QUERY", "share") + "}}", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_openslos_own_words_are_compared_with_what_becomes_of_them(name, tmp_path):
    spec, more = KINDS[name]
    root = repository(tmp_path)
    text = OPENSLO.replace("NAME", name).replace("SPEC", spec).replace("MORE", more)
    (tmp_path / "old.yaml").write_text(text)
    found = importing.convert(root, [tmp_path / "old.yaml"])
    compared = {
        str(one.window): float("nan" if one.difference is None else one.difference)
        for one in verify.compare(found)
    }
    assert list(compared) == ["0:05:00", "1:00:00", "1 day, 0:00:00"]
    assert all(value >= 0 for value in compared.values())
    exact = 0.05 if name == "recorded" else 1e-9
    assert compared["0:05:00"] < exact
    assert compared["1:00:00"] < exact
    # The other way round is as wrong as can be.
    (key,) = found.ratios
    wrong = dataclasses.replace(found, ratios={key: f"1 - ({found.ratios[key]})"})
    assert all(one.difference is not None and one.difference > 0.3 for one in verify.compare(wrong))


def test_native_histograms_are_compared_where_promtool_has_a_notation(tmp_path):
    found = importing.convert(repository(tmp_path), [SPECS / "pyrra" / "good" / "native.yaml"])
    compared = verify.compare(found)
    assert len(compared) > 1
    if locate().can("native_histograms"):
        assert all(one.difference is not None and one.difference < 0.001 for one in compared)
    else:
        assert {one.reason for one in compared} == {
            "this promtool is too old for native histograms: take 2.47 or newer"
        }
