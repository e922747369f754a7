"""What is wrong with a mixin is told with its place, all at once, and nothing is built."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mixins_project import PROGRAM, foreign, load, put, repository

from sloforge import checks
from sloforge.checks.dashboards.foreign import foreign_findings
from sloforge.errors import Location, SpecProblem
from sloforge.specs.boards import Boards


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    return repository(tmp_path_factory.mktemp("root"), cache=False)


@pytest.fixture
def root(started):
    """One repository for all, without mixins and with its settings as they were."""
    import shutil

    before = (started / "slos/project.yaml").read_text()
    yield started
    shutil.rmtree(started / "mixins", ignore_errors=True)
    shutil.rmtree(started / "vendor", ignore_errors=True)
    (started / "slos/project.yaml").write_text(before)


def refused(root: Path) -> list[str]:
    with pytest.raises(SpecProblem) as caught:
        load(root)
    return str(caught.value).splitlines()


def alerts(*groups: object) -> str:
    return f"{{ prometheusAlerts+:: {{ groups+: {json.dumps(groups)} }} }}"


def boards(**named: object) -> str:
    return f"{{ grafanaDashboards+:: {json.dumps(named)} }}"


RULE = {"alert": "A", "expr": "up < 1"}
NAMED = {"title": "T"}
AT = "mixins/a.jsonnet: "
PROGRAMS = {
    "no-mixin": (
        "{ alerts: [] }",
        "expected a mixin with one of prometheusAlerts, prometheusRules, grafanaDashboards, got none of them; add an imported mixin: `(import '...') + {...}`",
    ),
    "a-list": (
        "[]",
        "expected a mixin with one of prometheusAlerts, prometheusRules, grafanaDashboards, got none of them; add an imported mixin: `(import '...') + {...}`",
    ),
    "no-groups": (
        "{ prometheusAlerts: {} }",
        "prometheusAlerts.groups: expected a list of rule groups, got nothing",
    ),
    "groups-by-name": (
        "{ prometheusRules: { groups: { a: 1 } } }",
        "prometheusRules.groups: expected a list of rule groups, got a mapping",
    ),
    "group-without-name": (
        alerts({"rules": []}),
        "prometheusAlerts.groups[0].name: expected the name of a rule group, got nothing",
    ),
    "group-without-rules": (
        alerts({"name": "a"}),
        "prometheusAlerts.groups[0].rules: expected a list of rules, got nothing",
    ),
    "group-twice": (
        alerts({"name": "a", "rules": []}, {"name": "a", "rules": []}),
        "prometheusAlerts.groups[1].name: the group `a` is there twice, and Prometheus refuses that; rename or remove one of them",
    ),
    "a-rule-is-text": (
        alerts({"name": "a", "rules": ["x"]}),
        "prometheusAlerts.groups[0].rules[0]: expected a rule, got `x`",
    ),
    "neither-alert-nor-record": (
        alerts({"name": "a", "rules": [{"expr": "up"}]}),
        "prometheusAlerts.groups[0].rules[0]: expected one of `alert` and `record`",
    ),
    "alert-and-record": (
        alerts({"name": "a", "rules": [RULE | {"record": "r"}]}),
        "prometheusAlerts.groups[0].rules[0]: expected one of `alert` and `record`",
    ),
    "no-expression": (
        alerts({"name": "a", "rules": [{"alert": "A"}]}),
        "prometheusAlerts.groups[0].rules[0].expr: expected text, got nothing",
    ),
    "labels-as-a-list": (
        alerts({"name": "a", "rules": [RULE | {"labels": ["x"]}]}),
        "prometheusAlerts.groups[0].rules[0].labels: expected a mapping of texts, got a list",
    ),
    "a-label-of-labels": (
        alerts({"name": "a", "rules": [RULE | {"labels": {"a": {"b": "c"}}}]}),
        "prometheusAlerts.groups[0].rules[0].labels.a: expected text, got a mapping",
    ),
    "dashboards-as-a-list": (
        "{ grafanaDashboards: [] }",
        "grafanaDashboards: expected dashboards by file name, got a list",
    ),
    "a-path-as-file-name": (
        boards(**{"../../x.json": NAMED}),
        "grafanaDashboards['../../x.json']: expected a file name of letters, digits, spaces and `._-`; rename it",
    ),
    "a-dashboard-is-text": (
        boards(a="x"),
        "grafanaDashboards['a']: expected a dashboard, got a single value",
    ),
    "no-title": (boards(a={"uid": "x"}), "grafanaDashboards['a']: expected a title, got nothing"),
    "a-schema-of-kubernetes": (
        boards(a={"apiVersion": "dashboard.grafana.app/v2beta1", "spec": {}}),
        "grafanaDashboards['a']: expected a dashboard as Grafana's classic JSON model, got something around it; export it again, as classic JSON",
    ),
    "a-uid-that-grafana-refuses": (
        boards(a=NAMED | {"uid": "x y"}),
        "grafanaDashboards['a']: expected a uid of 1 to 40 letters, digits, `-` and `_`, got `x y`",
    ),
    "a-uid-like-ours": (
        boards(a=NAMED | {"uid": "slo-x"}),
        "grafanaDashboards['a']: its uid `slo-x` begins with `slo-`, as those of ours do; give it another uid",
    ),
    "a-uid-twice": (
        boards(a=NAMED | {"uid": "x"}, b=NAMED | {"uid": "x"}),
        "grafanaDashboards['b']: its uid `x` is that of a/a.json: one would replace the other; give it another uid",
    ),
    "an-import-placeholder": (
        boards(a=NAMED | {"panels": [{"datasource": "${DS_PROMETHEUS}"}]}),
        "grafanaDashboards['a']: holds `${DS_...}`, which Grafana replaces in its import dialog and nowhere else; write the variable `${datasource}` instead",
    ),
    "panels-as-a-mapping": (
        boards(a=NAMED | {"panels": {"a": 1}}),
        "grafanaDashboards['a']: panels: expected a list of mappings",
    ),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_a_program_that_is_no_mixin_is_told_with_the_path_in_it(root, case):
    text, message = PROGRAMS[case]
    put(root, {"mixins/a.jsonnet": text})
    assert refused(root) == [AT + message]


FILES = {
    "not-yaml": ("mixins/a/r.yml", "groups: [", "mixins/a/r.yml:2:1: not valid YAML: "),
    "a-tag": ("mixins/a/r.yml", "groups: !!set {}", "mixins/a/r.yml:1:9: expected no tag, got "),
    "no-groups": (
        "mixins/a/r.yaml",
        "rules: []",
        "mixins/a/r.yaml:1:1: groups: expected a list of rule groups, got nothing",
    ),
    "a-wrong-rule": (
        "mixins/a/r.yml",
        "groups:\n- name: a\n  rules:\n  - {expr: up}\n",
        "mixins/a/r.yml:4:5: groups[0].rules[0]: expected one of `alert` and `record`",
    ),
    "not-json": ("mixins/a/b.json", '{\n "a": }', "mixins/a/b.json:2:7: not valid JSON: "),
    "deep-json": ("mixins/a/b.json", "[" * 100_000, "mixins/a/b.json: not valid JSON: "),
    "not-utf-8": (
        "mixins/a/b.json",
        "\udcff",
        "mixins/a/b.json:1:1: expected UTF-8, got byte 0xff",
    ),
    "beside-the-folders": (
        "mixins/a.yaml",
        "groups: []",
        "mixins/a.yaml: expected a folder of rule files and dashboards; move it to mixins/a/, a folder for each mixin",
    ),
    "a-library-alone": (
        "mixins/a/mixin.libsonnet",
        "{}",
        "mixins/a: mixin.libsonnet is a library, and nothing imports it; write mixins/a.jsonnet with `import 'a/mixin.libsonnet'`",
    ),
    "a-name-with-capitals": (
        "mixins/Aa.jsonnet",
        "{}",
        "mixins/Aa.jsonnet: expected a name of lower-case letters, digits and inner hyphens, got `Aa`; rename it",
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_that_cannot_be_taken_is_told_with_its_place(root, case):
    path, text, message = FILES[case]
    put(root, {path: ""})
    (root / path).write_bytes(text.encode(errors="surrogateescape"))
    (line,) = refused(root)
    assert line.startswith(message)


def test_files_that_belong_to_a_mixin_and_are_neither_rules_nor_dashboards_are_passed_over(root):
    put(root, {f"mixins/a/{name}": "x" for name in ("README.md", "jsonnetfile.json", ".x.yml")})
    put(root, {"mixins/.hidden.jsonnet": "x", "mixins/a/tests/b.yml": "x"})
    assert foreign(root) == {}


def test_a_mistake_of_jsonnet_is_shown_at_its_line(root):
    put(root, {"mixins/a.jsonnet": "(import 'm/m.libsonnet') + {}\n"})
    put(root, {"vendor/m/m.libsonnet": "{\n  prometheusAlerts: { groups: nobody },\n}\n"})
    assert refused(root) == [
        "vendor/m/m.libsonnet:2:31: not valid jsonnet: variable is not defined: nobody"
    ]


def test_what_is_required_of_a_configuration_is_said_in_the_mixins_own_words(tmp_path):
    root = repository(tmp_path, {PROGRAM: "import 'example.org/cache-mixin/mixin.libsonnet'"})
    (line,) = refused(root)
    assert line.startswith("vendor/example.org/cache-mixin/config.libsonnet:3:20: ")
    assert line.endswith(": must provide selector for the cache")


def test_a_mixin_that_never_ends_stops_nothing_else(root):
    put(root, {"mixins/a.jsonnet": "local f(x) = f(x + 1) tailstrict; f(0)"})
    put(root, {"mixins/b.jsonnet": "{ prometheusRules: nobody }"})
    first, second = refused(root)
    assert first.startswith("mixins/a.jsonnet: ")
    assert second.startswith("mixins/b.jsonnet:1:20: ")


def test_a_mixin_that_the_settings_name_and_nobody_wrote_is_found(root):
    put(
        root,
        {"project": "mixins: {kuberntes: {owner: shop}}\n", "mixins/kubernetes.jsonnet": alerts()},
    )
    (line,) = refused(root)
    assert line.endswith("mixins.kuberntes: there is no such mixin; did you mean `kubernetes`?")
    assert line.startswith("slos/project.yaml:")


def test_an_owner_that_nobody_is_is_found(root):
    put(root, {"project": "mixins: {a: {owner: nobody}}\n", "mixins/a.jsonnet": alerts()})
    (line,) = refused(root)
    assert line.endswith("mixins.a.owner: unknown owner `nobody`; known are shop")


# External variables and arguments


GIVEN = {
    "undefined": (
        "std.extVar('cluster')",
        "",
        "mixins/a.jsonnet:1:1: not valid jsonnet: external variable is not defined: cluster; set `jsonnet.ext.cluster` in slos/project.yaml",
    ),
    "argument-missing": (
        "function(zone) {}",
        "",
        "mixins/a.jsonnet: not valid jsonnet: function argument is not passed: zone; pass `zone`: to a file by `jsonnet.tla` in slos/project.yaml",
    ),
    "argument-too-many": (
        "function() {}",
        "jsonnet: {tla: {mixins/a.jsonnet: {zone: eu}}}\n",
        "mixins/a.jsonnet: not valid jsonnet: parameter zone is not defined; if it stands in `jsonnet.tla` of slos/project.yaml, remove `zone` there",
    ),
    "no-function": (
        "{}",
        "jsonnet: {tla: {mixins/a.jsonnet: {zone: eu}}}\n",
        "mixins/a.jsonnet: not valid jsonnet: the file is no function, and `jsonnet.tla` has arguments for it",
    ),
    "no-jsonnet": (
        "{}",
        "jsonnet: {ext_code: {cluster: '{a: '}}\n",
        "slos/project.yaml:12:31: jsonnet.ext_code.cluster: not valid jsonnet: syntax error: ",
    ),
    "wrong-in-the-code": (
        "std.extVar('cluster')",
        "jsonnet: {ext_code: {cluster: 'nobody'}}\n",
        "slos/project.yaml:12:31: jsonnet.ext_code.cluster: not valid jsonnet: variable is not defined: nobody",
    ),
    "arguments-for-no-file": (
        alerts(),
        "jsonnet: {tla: {elsewhere.jsonnet: {zone: eu}}}\n",
        "slos/project.yaml:12:17: jsonnet.tla.elsewhere.jsonnet: expected a file such as slos/shop.jsonnet or mixins/kubernetes.jsonnet, got `elsewhere.jsonnet`",
    ),
    "arguments-for-a-file-that-is-not-there": (
        alerts(),
        "jsonnet: {tla: {mixins/b.jsonnet: {zone: eu}}}\n",
        "slos/project.yaml:12:17: jsonnet: there is no file `mixins/b.jsonnet` to give arguments to; did you mean `mixins/a.jsonnet`?",
    ),
}


@pytest.mark.parametrize("case", GIVEN)
def test_what_jsonnet_is_not_given_rightly_is_told_with_its_place(root, case):
    text, project, message = GIVEN[case]
    put(root, {"mixins/a.jsonnet": text, "project": project})
    (line,) = refused(root)
    assert line.startswith(message)


def test_a_secret_that_would_be_committed_is_a_warning(root):
    put(root, {"project": "jsonnet: {ext: {db_password: hunter2, cluster: eu}}\n"})
    found = [one for one in checks.run(root).findings if one.id == "S014"]
    assert [(one.severity, str(one)) for one in found] == [
        (
            "warning",
            (
                "slos/project.yaml:12:30: jsonnet.ext.db_password: looks like a secret, and what "
                "jsonnet makes of it is committed; leave it out: rules and dashboards need none"
            ),
        )
    ]


# Whatever stands in a dashboard

WORDS = [
    "panels",
    "rows",
    "gridPos",
    "x",
    "y",
    "w",
    "h",
    "id",
    "title",
    "targets",
    "expr",
    "options",
]
WORDS += [
    "templating",
    "list",
    "annotations",
    "links",
    "name",
    "query",
    "type",
    "datasource",
    "uid",
]
VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.sampled_from(["", "a", "prometheus", "$a"])
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner)
    ),
    max_leaves=12,
)


THINGS = st.lists(st.dictionaries(st.sampled_from(WORDS), VALUES), max_size=3)
LISTS = st.fixed_dictionaries({}, optional={"list": THINGS})
# Half of them have the shape of a dashboard, so that what lies deeper is reached.
BOARDS = st.one_of(
    st.dictionaries(st.sampled_from(WORDS), VALUES),
    st.fixed_dictionaries(
        {},
        optional={"panels": THINGS, "rows": THINGS, "links": THINGS}
        | {"templating": LISTS, "annotations": LISTS},
    ),
)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(BOARDS)
def test_any_dashboard_is_refused_or_can_be_checked(board):
    found = Boards([])
    for _, text in found.of("m", {"a.json": board | {"title": "T"}}, Location("mixins/m.jsonnet")):
        list(foreign_findings("dashboards/mixins/m/a.json", json.loads(text)))
