"""A secret is never shown: not in output, logs, plans, errors, tracebacks or representations."""

from __future__ import annotations

import logging
import time
import traceback

import pytest
from tests.deploy import grafana_world
from tests.deploy.grafana_world import VARIABLE, run
from tests.grafana_server import Fault
from tests.grafana_server.serving import TOKEN

from sloforge.deploy.access import client
from sloforge.deploy.target import Endpoint
from sloforge.errors import Problem

PASSWORD = "hunter2-secret"


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with grafana_world.world(monkeypatch) as made:
        yield made


def shown(error: BaseException) -> str:
    """Everything that is printed of an exception, and of those that it came from."""
    found = "".join(traceback.format_exception(error)) + repr(error) + repr(error.args)
    inner = error.__cause__ or error.__context__
    return found + (shown(inner) if inner else "")


def echo(token):
    """A debugging proxy that sends back what it was sent."""
    return Fault(path=".*", status=500, body=f'{{"message":"sent: Bearer {token}"}}', times=999)


FAILURES = {
    "an error that repeats it": echo(TOKEN),
    "a redirect that repeats it": Fault(
        path=".*", status=302, headers={"Location": f"/login?auth={TOKEN}"}, times=999
    ),
    "a page that repeats it": Fault(path=".*", status=200, body=f"<html>{TOKEN}</html>", times=999),
    "a lost connection": Fault(path=".*", kind="drop", times=999),
    "a cut body": Fault(path=".*", kind="cut", times=999),
    "401": Fault(path=".*", status=401, times=999),
    "503": Fault(path=".*", status=503, times=999),
}


@pytest.mark.parametrize("phase", ["plan", "apply", "verify", "undo"])
@pytest.mark.parametrize("name", FAILURES)
def test_a_token_is_never_shown(world, capfd, caplog, name, phase):
    caplog.set_level(logging.DEBUG)
    target = world.target()
    steps = target.plan((world.board("a"),), {})
    receipts = run(target, steps) if phase in ("verify", "undo") else ()
    fault = FAILURES[name]
    world.ours.script.add(
        Fault(
            path=fault.path,
            kind=fault.kind,
            status=fault.status,
            headers=fault.headers,
            body=fault.body,
            times=999,
        )
    )
    phases = {
        "plan": lambda: target.plan((world.board("a"),), {}),
        "apply": lambda: target.apply(steps[-1]),
        "verify": lambda: target.verify(steps),
        "undo": lambda: target.undo(receipts[-1]),
    }
    with pytest.raises(Problem) as caught:
        phases[phase]()
    told = target.announce("x")
    out = capfd.readouterr()
    everything = [shown(caught.value), told, out.out, out.err, caplog.text]
    everything += [repr(target), repr(vars(target)), repr(steps), str(steps)]
    for text in everything:
        assert TOKEN not in text
    world.ours.script.clear()


def test_plans_and_receipts_hold_no_secret(world):
    target = world.target()
    steps = target.plan((world.board("a"),), {})
    receipts = run(target, steps)
    assert TOKEN not in repr(steps)
    assert TOKEN not in repr(receipts)


def test_a_password_is_never_shown(world, monkeypatch, capfd):
    monkeypatch.setenv("GRAFANA_PASSWORD", PASSWORD)
    login = {"token_env": "", "user": "admin", "password_env": "GRAFANA_PASSWORD"}
    target = world.target(endpoint=login)
    target.plan((), {})
    body = f'{{"message":"{PASSWORD} and YWRtaW46aHVudGVyMi1zZWNyZXQ="}}'
    world.ours.script.add(Fault(path=".*", status=500, body=body, times=9))
    with pytest.raises(Problem, match=r"answered 500 `\*\*\* and \*\*\*`") as caught:
        target.plan((), {})
    assert PASSWORD not in shown(caught.value)
    assert PASSWORD not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", f"environment variable `{VARIABLE}`: must hold a secret, is empty or not set; set it"),
        ("glsa_two\nlines", "must be one line of plain text; set it again"),
        ("glsa_ümlaut", "must be one line of plain text; set it again"),
    ],
)
def test_a_token_that_cannot_be_one_is_told_by_its_name_alone(world, monkeypatch, value, words):
    monkeypatch.setenv(VARIABLE, value)
    with pytest.raises(Problem) as caught:
        world.target().plan((), {})
    assert words in str(caught.value)
    assert "glsa_" not in shown(caught.value)


def test_a_token_comes_from_a_file_too(world, tmp_path):
    file = tmp_path / "token"
    file.write_text(f"  {TOKEN}\n", encoding="utf-8")
    endpoint = {"token_env": "", "token_file": str(file)}
    world.target(endpoint=endpoint).plan((), {})
    file.unlink()
    with pytest.raises(Problem, match=r"token`: cannot read the secret: No such file"):
        world.target(endpoint=endpoint).plan((), {})


def test_credentials_in_the_address_are_refused_and_not_repeated():
    with (
        pytest.raises(Problem, match=r"^https://grafana\.example\.org: must not hold") as caught,
        client(Endpoint(url="https://bob:s3cr3t-word@grafana.example.org")),
    ):
        pass
    assert "s3cr3t-word" not in str(caught.value)


def test_secrets_are_read_when_they_are_needed_and_not_before(world, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    target = world.target()
    monkeypatch.setenv(VARIABLE, TOKEN)
    assert target.plan((), {}) is not None
