import json
import re
import shutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats_project import PROJECT, load, repository
from tests.mixins_project import build as built
from tests.mixins_project import repository as started
from tests.test_formats_import import meaning

from promtool import check_rules
from sloforge import specs
from sloforge.artifacts import NUMBER
from sloforge.formats.commands import export_command
from sloforge.formats.exporting import EXPORTS, export
from sloforge.specs.pyrra import TIERS

ROOT = Path(__file__).parent.parent

NAMES = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5})?", fullmatch=True).filter(
    lambda name: name not in ("common", "fleet", "incident")
)
WORDS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=20
)
# PyYAML, which writes the specs here, leaves the quotes out around what YAML 1.2 reads as a number.
WORDS = WORDS.map(str.strip).filter(
    lambda text: text and "{{" not in text and "}}" not in text and not NUMBER.fullmatch(text)
)
OBJECTIVES = st.sampled_from(["99", "99.5", "99.9", "99.95", "99.99", "95"])
METRICS = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
VALUES = st.from_regex(r'[a-z0-9/ "\\.:äé-]{1,8}', fullmatch=True)


@st.composite
def counters(draw):
    """All events, and the bad or the good ones by one more label."""
    name, job = draw(METRICS) + "_total", draw(st.sampled_from(["", 'job="shop"', 'zone!="x"']))
    more = f"state={json.dumps(draw(VALUES), ensure_ascii=False)}"
    part = name + "{" + ",".join(filter(None, (job, more))) + "}"
    return {
        "total": name + (f"{{{job}}}" if job else ""),
        draw(st.sampled_from(["bad", "good"])): part,
    }


@st.composite
def latencies(draw):
    name, bound = draw(METRICS) + "_seconds", draw(st.sampled_from(["0.25", "1", "2.5", "0.00005"]))
    return {"histogram": name, "threshold": bound}


@st.composite
def slos(draw, /, name, **fixed):
    kind = draw(st.sampled_from(["ratio", "latency"]))
    sli = draw(counters() if kind == "ratio" else latencies())
    if "threshold" in sli:
        sli["threshold"] = yaml.safe_load(sli["threshold"])
    found = {"name": name, "objective": yaml.safe_load(draw(OBJECTIVES)), "sli": {kind: sli}}
    if draw(st.booleans()):
        found["description"] = draw(WORDS)
    return found | {"alerting": {"runbook": "{slo}"} | fixed.pop("alerting", {})} | fixed


def service(draw, listed):
    head = {
        "version": "sloforge/v1",
        "service": draw(NAMES),
        "owner": draw(st.sampled_from(["web", "store"])),
    }
    return head | {"slos": listed}


def unique(draw):
    return sorted(draw(st.sets(NAMES, min_size=1, max_size=3)))


@st.composite
def for_sloth(draw):
    listed = []
    for name in unique(draw):
        alerting: dict[str, Any] = {"burns": "four-windows"}
        if draw(st.booleans()):
            alerting["labels"] = {"area": draw(WORDS)}
        if draw(st.booleans()):
            alerting["annotations"] = {"hint": draw(WORDS)}
        if draw(st.booleans()):
            alerting["page"] = {"labels": {"key": draw(WORDS)}, "annotations": {"hint": "hurry"}}
        if draw(st.booleans()):
            alerting["disable"] = ["steady-burn", "very-slow-burn"]
        burns = ["fast-burn", "slow-burn"]
        if "disable" not in alerting:
            burns += ["steady-burn", "very-slow-burn"]
        words = {b: "".join(w.capitalize() for w in b.split("-")) for b in burns}
        alerting["names"] = {burn: f"Shop{word}" for burn, word in words.items()}
        listed.append(draw(slos(name, alerting=alerting)))
        for one in alerting["names"]:
            alerting["names"][one] = f"Shop{name.title().replace('-', '')}{words[one]}"
    return service(draw, listed) | {"tier": draw(st.integers(1, 5))}


@st.composite
def for_openslo(draw):
    listed = []
    for name in unique(draw):
        burns = [
            {"name": "quick", "severity": "page", "long": "1h", "short": "5m", "factor": 14.4},
            {
                "name": "slow",
                "severity": "ticket",
                "long": "3d",
                "short": "6h",
                "factor": 1,
                "for": "5m",
            },
        ]
        listed.append(
            draw(
                slos(name, window=draw(st.sampled_from(["28d", "30d"])), alerting={"burns": burns})
            )
        )
    return service(draw, listed) | {"description": draw(WORDS)}


