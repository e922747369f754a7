import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.formats_project import PROJECT, SPECS, load, place, repository

from sloforge.errors import SpecProblem
from sloforge.specs import engine, jsonnet
from sloforge.specs.variables import Variables

LOOP = SPECS / "jsonnet" / "good" / "loop.jsonnet"


def refused(root: Path) -> str:
    with pytest.raises(SpecProblem) as caught:
        load(root)
    return str(caught.value)


def test_one_file_gives_services_of_several_formats(tmp_path):
    place(tmp_path, LOOP)
    found = [(slo.id, str(slo.objective)) for slo in load(tmp_path).slos]
    assert found == [
        ("library-north", "0.999"),
        ("library-south", "0.995"),
        ("reading-room-seats", "0.9995"),
    ]


def test_the_reference_implementation_says_the_same(tmp_path):
    reference = pytest.importorskip("_jsonnet")
    place(tmp_path, LOOP)
    path = tmp_path / "slos" / "jsonnet-loop.jsonnet"
    (ours,) = jsonnet.evaluate(tmp_path, [path], Variables())
    theirs = reference.evaluate_file(str(path))
    assert json.loads(ours.text) == json.loads(theirs)


def test_a_module_of_the_project_stands_in_for_none_of_pythons(tmp_path, monkeypatch):
    root = repository(tmp_path, a__jsonnet="{ x: nobody }")
    (root / "json.py").write_text("raise SystemExit('mine')\n")
    monkeypatch.chdir(root)
    assert "variable is not defined: nobody" in refused(root)


def test_what_never_ends_or_grows_without_bound_is_stopped_and_the_rest_is_read(tmp_path):
    endless = "std.foldl(function(a, b) a + b, std.range(1, 1000000000), 0)"
    huge = (
        "local d(n) = if n == 0 then 'xxxxxxxxxxxxxxxx' else d(n - 1) + d(n - 1); std.length(d(40))"
    )
    repository(tmp_path, a__jsonnet=endless, b__jsonnet=huge, c__jsonnet="{ x: nobody }")
    lines = refused(tmp_path).splitlines()
    stopped = ("is not done after 5 seconds of processor time; make it end", "make it smaller")
    assert lines[0].startswith("slos/a.jsonnet: ")
    assert lines[0].endswith(stopped)
    assert lines[1].startswith("slos/b.jsonnet: ")
    assert lines[1].endswith(stopped)
    assert lines[2] == "slos/c.jsonnet:1:6: not valid jsonnet: variable is not defined: nobody"


def test_what_is_too_much_to_hold_is_refused(tmp_path):
    root = repository(
        tmp_path,
        a__jsonnet=f"std.repeat('x', {engine.MAX_OUTPUT})",
        b__jsonnet="import 'big.libsonnet'",
        c__jsonnet="import 'bytes.libsonnet'",
        d__jsonnet="(import 'one.libsonnet').x",
    )
    with (root / "slos/big.libsonnet").open("wb") as sparse:
        sparse.truncate(3_000_000_000)
    (root / "slos/bytes.libsonnet").write_bytes(b"{ a: '\xff' }")
    (root / "slos/one.libsonnet").write_text("{ x: (import 'two.libsonnet').y }")
    (root / "slos/two.libsonnet").write_text("{ y: (import 'one.libsonnet').x }")
    assert refused(root).splitlines() == [
        "slos/a.jsonnet: expected at most 20,000,000 characters of JSON, got 20,000,002",
        "slos/b.jsonnet:1:8: not valid jsonnet: import of big.libsonnet: expected a file of at most 20,000,000 bytes, got 3,000,000,000",
        "slos/c.jsonnet:1:8: not valid jsonnet: import of bytes.libsonnet: expected UTF-8, got byte 0xff",
        "slos/two.libsonnet:1:31: not valid jsonnet: infinite recursion detected",
    ]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc")
def test_what_a_program_prints_without_end_is_not_kept(tmp_path):
    line = "x" * 10_000
    text = f"std.foldl(function(a, b) std.trace('{line}', a), std.range(1, 1000000000), 0)"
    repository(tmp_path, a__jsonnet=text)
    # Not ru_maxrss: a child begins with the peak of the process that forked it.
    code = "import re, sys; from tests.formats_project import load; from pathlib import Path\n"
    code += "try: load(Path(sys.argv[1]))\nexcept Exception as error: print(error)\n"
    code += "print(re.search(r'VmHWM:\\s*(\\d+) kB', Path('/proc/self/status').read_text())[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    told, kilobytes = done.stdout.splitlines()
    assert told.startswith("slos/a.jsonnet: ")
    assert int(kilobytes) < 300_000


def test_a_link_out_of_the_project_is_not_followed(tmp_path):
    outside = tmp_path / "secret.libsonnet"
    outside.write_text("{}")
    root = repository(tmp_path / "root", a__jsonnet="import 'b.libsonnet'")
    (root / "slos" / "b.libsonnet").symlink_to(outside)
    assert refused(root) == (
        "slos/a.jsonnet:1:8: not valid jsonnet: import of b.libsonnet: it is outside of the project"
    )


def test_links_that_a_bundler_makes_inside_vendor_are_followed_and_none_out_of_it(tmp_path):
    """`jb` links the short name of a library to its long one."""
    root = repository(tmp_path / "root", a__jsonnet="import 'short/x.libsonnet'")
    library = root / "vendor/example.org/lib/short"
    library.mkdir(parents=True)
    (library / "x.libsonnet").write_text("[]")
    (root / "vendor/short").symlink_to("example.org/lib/short")
    assert "expected a spec, got an empty list" in refused(root)
    (root / "vendor").rename(tmp_path / "elsewhere")
    (root / "vendor").symlink_to(tmp_path / "elsewhere")
    assert "it is outside of the project" in refused(root)


def test_a_variable_may_import_from_the_root_and_from_vendor_wherever_we_are(tmp_path, monkeypatch):
    code = "jsonnet: {ext_code: {a: \"(import 'slos/a.libsonnet') + (import 'b.libsonnet')\"}}\n"
    root = repository(tmp_path / "root", PROJECT + code, a__jsonnet="[std.extVar('a')]")
    (root / "vendor").mkdir()
    for path in ("slos/a.libsonnet", "vendor/b.libsonnet"):
        (root / path).write_text("1")
    monkeypatch.chdir(tmp_path)
    assert "expected a mapping or a list of them, got a single value" in refused(root)


def test_vendored_libraries_are_found(tmp_path):
    root = repository(tmp_path, a__jsonnet="(import 'lib/slo.libsonnet').service('shop')")
    (root / "vendor" / "lib").mkdir(parents=True)
    (root / "vendor" / "lib" / "slo.libsonnet").write_text(
        "{ service(name):: { version: 'sloforge/v1', service: name, owner: 'web', slos: [{"
        " name: 'answers', objective: 99.9,"
        " sli: { ratio: { total: 'all_total', bad: 'bad_total' } } }] } }"
    )
    assert [slo.id for slo in load(root).slos] == ["shop-answers"]
