import time
from decimal import Decimal
from pathlib import Path

import pytest
from tests.formats_project import PROJECT, fixtures, load, place, repository

from promtool import check_rules, run_tests
from sloforge import generate
from sloforge.alerts import service_alerts
from sloforge.errors import SpecProblem
from sloforge.model import Project
from sloforge.promql import duration
from sloforge.sli import Latency, Ratio, Threshold, Up
from sloforge.specs import READERS, files, sloth_plugins
from sloforge.specs.openslo_forms import FORMS

GOOD, BAD = fixtures("good"), fixtures("bad")


def named(path: Path) -> str:
    return f"{path.parent.parent.name}/{path.name}"


def refused(root: Path) -> str:
    with pytest.raises(SpecProblem) as caught:
        load(root)
    return str(caught.value)


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = tmp_path_factory.mktemp("every")
    for path in GOOD:
        place(root, path)
    return load(root)


def slo(project: Project, id_: str):
    return next(one for one in project.slos if one.id == id_)


@pytest.mark.parametrize("path", BAD, ids=named)
def test_a_bad_file_is_refused_with_exactly_these_messages(path, tmp_path):
    place(tmp_path, path)
    assert refused(tmp_path) + "\n" == path.with_suffix(".txt").read_text()


def test_there_is_a_reader_for_each_format():
    assert list(READERS) == [
        "sloforge/v1",
        "openslo/v1",
        "openslo/v1alpha",
        "prometheus/v1",
        "sloth.slok.dev/v1",
        "pyrra.dev/v1alpha1",
    ]
    assert len(FORMS) == 7


def test_everything_that_is_read_passes_promtool(every, tmp_path):
    chosen = [g for g in generate.GENERATORS if g.name in ("recording", "rules", "tests")]
    written = []
    for artifact in generate.artifacts(every, chosen):
        path = tmp_path / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text)
        written.append(path)
    rules = [path for path in written if path.parent.name in ("recording", "rules")]
    checked = check_rules(rules)
    assert checked.ok, checked.findings
    # Those that play a day or more of each window are the core's own business.
    quick = [p for p in written if p.name.endswith(("-sli.promtest.yml", "-alerts.promtest.yml"))]
    assert len(quick) > 40
    suite = run_tests(quick)
    failed = [
        (file.path.name, case.title, case.difference)
        for file in suite.files
        for group in file.groups
        for case in group.assertions
        if case.status not in ("passed", "skipped")
    ]
    assert not failed
    assert not [problem for file in suite.files for problem in file.problems]


def test_sloths_queries_become_selectors_and_its_windows_burns(every):
    answers = slo(every, "cart-answers")
    assert answers.sli == Ratio(whole=answers.sli.whole, part=answers.sli.part, part_is_bad=True)
    assert str(answers.sli.part) == 'cart_requests_total{job="cart",code=~"(5..|429)"}'
    windows = [
        (str(b.fixed), duration(b.long), duration(b.short), b.severity)
        for b in answers.alerting.burns
    ]
    # Sloth's catalogue for 30 days.
    assert windows == [
        ("14.4", "1h", "5m", "page"),
        ("6", "6h", "30m", "page"),
        ("3", "1d", "2h", "ticket"),
        ("1", "3d", "6h", "ticket"),
    ]
    assert isinstance(slo(every, "cart-quick").sli, Latency)
    assert slo(every, "cart-quick").sli.threshold == Decimal("0.25")
    assert [b.name for b in slo(every, "cart-quick").alerting.burns] == [
        "steady-burn",
        "very-slow-burn",
    ]
    assert next(s for s in every.services if s.name == "cart").owner == "store"
    assert dict(answers.alerting.annotations) == {"summary": "Carts fail for cart."}


def test_what_one_of_sloths_alerts_says_alone_stays_on_its_burns(every):
    basket = next(service for service in every.services if service.name == "basket")
    said = {
        alert.burn.name: (dict(alert.labels).get("routing_key"), dict(alert.labels)["slack_channel"], dict(alert.annotations))
        for alert in service_alerts(every, basket)
        if alert.burn is not None
    }  # fmt: skip
    assert said == {
        "fast-burn": ("carts", "#all", {}),
        "slow-burn": ("carts", "#all", {}),
        "steady-burn": (None, "#carts", {"hint": "later"}),
        "very-slow-burn": (None, "#carts", {"hint": "later"}),
    }


