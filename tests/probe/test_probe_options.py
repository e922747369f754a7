import re
import time

import pytest
from tests.probe.programs import PROBE, run
from tests.probe.servers import serving, whole

from probe import slo_probe

ROOT_ONLY = re.compile(rb"^GET /\?")


def test_the_flags_of_the_closeio_tool_work_unchanged(name):
    body = b'up_a 1\nup_b{s="1"} 2\nlast %d\n' % time.time()
    with serving(whole(body)) as server:
        url = f"http://127.0.0.1:{server.port}"
        flags = [
            "--url",
            url,
            "--check-up",
            "up_a",
            "up_b",
            "--check-fresh",
            "last",
            "--fresh-for",
            "60",
        ]
        assert run(name, flags).code == 0
        said = run(name, [*flags, "--check-up", "gone"])
    assert (said.code, said.err) == (1, "slo-probe: unhealthy: gone >= 1: no such metric\n")
    assert ROOT_ONLY.match(server.requests[0])


def test_fresh_for_counts_wherever_it_stands(name):
    said = run(name, ["--explain", "--check-fresh=a", "--fresh-for=1m", "--check-fresh", "b"])
    assert "check: fresh(a) <= 60s\ncheck: fresh(b) <= 60s\n" in said.out


EXPLAINED = """\
source: unix:/run/app.sock!/m
request: GET /m
deadline: 0.5s for everything, at most 1000 bytes, 3 retries
check: all(x{l="v"}) >= 1
check: count(x == 1) > 2
check: ratio(a, b{c=~"d"}) < 0.01 or empty
check: quantile(0.99, h) <= +Inf
check: absent({"n.m"})
check: fresh(t) < 5400s
"""


def test_explain_shows_how_it_was_understood_and_fetches_nothing(name):
    checks = ['x{l="v"}>=1', "count( x==1 )>2", 'ratio(a,b{c=~"d"}) < 1e-2 or empty',
              "quantile( 0.99 , h) <= Inf", 'absent({"n.m"})', "fresh(t) < 1h30m"]  # fmt: skip
    said = run(name, ["--explain", *[f"--check={c}" for c in checks], "--url", "unix:/run/app.sock!/m",
                      "--timeout=500ms", "--max-bytes=1000", "--retries=3"])  # fmt: skip
    assert (said.code, said.out) == (0, EXPLAINED)


def test_verbose_says_every_check_on_its_line(name):
    said = run(name, ["--url", "-", "-v", "--check", "x >= 1", "--check", "y >= 1"], b"x 1\n")
    assert (
        said.err
        == "ok      x >= 1: is 1\nFAILED  y >= 1: no such metric\nslo-probe: unhealthy: y >= 1: no such metric\n"
    )


def test_json_holds_every_check(name):
    said = run(
        name, ["--url", "-", "--json", "--check", 'x{a="b"} >= 1', "--check", "x < 5"], b"x +Inf\n"
    )
    assert said.json.pop("seconds") >= 0
    assert said.json["healthy"] is False
    assert said.json["checks"] == [
        {"check": 'x{a="b"} >= 1', "ok": False, "outcome": "missing", "value": None, "series": 0, "reason": "no series matches, 1 of that name"},
        {"check": "x < 5", "ok": False, "outcome": "value", "value": "+Inf", "series": 1, "reason": "x is +Inf, must be < 5"},
    ]  # fmt: skip


def test_a_reason_is_one_line_that_docker_keeps(name):
    checks = [f'x{{l="{"ü" * 100}{i}"}} >= 1' for i in range(40)]
    said = run(name, ["--url", "-", *[f"--check={c}" for c in checks]], b"x 1\n")
    assert said.err.count("\n") == 1
    assert 4000 < len(said.err.encode()) <= 4096
    assert said.err.endswith("...\n")
    assert "�" not in said.err


@pytest.mark.parametrize("flag", ["-h", "--help", "-V", "--version"])
def test_help_and_version_are_the_same_in_both(flag):
    native, python = run("native", [flag]), run("python", [flag])
    assert native == python
    assert native.code == 0
    assert native.err == ""


def test_every_option_is_in_the_help_and_in_the_documents():
    page = (PROBE.parents[1] / "docs" / "probe.md").read_text(encoding="utf-8")
    for option in [*slo_probe.VALUES, *slo_probe.FLAGS]:
        text = option.decode()
        if text != "--verbose":
            assert text in slo_probe.HELP.decode(), text
        assert f"`{text}" in page, text
    for function in slo_probe.FUNCTIONS:
        assert function.decode() + "(" in page


def test_the_limits_are_the_same_in_both():
    header = (PROBE / "native" / "limits.h").read_text(encoding="utf-8")
    defined = dict(re.findall(r"#define (MAX_\w+) (\d+)", header))
    shared = {name: value for name, value in defined.items() if hasattr(slo_probe, name)}
    assert {name: int(value) for name, value in shared.items()} == {
        name: getattr(slo_probe, name) for name in shared
    }
    assert len(shared) >= 15
    assert re.findall(r'#define VERSION "(.*)"', header) == [slo_probe.VERSION.decode()]
