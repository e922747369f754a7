"""planes.yaml: every mistake at its place, all at once; what is right comes out whole."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from click.testing import CliRunner
from tests.health.plane_server import Behaviour, planes_server
from tests.health.planes_kit import config

from sloforge.errors import SpecProblem
from sloforge.health.planes.command import command, warnings
from sloforge.specs.planes import load_file
from sloforge.specs.schema import schemas

ROOT = Path(__file__).parents[2]
HEAD = "version: sloforge-planes/v1\nbase_url: https://{plane}.example.org\n"
PLANES = "planes:\n- name: a\n- name: b\n"

MISTAKES = {
    "version": (
        "version: sloforge-planes/v2\nplanes: []\n",
        ["1:10: version: expected `sloforge-planes/v1`, got `sloforge-planes/v2`"],
    ),
    "unknown key": (
        HEAD + "intervall: 1m\n" + PLANES,
        ["3:1: unknown key `intervall`; did you mean `interval`?"],
    ),
    "interval": (
        HEAD + "interval: 2h\nttl: 5h\n" + PLANES,
        ["3:11: interval: expected 1s to 1h, got 2h"],
    ),
    "ttl": (
        HEAD + "ttl: 1m\n" + PLANES,
        [
            "3:6: ttl: must be above the interval 1m, got 1m; with one late result every plane would be NO_VALUE; write twice the interval"
        ],
    ),
    "deadline": (
        HEAD + "deadline: 2m\n" + PLANES,
        ["3:11: deadline: must be at most the interval 1m, got 2m"],
    ),
    "slow of a plane": (
        HEAD + "planes:\n- name: a\n  slow_after: 40s\n",
        ["5:15: planes[0].slow_after: must be at most the deadline 30s, got 40s"],
    ),
    "twice": (
        HEAD + "planes:\n- name: a\n- name: a\n",
        ["5:9: planes[1].name: duplicate plane `a`; it is already at planes.yaml:4:9"],
    ),
    "no planes": (HEAD + "planes: []\n", ["3:9: planes: expected 1 or more items, got 0"]),
    "no address": (
        "version: sloforge-planes/v1\nplanes:\n- name: a\n",
        ["3:3: planes[0]: missing key `base_url`; write one here or in the head"],
    ),
    "one address for all": (
        "version: sloforge-planes/v1\nbase_url: https://example.org\n" + PLANES,
        ["2:11: base_url: expected `{plane}` in it, or every plane would be the same one"],
    ),
    "credentials in the address": (
        "version: sloforge-planes/v1\nbase_url: https://me:secret@{plane}.example.org\n" + PLANES,
        [
            "2:11: base_url: expected an address such as https://{plane}.example.org, without credentials, got `https://me:secret@{plane}.example.org`"
        ],
    ),
    "token and both": (
        HEAD + "token: {env: A, file: /b}\n" + PLANES,
        ["3:8: token: expected exactly one of `env` and `file`; never write the token here"],
    ),
    "a token that is written down": (
        HEAD + "token: hunter2\n" + PLANES,
        [
            "3:8: token: expected the name of what holds it, `{env: NAME}` or `{file: PATH}`, got a text; write no secret here; if this was one, replace it"
        ],
    ),
    "token in the clear": (
        "version: sloforge-planes/v1\nbase_url: http://{plane}.example.org\ntoken: {env: A}\n"
        + PLANES,
        ["2:11: base_url: the token would be sent in the clear; write https://"],
    ),
    "placeholder": (
        HEAD + "api: {predict: '/{model}/predict'}\n" + PLANES,
        ["3:16: api.predict: unknown placeholder `{model}`; known are oracle, plane"],
    ),
    "no id": (
        HEAD + "api: {result: /jobs}\n" + PLANES,
        ["3:15: api.result: expected the placeholder `{id}`, got none"],
    ),
    "braces": (
        HEAD + "api: {user: '/users/{user'}\n" + PLANES,
        ["3:13: api.user: braces that do not match in `/users/{user`"],
    ),
    "several": (
        HEAD + "interval: 0s\nfoo: 1\nplanes:\n- name: A\n",
        [
            "3:11: interval: expected a duration above zero and below 100 years, got `0s`",
            "4:1: unknown key `foo`; known are api",
            "6:9: planes[0].name: expected a name of lower-case letters, digits and inner hyphens, got `A`",
        ],
    ),
}


@pytest.mark.parametrize(("text", "messages"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place(tmp_path, text, messages):
    file = tmp_path / "planes.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SpecProblem) as told:
        load_file(file)
    lines = str(told.value).splitlines()
    assert len(lines) == len(messages), lines
    for line, message in zip(lines, messages, strict=True):
        assert line.startswith(f"planes.yaml:{message}"), line


def test_the_file_of_this_repository_is_read_with_its_defaults():
    found = load_file(ROOT / "planes.yaml")
    assert found.names == ("ap-1", "eu-1", "onprem-1", "us-1")
    plane = found.plane("onprem-1")
    assert plane.base_url == "https://predict.onprem.example.org"
    assert plane.token
    assert plane.token.file == "/run/secrets/onprem-1"
    assert found.plane("eu-1").user == "admin__smoke_test_eu-1"
    assert found.plane("eu-1").oracle == "health-check-model"
    (warning,) = warnings(found)
    assert "2m30s" in warning or "150s" in warning


def test_the_schema_takes_the_file_and_refuses_what_is_refused():
    schema = schemas()["planes"]
    document = yaml.safe_load((ROOT / "planes.yaml").read_text(encoding="utf-8"))
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document | {"intervall": "1m"}, schema)
    written = json.loads((ROOT / "docs/schema/planes.json").read_text(encoding="utf-8"))
    assert written == schema


@pytest.fixture
def told(tmp_path):
    """Runs the verb on planes of a fake server: exit code and output."""
    with planes_server() as server:
        server.planes = {"a": Behaviour(), "b": Behaviour()}
        (tmp_path / "planes.yaml").write_text(config(server.url, ["a", "b"]), encoding="utf-8")

        def run(*words):
            arguments = ["--config", str(tmp_path / "planes.yaml"), *words]
            return CliRunner().invoke(command(load_file), arguments, standalone_mode=False)

        yield server, run


def test_one_round_of_checks_says_what_each_plane_is_and_fails_unless_all_are_ok(told):
    server, run = told
    fine = run("check")
    assert fine.return_value == 0
    assert [line.split()[:2] for line in fine.stdout.splitlines()] == [["a", "OK"], ["b", "OK"]]
    server.planes["b"] = Behaviour(oracle=404)
    bad = run("check")
    assert bad.return_value == 1
    assert bad.stdout.splitlines()[1].startswith("b  NO_ORACLE  0s ago  GET http://127.0.0.1:")


def test_a_file_that_is_not_there_is_told(tmp_path):
    done = CliRunner().invoke(
        command(load_file), ["--config", str(tmp_path / "no.yaml"), "check"], standalone_mode=False
    )
    assert "expected the planes, found no file; name it with --config" in str(done.exception)
