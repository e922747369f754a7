"""One check of one plane, against a server that does what a test wants."""

import dataclasses
import threading
import time
from datetime import timedelta

import pytest
from tests.health.plane_server import Behaviour, planes_server
from tests.health.planes_kit import config, planes, quick

from sloforge.health.planes.probing import probe
from sloforge.planes import STEPS, Credential


@pytest.fixture(scope="module")
def server():
    with planes_server() as found:
        yield found


@pytest.fixture
def plane(server, tmp_path):
    server.planes["p"] = Behaviour()
    found = planes(tmp_path, config(server.url, ["p"]))
    return quick(found, timeout=0.3, deadline=0.6, slow_after=0.25).planes[0]


CASES = {
    "all is well": (Behaviour(), "OK", "", "OK OK OK OK OK"),
    "no user": (Behaviour(user=404), "NO_USER", "answered 404", "MISSING - - - -"),
    "user not let in": (Behaviour(user=403), "NO_USER", "answered 403", "MISSING - - - -"),
    "user lookup breaks": (Behaviour(user=500), "FAILED", "answered 500", "FAILED - - - -"),
    "no oracle": (Behaviour(oracle=404), "NO_ORACLE", "answered 404", "OK MISSING - - -"),
    "prediction fails": (Behaviour(predict=500), "FAILED", "answered 500", "OK OK FAILED - -"),
    "prediction forbidden": (Behaviour(predict=403), "FAILED", "answered 403", "OK OK FAILED - -"),
    "prediction too late": (
        Behaviour(delay=0.5),
        "FAILED",
        "no answer in time",
        "OK OK FAILED - -",
    ),
    "prediction from a cache": (
        Behaviour(cached=True),
        "FAILED",
        "without the nonce",
        "OK OK FAILED - -",
    ),
    "submission refused": (Behaviour(submit=503), "DEGRADED", "answered 503", "OK OK OK FAILED -"),
    "result never comes": (
        Behaviour(async_seconds=60),
        "DEGRADED",
        "not done in time",
        "OK OK OK OK FAILED",
    ),
    "result slow": (
        Behaviour(async_seconds=0.3),
        "DEGRADED",
        "the asynchronous job took",
        "OK OK OK OK SLOW",
    ),
    "job fails": (Behaviour(state="failed"), "DEGRADED", "ended as `failed`", "OK OK OK OK FAILED"),
    "result gone": (Behaviour(result=404), "DEGRADED", "answered 404", "OK OK OK OK FAILED"),
}


@pytest.mark.parametrize(("does", "status", "reason", "steps"), CASES.values(), ids=CASES)
def test_a_check_says_what_the_plane_is_and_at_which_step(
    server, plane, does, status, reason, steps
):
    server.planes["p"] = does
    found = probe(plane)
    assert (found.status, reason in found.reason) == (status, True), found
    shown = " ".join("-" if s.status == "SKIPPED" else s.status for s in found.steps)
    assert shown == steps
    assert tuple(step.name for step in found.steps) == STEPS


def test_a_plane_that_is_not_there_has_failed(plane):
    gone = dataclasses.replace(plane, base_url="http://127.0.0.1:9")
    found = probe(gone)
    assert found.status == "FAILED"
    assert found.reason.startswith("user: ")


def test_a_check_ends_by_its_deadline_however_long_the_job_takes(server, plane):
    server.planes["p"] = Behaviour(async_seconds=60)
    begun = time.monotonic()
    assert probe(plane).status == "DEGRADED"
    assert time.monotonic() - begun < 0.6 + 0.3 + 0.2


def test_a_job_that_is_given_up_is_cancelled(server, plane):
    server.planes["p"] = Behaviour(async_seconds=60)
    api = dataclasses.replace(plane.api, cancel="/jobs/{id}")
    before = len(server.cancelled)
    probe(dataclasses.replace(plane, api=api))
    assert len(server.cancelled) == before + 1


def test_every_check_asks_with_a_nonce_of_its_own(server, plane):
    server.nonces.clear()
    for _ in range(5):
        assert probe(plane).status == "OK"
    assert len(set(server.nonces)) == len(server.nonces) == 5


def test_the_token_is_sent_and_never_shown(server, plane, tmp_path, monkeypatch):
    monkeypatch.setenv("PLANES_TOKEN", "hush-hush")
    server.planes["p"] = Behaviour(predict=500)
    with_token = dataclasses.replace(plane, token=Credential(variable="PLANES_TOKEN"))
    found = probe(with_token)
    assert "Bearer hush-hush" in server.tokens
    assert "hush-hush" not in repr(found) + repr(with_token)
    file = tmp_path / "token"
    file.write_text("from-a-file\n", encoding="utf-8")
    probe(dataclasses.replace(plane, token=Credential(file=str(file))))
    assert "Bearer from-a-file" in server.tokens


def test_a_token_that_is_missing_is_no_fault_of_the_plane(plane):
    found = probe(dataclasses.replace(plane, token=Credential(variable="NOT_THERE_AT_ALL")))
    assert found.status == "NO_USER"
    assert found.reason.startswith("the prober cannot log in: environment variable `NOT_THERE")


def test_a_certificate_that_nobody_vouches_for_is_refused(plane, tls_server):
    found = probe(dataclasses.replace(plane, base_url=tls_server, timeout=timedelta(seconds=2)))
    assert found.status == "FAILED"
    assert "CERTIFICATE_VERIFY_FAILED" in found.reason


@pytest.fixture
def tls_server(tmp_path):
    import shutil
    import socket
    import ssl
    import subprocess

    assert shutil.which("openssl"), "no openssl on PATH, which writes the certificate of this test"
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += [
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=127.0.0.1",
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    listening = socket.create_server(("127.0.0.1", 0))

    def accept():
        try:
            raw, _ = listening.accept()
            with raw:
                raw.settimeout(5)
                context.wrap_socket(raw, server_side=True)
        except OSError:
            pass

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    thread.join(5)