def test_pyrras_windows_are_parts_of_the_slos_own(every):
    errors = slo(every, "api-api-errors")
    assert errors.by == ("route",)
    assert [
        (str(b.fixed), duration(b.long), duration(b.short), duration(b.wait))
        for b in errors.alerting.burns
    ] == [
        ("14", "1h", "5m", "2m"),
        ("7", "6h", "30m", "15m"),
        ("2", "1d", "2h", "1h"),
        ("1", "4d", "6h", "3h"),
    ]
    assert isinstance(slo(every, "broker-broker").sli, Up)
    assert slo(every, "felt-felt").sli.native
    assert slo(every, "felt-felt").alerting.burns == ()


def test_openslos_objects_are_joined_and_each_objective_is_an_slo(every):
    usual, best = slo(every, "search-finds-usual"), slo(every, "search-finds-at-best")
    assert (usual.objective, best.objective) == (Decimal("0.995"), Decimal("0.999"))
    assert usual.window.days == 28
    assert [(b.name, duration(b.short), duration(b.wait)) for b in usual.alerting.burns[:1]] == [
        ("quick-burn", "5m", "5m")
    ]
    queue = slo(every, "mail-queue").sli
    assert isinstance(queue, Threshold)
    assert f"{queue.comparator} {queue.bound}" == "<= 100"
    service = next(s for s in every.services if s.name == "search")
    assert (service.owner, service.description) == ("store", "Finds things.")


def test_references_are_found_across_files(tmp_path):
    first, second = (SLI + "---\n" + SERVICE, SLO)
    repository(tmp_path, parts=first, promise=second)
    assert [one.id for one in load(tmp_path).slos] == ["shop-answers"]


def test_one_service_in_two_formats_is_refused_where_it_stands(tmp_path):
    repository(tmp_path, a=SLOTH, b=PYRRA)
    twice = "duplicate service `shop`; it is already at"
    assert refused(tmp_path).endswith(f"{twice} slos/a.yaml:2:10")


def test_two_slos_with_one_id_in_two_formats_are_refused_where_the_second_stands(tmp_path):
    native = "version: sloforge/v1\nservice: shop-cart\nowner: web\nslos:\n- {name: answers, objective: 99, sli: {up: {gauge: g}}}\n"
    repository(tmp_path, a=native, b=SLOTH.replace("name: answers", "name: cart-answers"))
    found = "shop/cart-answers has the id `shop-cart-answers` of shop-cart/answers"
    assert refused(tmp_path) == (
        f"slos/b.yaml:4:3: {found}; rename one of them; the other one is at slos/a.yaml:5:3"
    )


def test_a_service_without_an_owner_is_told_what_to_do(tmp_path):
    project = PROJECT.replace("defaults: {owner: web}\n", "")
    repository(tmp_path, project, a=SLOTH)
    assert refused(tmp_path) == (
        "slos/a.yaml:2:10: service `shop` has no owner; add a label `owner`, or `defaults.owner` "
        "to slos/project.yaml; known are store, web"
    )


def test_an_unknown_default_owner_is_a_mistake_of_the_project(tmp_path):
    repository(tmp_path, PROJECT.replace("owner: web", "owner: wbe"), a=SLOTH)
    assert refused(tmp_path) == (
        "slos/project.yaml:5:19: defaults.owner: unknown owner `wbe`; did you mean `web`?"
    )


def test_alert_windows_are_the_burns_of_sloths_slos(tmp_path):
    repository(tmp_path, a=SLOTH, windows=WINDOWS)
    (found,) = load(tmp_path).slos
    assert found.window.days == 7
    shares = [(str(b.spend), duration(b.long), duration(b.short)) for b in found.alerting.burns]
    assert shares == [
        ("0.08", "1h", "5m"),
        ("0.125", "6h", "30m"),
        ("0.2", "1d", "2h"),
        ("0.43", "3d", "6h"),
    ]


def test_a_cyclic_alias_is_refused(tmp_path):
    repository(
        tmp_path, a="apiVersion: openslo/v1\nkind: SLO\nmetadata: &m {name: x, labels: *m}\n"
    )
    assert refused(tmp_path) == (
        "slos/a.yaml:3:32: anchor `*m` contains itself; write out what is meant"
    )


def test_aliases_over_many_documents_cannot_grow_without_bound(tmp_path):
    ten = ", ".join(["*a"] * 10)
    bomb = f"apiVersion: openslo/v1\na: &a [x, x, x, x, x, x, x, x]\nb: &b [{ten}]\nc: &c [{ten.replace('a', 'b')}]\nd: [{ten.replace('a', 'c')}]\n---\n"
    repository(tmp_path, a=bomb * 50)
    assert "aliases of aliases grow without bound" in refused(tmp_path)


