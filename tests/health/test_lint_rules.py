"""Each rule on each platform: a bad fixture with its exact messages, a good one without any."""

from decimal import Decimal
from pathlib import Path

import pytest

from sloforge.health.lint.policy import DEFAULT, Policy
from sloforge.health.lint.rules import CATALOG
from sloforge.health.lint.run import gather, lint

FIXTURES = Path(__file__).parent / "fixtures"
EXPECTED = (FIXTURES / "expected.txt").read_text().splitlines()
BAD = sorted(path.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("*/bad/*"))
GOOD = sorted(path.relative_to(FIXTURES).as_posix() for path in FIXTURES.glob("*/good"))
DEPLOYMENT = (FIXTURES / "kubernetes/good/deployment.yaml").read_text()
# These are on files and on what is written into them; test_lint_input.py has them.
ON_FILES = {"HC001", "HC002", "HC003", "HC005"}
LATENCY = Policy(latency=Decimal(1))


@pytest.fixture(autouse=True)
def _among_fixtures(monkeypatch):
    monkeypatch.chdir(FIXTURES)


def found(*paths, policy=DEFAULT):
    return lint(gather(map(str, paths)), policy).hits


def lines(hits):
    return [f"{hit.level}[{hit.id}] {hit}" for hit in hits]


@pytest.fixture
def manifest(tmp_path):
    def write(text, name="k8s.yaml"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize("path", BAD)
def test_a_bad_file_gets_exactly_its_messages(path):
    wanted = [line for line in EXPECTED if f" {path}:" in line]
    policy = LATENCY if "HC207" in path else DEFAULT
    assert wanted
    assert lines(found(path, policy=policy)) == wanted


@pytest.mark.parametrize("path", BAD)
def test_a_bad_file_is_named_after_the_rule_that_finds_it(path):
    policy = LATENCY if "HC207" in path else DEFAULT
    assert Path(path).name[:5] in {hit.id for hit in found(path, policy=policy)}


@pytest.mark.parametrize("path", GOOD)
def test_a_good_file_gets_no_message_at_all(path):
    assert lines(found(path)) == []


def test_a_good_file_has_checks_or_an_answer_to_be_silent_about():
    for path in GOOD:
        result = lint(gather([path]))
        assert any(unit.checks for unit in result.units) or path == "answers/good"


def test_every_rule_has_a_bad_file():
    assert {Path(path).name[:5] for path in BAD} == set(CATALOG) - ON_FILES


def test_no_hit_is_more_severe_than_its_rule():
    order = ["info", "warning", "error"]
    for path in BAD:
        for hit in found(path, policy=LATENCY):
            assert order.index(hit.level) <= order.index(CATALOG[hit.id][0])


# What is changed in the good deployment, and what the rule in question says: at the bound nothing.
BOUNDS = [
    ("HC201", "timeoutSeconds: 8", "timeoutSeconds: 4", None),
    ("HC201", "timeoutSeconds: 8", "timeoutSeconds: 3", "warning"),
    ("HC201", "timeoutSeconds: 8", "timeoutSeconds: 2", "error"),
    (
        "HC203",
        "periodSeconds: 10\n            timeoutSeconds: 8",
        "periodSeconds: 15\n            timeoutSeconds: 15",
        None,
    ),
    (
        "HC203",
        "periodSeconds: 10\n            timeoutSeconds: 8",
        "periodSeconds: 16\n            timeoutSeconds: 16",
        "warning",
    ),
    ("HC204", "timeoutSeconds: 8", "timeoutSeconds: 10", None),
    ("HC204", "timeoutSeconds: 8", "timeoutSeconds: 11", "error"),
    ("HC301", "periodSeconds: 10", "periodSeconds: 10\n            initialDelaySeconds: 10", None),
    (
        "HC301",
        "periodSeconds: 10",
        "periodSeconds: 10\n            initialDelaySeconds: 11",
        "warning",
    ),
    (
        "HC301",
        "periodSeconds: 10",
        "periodSeconds: 10\n            initialDelaySeconds: 31",
        "error",
    ),
    ("HC303", "periodSeconds: 10", "periodSeconds: 10\n            initialDelaySeconds: 0", None),
    ("HC401", "failureThreshold: 3", "failureThreshold: 2", None),
    ("HC403", "periodSeconds: 10", "periodSeconds: 5", None),
    (
        "HC404",
        "periodSeconds: 10\n            timeoutSeconds: 8",
        "periodSeconds: 17\n            timeoutSeconds: 9",
        None,
    ),
    (
        "HC404",
        "periodSeconds: 10\n            timeoutSeconds: 8",
        "periodSeconds: 17\n            timeoutSeconds: 10",
        "warning",
    ),
    ("HC503", "failureThreshold: 3", "successThreshold: 3\n            failureThreshold: 3", None),
    (
        "HC503",
        "failureThreshold: 3",
        "successThreshold: 4\n            failureThreshold: 3",
        "warning",
    ),
    ("HC304", "failureThreshold: 24", "failureThreshold: 120", None),
    ("HC304", "failureThreshold: 24", "failureThreshold: 121", "error"),
]


@pytest.mark.parametrize(
    ("id_", "before", "after", "level"), BOUNDS, ids=lambda value: str(value)[-24:]
)
def test_a_bound_belongs_to_the_good_side(manifest, id_, before, after, level):
    assert before in DEPLOYMENT
    hits = found(manifest(DEPLOYMENT.replace(before, after, 1)))
    assert [hit.level for hit in hits if hit.id == id_] == ([level] if level else [])


@pytest.mark.parametrize(
    ("start", "wanted"),
    [
        (80, []),
        (81, ["allows 120 s, and a start takes 81 s; allow 121.5 s: failureThreshold 25"]),
    ],
)
def test_a_startup_budget_must_be_half_longer_than_a_start(start, wanted):
    policy = Policy(start=Decimal(start))
    hits = found("kubernetes/good", policy=policy)
    assert [str(hit).partition("startupProbe: ")[2] for hit in hits] == wanted


@pytest.mark.parametrize(
    ("start", "wanted"),
    [
        (300, []),
        (
            301,
            [
                "error: initialDelaySec is 300 s, and a start takes 301 s: instances are replaced for ever; set 451.5"
            ],
        ),
        (
            100,
            [
                "warning: initialDelaySec is 300 s: so long a broken instance is not replaced; set 150"
            ],
        ),
    ],
)
def test_a_repair_delay_is_measured_by_the_start(manifest, start, wanted):
    text = (FIXTURES / "gcp/bad/HC305.json").read_text()
    policy = Policy(start=Decimal(start), heal_delay=Decimal(301))
    hits = found(manifest(text, "group.json"), policy=policy)
    assert [
        f"{hit.level}: " + hit.what.partition(": ")[2] + f"; {hit.remedy}" for hit in hits
    ] == wanted


def test_the_same_question_is_fine_when_liveness_waits_twice_as_long(manifest):
    same = DEPLOYMENT.replace("/servez", "/livez")
    assert found(manifest(same)) == ()


def test_ready_is_a_good_path_for_readiness_and_a_bad_one_for_liveness(manifest):
    assert found(manifest(DEPLOYMENT.replace("/servez", "/ready"))) == ()
    hits = found(manifest(DEPLOYMENT.replace("path: /livez", "path: /ready", 1)))
    assert [hit.id for hit in hits] == ["HC101"]


@pytest.mark.parametrize(
    "path",
    [
        "/already",
        "/dbadmin",
        "/fully",
        "/healthz",
        "/actuator/health/liveness",
        "/all-good-things/x",
    ],
)
def test_a_path_that_only_contains_a_word_is_no_aggregate(manifest, path):
    hits = found(manifest(DEPLOYMENT.replace("path: /servez", f"path: {path}", 1)))
    assert [hit.id for hit in hits] == (["HC102"] if path.startswith("/all-") else [])


@pytest.mark.parametrize(
    ("command", "ids"),
    [
        ('["redis-cli", "-h", "cache", "ping"]', ["HC101"]),
        ('["redis-cli", "ping"]', []),
        ('["mysqladmin", "--host=127.0.0.1", "ping"]', []),
        ('["mysqladmin", "--host=db", "ping"]', ["HC101"]),
        ('["rabbitmqctl", "status"]', ["HC101"]),
        ('["kafka-topics.sh", "--list"]', ["HC101"]),
        ('["nc", "-z", "db", "5432"]', ["HC101"]),
        ('["nc", "-z", "localhost", "5432"]', []),
        ('["sh", "-c", "timeout 5 curl -f http://127.0.0.1/x"]', ["HC602"]),
        ('["curl", "-m", "9", "http://[::1]/x"]', ["HC206", "HC602"]),
        ('["wget", "-T5", "-qO-", "http://localhost/x"]', ["HC602"]),
        ('["slo-probe", "--timeout", "500ms"]', []),
        ('["slo-probe", "--check", "up == 1"]', []),
        ('["slo-probe", "--timeout=8s"]', ["HC206"]),
    ],
)
def test_a_command_is_read_for_whom_it_asks_and_how_long(manifest, command, ids):
    get = "            httpGet:\n              path: /livez\n              port: 8080\n"
    text = DEPLOYMENT.replace(get, f"            exec:\n              command: {command}\n", 1)
    assert [hit.id for hit in found(manifest(text))] == ids


@pytest.mark.parametrize("kind", ["Job", "CronJob", "Pod"])
def test_only_what_serves_needs_a_readiness_probe(manifest, kind):
    pod = {"Pod": "spec:\n", "Job": "spec:\n  template:\n    spec:\n"}
    pod["CronJob"] = "spec:\n  jobTemplate:\n    spec:\n      template:\n        spec:\n"
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: x}}\n{pod[kind]}"
    indent = " " * (len(text) - len(text.rstrip(" ")) + 12)
    text += f"{indent}containers: [{{name: a, image: b, ports: [{{containerPort: 80}}]}}]\n"
    assert found(manifest(text)) == ()


