import os
import subprocess

import pytest
from tests.probe.cases import BAD_COMMANDS, CASES, NOW
from tests.probe.programs import run
from tests.probe.servers import serving

from probe import compiler, fuzz

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def checked() -> str:
    """The native probe under ASan, UBSan and, where it works, LSan."""
    return str(compiler.cached(checked=True))


def sanitized(
    program: str, arguments: list[str], stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    environment = {**os.environ, "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1"}
    return subprocess.run(
        [program, *arguments],
        input=stdin,
        capture_output=True,
        timeout=30,
        check=False,
        env=environment,
    )


def test_no_case_of_the_corpus_upsets_the_sanitizers(checked):
    for one in CASES:
        done = sanitized(
            checked,
            ["--url", "-", "--json", "-v", "--check", one.check, "--now", str(NOW)],
            one.body,
        )
        assert done.returncode == (one.outcome != "ok"), (one, done.stderr)
        assert b"Sanitizer" not in done.stderr
    for arguments, _ in BAD_COMMANDS:
        done = sanitized(checked, arguments)
        assert (done.returncode, b"Sanitizer" in done.stderr) == (1, False), done.stderr


def test_the_largest_of_everything_fits(checked):
    selector = "x{" + ",".join(f'l{i}=~"a{{0,60}}"' for i in range(16)) + "}"
    checks = [f"--check=ratio({selector}, {selector}) < {i + 2}" for i in range(6)]
    body = ("x{" + ",".join(f'k{i}="{i}"' for i in range(250)) + "} 1\n").encode() * 20
    done = sanitized(checked, ["--url", "-", *checks, "--json"], body)
    assert b"Sanitizer" not in done.stderr
    assert done.returncode == 0, done.stderr[-500:]


def test_a_huge_exposition_needs_no_memory_in_the_native_probe():
    lines = b"".join(b'y{i="%d",l="%s"} %d\n' % (i, b"v" * 200, i) for i in range(4000)) * 20
    assert len(lines) > 16 * MEGABYTE
    said = run(
        "native",
        ["--url", "-", "--check", "sum(y) > 0", "--check", "x == 1"],
        lines + b"x 1\n",
        limit_memory=16 * MEGABYTE,
    )
    assert (said.code, said.err) == (0, "")


def test_an_endless_body_ends_at_the_cap_in_bounded_memory(name):
    def endless(connection, request, server):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"z" * 100000)

    with serving(endless) as server:
        said = run(
            name,
            ["--url", server.url, "--check", "x == 1", "--timeout", "10s"],
            limit_memory={"native": 16, "python": 256}[name] * MEGABYTE,
        )
    assert (said.code, said.err) == (
        1,
        f"slo-probe: unhealthy: {server.url}: the body is larger than 33554432 bytes\n",
    )


@pytest.mark.parametrize("kind", ["libFuzzer", "our own"])
def test_a_short_fuzz_finds_nothing(kind, tmp_path):
    clang = compiler.fuzzing_clang() if kind == "libFuzzer" else None
    if kind == "libFuzzer" and clang is None:
        pytest.skip("no clang with libFuzzer: on Debian `apt-get install clang libclang-rt-dev`")
    done = fuzz.fuzz(3, clang, tmp_path / "corpus", seed=int.from_bytes(os.urandom(4)))
    assert done.returncode == 0, done.stderr[-4000:]