@st.composite
def for_pyrra(draw):
    listed = []
    burns = [
        {"name": t.name, "severity": s, "long": lo, "short": sh, "factor": t.factor, "for": w}
        for t, (s, lo, sh, w) in zip(
            TIERS,
            [
                ("page", "1h", "5m", "2m"),
                ("page", "6h", "30m", "15m"),
                ("ticket", "1d", "2h", "1h"),
                ("ticket", "4d", "6h", "3h"),
            ],
            strict=True,
        )
    ]
    for name in unique(draw):
        more = {"by": ["region"]} if draw(st.booleans()) else {}
        labels = {"labels": {"area": draw(WORDS)}} if draw(st.booleans()) else {}
        one = draw(slos(name, window="28d", alerting={"burns": burns} | labels, **more))
        if one["objective"] == 95:
            one["objective"] = 99
        listed.append(one)
    return service(draw, listed)


STRATEGIES = {"sloth": for_sloth(), "openslo": for_openslo(), "pyrra": for_pyrra()}


def there_and_back(root: Path, form: str, spec):
    there = repository(root / "there", spec=yaml.safe_dump(spec, allow_unicode=True))
    # What the service has as its job is worked out from its selectors.
    before = load(there)
    exported = export(before, form)
    here = repository(root / "here", spec="")
    (here / "slos" / "spec.yaml").unlink()
    for one in exported.files:
        (here / "slos" / one.path).write_text(one.text)
    after = load(here)
    for one in exported.files:
        (here / "slos" / one.path).unlink()
    return before, after, exported.lost


def without_job(found):
    return [(name, owner, tier, fields) for name, owner, _, tier, fields in found]


@pytest.mark.parametrize("form", STRATEGIES)
def test_what_a_format_can_carry_comes_back_as_it_was(form, tmp_path_factory):
    root = tmp_path_factory.mktemp(form)

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STRATEGIES[form])
    def check(spec):
        before, after, lost = there_and_back(root, form, spec)
        assert without_job(meaning(after)) == without_job(meaning(before))
        assert lost == ()

    check()


LOSSY = """\
version: sloforge/v1
service: shop
owner: web
tier: 1
links: {logs: https://logs.example.org}
slos:
- name: answers
  rationale: Because.
  grounding: guess
  objective: 99.9
  window: 90d
  by: [region]
  sli: {ratio: {total: all_total, bad: bad_total}}
  alerting: {min_errors: 9, runbook: other, names: {fast-burn: Own}}
- name: p95
  sli: {quantile: {histogram: took_seconds, quantile: 0.95, threshold: 500ms}}
"""
LOST = {
    "sloth": [
        "`links`",
        "`rationale`",
        "`grounding`",
        "`min_errors`",
        "`runbook`",
        "`by`",
        "`window`",
        "`burns`",
        "`names`",
        "is left out",
    ],
    "openslo": [
        "`tier`",
        "`links`",
        "`rationale`",
        "`grounding`",
        "`min_errors`",
        "`runbook`",
        "`names`",
        "`by`",
        "is left out",
    ],
    "pyrra": [
        "`tier`",
        "`links`",
        "`rationale`",
        "`grounding`",
        "`min_errors`",
        "`runbook`",
        "`burns`",
        "`names`",
        "is left out",
    ],
}


@pytest.mark.parametrize("form", LOST)
def test_what_a_format_cannot_carry_is_told(form, tmp_path):
    found = [str(one) for one in export(load(repository(tmp_path, shop=LOSSY)), form).lost]
    for word in LOST[form]:
        assert any(word in line for line in found), (word, found)


# What the CustomResourceDefinition of prometheus-operator 0.92 demands of `spec.groups`.
DURATION = {
    "type": "string",
    "pattern": r"^(0|(([0-9]+)y)?(([0-9]+)w)?(([0-9]+)d)?(([0-9]+)h)?(([0-9]+)m)?(([0-9]+)s)?(([0-9]+)ms)?)$",
}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
RULE = {
    "type": "object",
    "required": ["expr"],
    "additionalProperties": False,
    "properties": {
        "alert": {"type": "string"},
        "record": {"type": "string"},
        "expr": {"type": ["string", "integer"]},
        "for": DURATION,
        "keep_firing_for": DURATION | {"minLength": 1},
        "labels": TEXTS,
        "annotations": TEXTS,
    },
}
GROUP = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "interval": DURATION,
        "query_offset": DURATION,
        "limit": {"type": "integer"},
        "labels": TEXTS,
        "rules": {"type": "array", "items": RULE},
    },
}
OBJECT_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"


def named(groups: Any) -> list[str]:
    return sorted(
        rule.get("alert") or rule["record"] for group in groups for rule in group["rules"]
    )