def test_a_sidecar_may_have_probes(manifest):
    text = (FIXTURES / "kubernetes/bad/HC605.yaml").read_text()
    text = text.replace(
        "image: shop:1\n          liveness",
        "image: shop:1\n          restartPolicy: Always\n          liveness",
    )
    assert found(manifest(text)) == ()


def test_lists_and_several_documents_are_taken_apart(manifest):
    item = DEPLOYMENT.replace("timeoutSeconds: 8", "timeoutSeconds: 3", 1)
    listed = "apiVersion: v1\nkind: List\nitems:\n- " + item.replace("\n", "\n  ").rstrip() + "\n"
    assert [
        hit.id
        for hit in found(manifest(f"{item}---\n{listed}---\nkind: ConfigMap\napiVersion: v1\n"))
    ] == ["HC201"] * 2


def test_a_dockerfile_beside_manifests_alone_is_told_that_it_is_ignored():
    hits = found("kubernetes/good", "docker/good")
    wanted = "docker/good/Dockerfile:3:1: image of Dockerfile: has a HEALTHCHECK, which Kubernetes ignores; write a probe, and remove it here"
    assert [str(hit) for hit in hits] == [wanted]
    assert found("kubernetes/good", "docker/good", "compose/good") == ()


def test_the_check_of_the_last_stage_counts(manifest):
    stages = "FROM debian AS build\nHEALTHCHECK --timeout=1s CMD true\nFROM debian\n{}\n"
    plain = manifest(stages.format("CMD x"), "Dockerfile")
    assert [hit.id for hit in found(plain)] == ["HC601"]
    inherited = manifest(
        "FROM debian AS build\nHEALTHCHECK --timeout=1s CMD true\nFROM build\n", "Dockerfile"
    )
    assert "HC201" in {hit.id for hit in found(inherited)}
    off = manifest(
        "FROM debian\nHEALTHCHECK NONE\nRUN <<EOF\nHEALTHCHECK --timeout=1s CMD x\nEOF\n",
        "Dockerfile",
    )
    assert found(off) == ()