def test_five_thousand_documents_are_read_in_ten_seconds(tmp_path):
    one = PYRRA.replace("{name: answers", "{{name: answers-{at}").replace("shop", "shop-{at}")
    one = (
        one.replace("{name: answers-{at}", "{name: answers-AT")
        .replace("{at}", "AT")
        .replace("{{", "{")
    )
    text = "---\n".join(one.replace("AT", str(at)) for at in range(5_000))
    assert len(text) > files.MAX_BYTES
    repository(tmp_path, many=text)
    began = time.process_time()
    assert len(load(tmp_path).slos) == 5_000
    assert time.process_time() - began < 10


def test_one_large_document_is_still_too_large(tmp_path):
    repository(tmp_path, a=f"apiVersion: openslo/v1\nx: {'y' * files.MAX_BYTES}\n---\n{SLO}")
    assert "expected a file of at most 1,000,000 bytes" in refused(tmp_path)


SLOTH = """\
version: prometheus/v1
service: shop
slos:
- name: answers
  objective: 99.9
  sli: {events: {error_query: 'sum(rate(bad_total[{{.window}}]))', total_query: 'sum(rate(all_total[{{.window}}]))'}}
"""
PYRRA = """\
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: answers, labels: {pyrra.dev/service: shop}}
spec:
  target: "99.9"
  window: 28d
  indicator: {ratio: {errors: {metric: bad_total}, total: {metric: all_total}}}
"""
SERVICE = """\
apiVersion: openslo/v1
kind: Service
metadata: {name: shop}
spec: {description: Sells things.}
"""
SLI = """\
apiVersion: openslo/v1
kind: SLI
metadata: {name: answered}
spec:
  ratioMetric:
    counter: true
    bad: {metricSource: {type: Prometheus, spec: {query: bad_total}}}
    total: {metricSource: {type: Prometheus, spec: {query: all_total}}}
"""
SLO = """\
apiVersion: openslo/v1
kind: SLO
metadata: {name: answers}
spec:
  service: shop
  indicatorRef: answered
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
"""
WINDOWS = """\
apiVersion: sloth.slok.dev/v1
kind: AlertWindows
spec:
  sloPeriod: 7d
  page:
    quick: {errorBudgetPercent: 8, shortWindow: 5m, longWindow: 1h}
    slow: {errorBudgetPercent: 12.5, shortWindow: 30m, longWindow: 6h}
  ticket:
    quick: {errorBudgetPercent: 20, shortWindow: 2h, longWindow: 1d}
    slow: {errorBudgetPercent: 43, shortWindow: 6h, longWindow: 3d}
"""


# Plugin, options, and the queries of github.com/slok/sloth-common-sli-plugins for them.
PLUGINS = [
    (
        "kubernetes/kooper/latency",
        {"controller": "c", "bucket": "5"},
        (
            'sum(rate(kooper_controller_processed_event_duration_seconds_count{controller="c"}[{{.window}}])) - '
            'sum(rate(kooper_controller_processed_event_duration_seconds_bucket{controller="c",le="5"}[{{.window}}]))'
        ),
    ),
    (
        "traefik/v2/latency",
        {
            "service_name_regex": "a.*",
            "bucket": "0.3",
            "exclude_errors": "false",
            "filter": 'x="y",',
        },
        (
            'sum(rate(traefik_service_request_duration_seconds_count{service=~"a.*",x="y"}[{{.window}}])) - '
            'sum(rate(traefik_service_request_duration_seconds_bucket{service=~"a.*",x="y",le="0.3"}[{{.window}}]))'
        ),
    ),
    (
        "prometheus/rules/eval-availability",
        {"filter": 'job="p"'},
        'sum(rate(prometheus_rule_evaluation_failures_total{job="p"}[{{.window}}]))',
    ),
    (
        "prometheus/targets/availability",
        {},
        "sum(count_over_time((up{} == 0)[{{.window}}:])) or vector(0)",
    ),
]


@pytest.mark.parametrize(("plugin", "options", "bad"), PLUGINS, ids=[one[0] for one in PLUGINS])
def test_a_common_plugin_comes_with_its_query(plugin, options, bad):
    found = sloth_plugins.events(f"sloth-common/{plugin}", options)
    assert found is not None
    assert found[0] == bad


def test_a_plugin_with_an_option_that_changes_its_query_has_none():
    options = {"service_name_regex": "a", "bucket": "1", "exclude_errors": "true"}
    assert sloth_plugins.events("sloth-common/traefik/v2/latency", options) is None
