"""deploy.yaml: what it means, and every mistake with its place and its remedy."""

import pytest

from sloforge.deploy import config
from sloforge.deploy.target import Endpoint
from sloforge.deploy.targets import TARGETS
from sloforge.errors import Problem

GOOD = """\
version: sloforge-deploy/v1
project: shop
environments:
  dev:
    prometheus:
      kind: prometheus
      url: http://prometheus.example.org
      folder: /etc/prometheus/slo
      wait: 90s
  prod:
    mimir:
      kind: ruler
      url: https://mimir.example.org/prometheus
      user: me
      password_env: MIMIR_PASSWORD
      headers: {X-A: b}
      secret_headers: {X-Key: KEY}
      timeout: 2s
"""


def load(root, text, environment=""):
    (root / "deploy.yaml").write_text(text)
    return config.load(root, environment)


def test_an_environment_has_its_targets(tmp_path):
    (found,) = load(tmp_path, GOOD, "dev")
    assert (found.name, found.kind, found.environment) == ("prometheus", "prometheus", "dev")
    assert found.endpoint == Endpoint(url="http://prometheus.example.org")
    assert found.options["wait"] == 90
    (found,) = load(tmp_path, GOOD, "prod")
    assert found.endpoint == Endpoint(
        url="https://mimir.example.org/prometheus",
        user="me",
        password_env="MIMIR_PASSWORD",
        headers=(("X-A", "b"),),
        secret_headers=(("X-Key", "KEY"),),
        timeout=2,
    )


def test_every_kind_has_a_form_and_a_target():
    assert list(config.FORMS) == [kind for kind, _ in TARGETS]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "kind: ruler",
            "kind: rular",
            "deploy.yaml:12:13: environments.prod.mimir.kind: unknown kind `rular`; did you mean `ruler`?",
        ),
        (
            "kind: ruler\n      ",
            "",
            (
                "deploy.yaml:12:7: environments.prod.mimir: missing key `kind`; "
                "known are prometheus, vmalert, ruler, kubernetes, alertmanager, grafana, "
                "provisioning, import"
            ),
        ),
        (
            "url: http://prometheus.example.org",
            "urll: http://prometheus.example.org",
            (
                "deploy.yaml:6:7: missing key `url`\n"
                "deploy.yaml:7:7: unknown key `urll`; did you mean `url`?"
            ),
        ),
        (
            "user: me",
            "token_file: a",
            (
                "deploy.yaml:12:7: expected `user` together with `password_env` or `password_file`, "
                "got one of them; give both, or none"
            ),
        ),
        (
            "user: me",
            "user: me\n      password_file: a",
            (
                "deploy.yaml:12:7: expected `password_env` or `password_file`, got both; "
                "remove one of them"
            ),
        ),
        (
            "project: shop\n",
            "",
            (
                "deploy.yaml:1:1: missing key `project`; name this repository, and no other, as in "
                "`project: checkout-slos`; what bears the name is ours to change and to delete"
            ),
        ),
        (
            "project: shop",
            f"project: {'a' * 42}",
            "deploy.yaml:2:10: project: expected at most 41 characters, got 42",
        ),
        (
            "sloforge-deploy/v1",
            "v2",
            "deploy.yaml:1:10: version: expected `sloforge-deploy/v1`, got `v2`",
        ),
        (
            "wait: 90s",
            "wait: 9",
            "deploy.yaml:9:13: wait: expected a duration such as 30d, 6h or 5m, got 9",
        ),
    ],
)
def test_a_mistake_has_its_place_and_its_remedy(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(Problem) as wrong:
        load(tmp_path, GOOD.replace(old, new), "dev")
    assert str(wrong.value) == message


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ("", "deploy.yaml: no environment is named; give --env: dev or prod"),
        ("prd", "deploy.yaml: unknown environment `prd`; did you mean `prod`?"),
    ],
)
def test_the_environment_must_be_known(tmp_path, environment, message):
    with pytest.raises(Problem) as wrong:
        load(tmp_path, GOOD, environment)
    assert str(wrong.value) == message


def test_a_repository_without_the_file_is_told_what_is_missing(tmp_path):
    with pytest.raises(Problem) as wrong:
        config.load(tmp_path)
    assert str(wrong.value) == (
        "deploy.yaml: expected the environments to deploy to, found no file; "
        "see docs/deploy.md for one to begin with"
    )


@pytest.mark.parametrize(
    "text", ["a: [", "- a\n", "version: sloforge-deploy/v1\nenvironments: {dev: {a: 1}}\n"]
)
def test_what_is_no_such_file_is_a_problem(tmp_path, text):
    with pytest.raises(Problem, match=r"deploy.yaml:\d"):
        load(tmp_path, text)