def test_a_zero_is_dockers_word_for_the_default(manifest):
    text = (
        (FIXTURES / "compose/good/compose.yaml")
        .read_text()
        .replace("interval: 30s", "interval: 0s", 1)
    )
    (unit,) = lint(gather([str(manifest(text))])).units
    assert unit.checks[0].interval.value == 30


def test_envoy_is_read_in_json_and_camel_case(manifest):
    text = '{"staticResources": {"clusters": [{"name": "a", "healthChecks": [{"interval": "8s", "timeout": {"seconds": "1"}, "noTrafficInterval": "8s", "unhealthyThreshold": 3, "healthyThreshold": {"value": 1}, "tcpHealthCheck": {}}]}]}}'
    hits = found(manifest(text.replace('{"value": 1}', "1"), "envoy.json"))
    assert [hit.id for hit in hits] == ["HC201"]


def test_a_passive_check_of_nginx_that_is_off_is_no_check(manifest):
    text = "upstream a {\n  server b max_fails=0;\n  server c backup;\n}\n"
    hits = found(manifest(text, "nginx.conf"))
    assert [(hit.id, hit.where.line) for hit in hits] == [("HC401", 3)]


def test_the_values_of_a_chart_are_no_service_of_consul(manifest):
    hits = found(manifest("service:\n  name: shop\n  port: 80\n", "values.yaml"))
    assert [hit.id for hit in hits] == ["HC002"]