def test_the_operators_objects_hold_all_rules_and_the_api_server_takes_them(tmp_path):
    project = specs.load(ROOT)
    found = [yaml.safe_load(one.text) for one in export(project, "operator").files]
    for one in found:
        assert (one["apiVersion"], one["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
        assert re.fullmatch(OBJECT_NAME, one["metadata"]["name"])
        jsonschema.validate(one["spec"]["groups"], {"type": "array", "items": GROUP})
        names = [group["name"] for group in one["spec"]["groups"]]
        assert len(names) == len(set(names))
    written = [*(ROOT / "recording").glob("*.yml"), *(ROOT / "rules").glob("*.yml")]
    wanted = named(g for path in written for g in yaml.safe_load(path.read_text())["groups"])
    assert named(group for one in found for group in one["spec"]["groups"]) == wanted
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [g for one in found for g in one["spec"]["groups"]]}))
    assert check_rules([file]).ok


def test_a_mixin_is_an_object_of_its_own_and_a_second_group_of_a_name_another_one(tmp_path):
    root = repository(tmp_path)
    (root / "mixins").mkdir()
    alert = {"name": "g", "rules": [{"alert": "A", "expr": 1, "for": 0}]}
    recording = {"name": "g", "rules": [{"record": "a:b", "expr": "up"}]}
    kinds = {"prometheusAlerts": {"groups": [alert]}, "prometheusRules": {"groups": [recording]}}
    (root / "mixins" / "both.jsonnet").write_text(json.dumps(kinds))
    files = {one.path: yaml.safe_load(one.text) for one in export(load(root), "operator").files}
    assert list(files) == ["mixins.both.yaml", "mixins.both.2.yaml", "watchdog.yaml"]
    groups = [files[path]["spec"]["groups"] for path in list(files)[:2]]
    assert [named(one) for one in groups] == [["a:b"], ["A"]]
    jsonschema.validate(groups[1][0], GROUP)


def test_a_mixin_hands_on_what_the_build_has_written_through_both_engines(tmp_path):
    rjsonnet = pytest.importorskip("rjsonnet")
    reference = pytest.importorskip("_jsonnet")
    root = started(tmp_path)
    result = CliRunner().invoke(export_command, ["mixin"], obj=root, catch_exceptions=False)
    assert result.output == (
        f"write {root / 'mixin.libsonnet'}\n"
        "lost mixins/cache.jsonnet: cache: is left out: whoever imports this file imports that "
        "mixin beside it\n"
    )
    fields = ("prometheusRules", "prometheusAlerts", "grafanaDashboards")
    asked = f"local m = import 'mixin.libsonnet'; {{ {', '.join(f'{f}: m.{f}' for f in fields)} }}"
    (root / "ask.jsonnet").write_text(asked)
    built(root)
    ours = json.loads(rjsonnet.evaluate_file(str(root / "ask.jsonnet")))
    assert ours == json.loads(reference.evaluate_file(str(root / "ask.jsonnet")))
    for key, folder in zip(fields, ("recording", "rules"), strict=False):
        files = [yaml.safe_load(path.read_text()) for path in (root / folder).glob("*.yml")]
        assert named(ours[key]["groups"]) == named(g for one in files for g in one["groups"])
        rendered = root / f"{key}.yml"
        rendered.write_text(yaml.safe_dump(ours[key]))
        assert check_rules([rendered]).ok
    boards = {path.name: json.loads(path.read_text()) for path in root.glob("dashboards/*.json")}
    assert ours["grafanaDashboards"] == boards


def test_a_mixin_file_is_kept_up_to_date_once_it_is_there_and_ours(tmp_path):
    root = started(tmp_path)
    assert "create mixin.libsonnet" not in built(root)
    CliRunner().invoke(export_command, ["mixin"], obj=root, catch_exceptions=False)
    assert built(root) == []
    text = (root / "slos/checkout.yaml").read_text()
    (root / "slos/cart.yaml").write_text(text.replace("service: checkout", "service: cart"))
    shutil.copytree(root / "runbooks/checkout", root / "runbooks/cart")
    assert "update mixin.libsonnet" in built(root)
    assert "importstr 'rules/cart.yml'" in (root / "mixin.libsonnet").read_text()
    (root / "mixin.libsonnet").write_text("{ mine: 1 }")
    assert built(root) == []


def test_a_file_is_written_for_each_service(tmp_path):
    root = repository(tmp_path, PROJECT, shop=LOSSY)
    result = CliRunner().invoke(export_command, ["openslo"], obj=root, catch_exceptions=False)
    assert f"write {root / 'export' / 'openslo' / 'shop.yaml'}" in result.output
    assert "lost slos/shop.yaml:7:3: shop/answers: `rationale` has no counterpart" in result.output
    assert sorted(EXPORTS) == ["mixin", "openslo", "operator", "pyrra", "sloth"]