def units(path):
    return lint(gather([str(path)])).units


def test_a_job_of_nomad_is_known_by_how_it_begins(manifest):
    text = (FIXTURES / "nomad/good/shop.nomad.hcl").read_text()
    (unit,) = units(manifest(text, "-"))
    assert [(one.kind, one.fail.value) for one in unit.checks] == [("lb", 3), ("autoheal", 3)]
    assert unit.rollout
    assert (unit.rollout.waves, unit.rollout.min_ready) == (4, 10)


def test_what_only_nomad_knows_of_takes_nothing_out_of_rotation(manifest):
    text = (FIXTURES / "nomad/good/own.hcl").read_text()
    (unit,) = units(manifest(text, "own.hcl"))
    assert [one.kind for one in unit.checks] == ["deploy"]
    (unit,) = units(manifest(text.replace('"nomad"', '"consul"'), "own.hcl"))
    assert [one.kind for one in unit.checks] == ["lb"]


def test_the_api_of_nomad_counts_nanoseconds():
    found_ = units("nomad/good/job.json")
    assert [(one.interval.value, one.ok.value) for one in found_[0].checks] == [(8, 1)]


def test_a_check_overrides_what_its_service_says_of_restarts(manifest):
    text = (FIXTURES / "nomad/good/shop.nomad.hcl").read_text()
    both = text.replace(
        "      check {", "      check_restart {\n        limit = 9\n      }\n\n      check {"
    )
    (unit,) = units(manifest(both, "a.hcl"))
    assert [int(one.fail.value) for one in unit.checks] == [3, 3]
    (unit,) = units(manifest(both.replace("limit = 3", ""), "a.hcl"))
    assert [int(one.fail.value) for one in unit.checks] == [3, 9]


def test_a_check_that_asks_nothing_known_is_said(manifest):
    text = (FIXTURES / "nomad/good/own.hcl").read_text().replace('"tcp"', '"tpc"')
    (hit,) = found(manifest(text, "own.hcl"))
    assert hit.what == "type: expected one of http, tcp, grpc, script, got `tpc`"
    text = (FIXTURES / "consul/good/shop.hcl").read_text().replace("http  ", "htp  ")
    (hit,) = found(manifest(text, "shop.hcl"))
    assert hit.what.startswith("expected one of http, tcp, grpc,")


@pytest.mark.parametrize(
    ("command", "hit"),
    [
        ('["sh", "-c", "curl -f http://127.0.0.1/x"]', False),
        ('["sh", "-c", "curl -f http://127.0.0.1/x || exit 2"]', False),
        ('["sh", "-c", "slo-probe --check up==1 || exit 2"]', False),
        ('["sh", "-c", "curl -f http://127.0.0.1/x || exit 1"]', True),
        ('["sh", "-c", "curl -f http://127.0.0.1/x | grep ok"]', True),
        ('["/usr/bin/pgrep", "nginx"]', True),
    ],
)
def test_consul_takes_one_for_a_warning(manifest, command, hit):
    text = (FIXTURES / "consul/good/services.json").read_text()
    text = text.replace('["sh", "-c", "pg_isready || exit 2"]', command)
    assert [one.id for one in found(manifest(text, "s.json"))] == ["HC606"] * hit
