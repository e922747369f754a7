"""Whatever is read: hits with a place and exit 1, never a traceback and never silence."""

import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sloforge.health.lint import hcltext, jsontext
from sloforge.health.lint.platforms import read, syntax
from sloforge.health.lint.run import gather, lint
from sloforge.health.lint.sources import Source
from sloforge.located import yamltext
from sloforge.located.tree import Malformed, every
from sloforge.located.words import Unresolved

FIXTURES = Path(__file__).parent / "fixtures"
TEXTS = [(path.name, path.read_text()) for path in sorted(FIXTURES.glob("*/good/*"))]
TEXTS += [
    ("envoy.json", '{"static_resources": {"clusters": [{"name": "a", "health_checks": [{}]}]}}')
]
MANY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join(['*' + chr(97 + at)] * 10)}]\n" for at in range(8)
)

# the file's name, its bytes, the whole message behind the name
BAD = [
    ("a.yaml", b"a: [1, 2\n", ":2:1: not valid YAML: did not find expected ',' or ']'"),
    (
        "a.yaml",
        b"a: {{ .Values.x }}\n",
        ":1:5: expected text as a key, got a list, a mapping or an alias; render it first: `helm template . | sloforge lint-health -`",
    ),
    (
        "a.yaml",
        b"{{- if .Values.x }}\na: 1\n",
        ":1:2: expected text as a key, got a list, a mapping or an alias; render it first: `helm template . | sloforge lint-health -`",
    ),
    ("a.yaml", b"a: 1\na: 2\n", ":2:1: duplicate key `a`; it is already at a.yaml:1:1"),
    ("a.yaml", b"a: *b\n", ":1:4: unknown anchor `*b`; define it with & before"),
    ("a.yaml", b"a: &b [*b]\n", ":1:8: anchor `*b` contains itself; write out what is meant"),
    ("a.yaml", b"a: \x01\n", ":1:4: not valid YAML: control character \\x01; remove it"),
    ("a.yaml", b"a: \xff\n", ":1:4: expected UTF-8, got byte 0xff; save the file as UTF-8"),
    (
        "a.yaml",
        BOMB.encode(),
        ":6:12: expected at most 300,000 values with all aliases expanded, got more; aliases of aliases grow without bound: write fewer",
    ),
    ("a.yaml", b"[" * 70, ":1:62: expected at most 60 levels of nesting, got more"),
    (
        "a.yaml",
        b"a" * 5_000_001,
        ": expected a file of at most 5,000,000 bytes, got 5,000,001; split it, or make it smaller",
    ),
    ("a.json", b'{"a": 1,}', ":1:9: not valid JSON: expected a value behind the comma, got `}`"),
    ("a.json", b'{"a" 1}', ":1:6: not valid JSON: expected `:`, got `1}`"),
    ("a.json", b'{"a": 1} x', ":1:10: not valid JSON: expected the end of the file, got `x`"),
    ("a.json", b'{"a": 01}', ":1:7: not valid JSON: expected a value or a mark, got `01}`"),
    (
        "a.json",
        b"[1,\n2",
        ":2:2: not valid JSON: expected a value or a mark, got the end of the file",
    ),
    ("a.json", b'{"a": 1, "a": 2}', ":1:10: duplicate key `a`; it is already at a.json:1:2"),
    ("a.json", b"[" * 100_000, ":1:62: expected at most 60 levels of nesting, got more"),
    (
        "a.tf",
        b'resource "a" "b" {\n',
        ":2:1: not valid HCL: expected `}` to end `resource` of line 1, got the end of the line",
    ),
    ("a.tf", b"a = \n", ":1:5: not valid HCL: expected a value, got the end of the line"),
    ("a.tf", b'a = "x\n', ':1:5: not valid HCL: expected the end of a text or a comment, got `"x`'),
    ("a.tf", b"a = f(1\n", ":1:5: not valid HCL: expected the end of `(`, got `f(1`"),
    ("a.tf", b"}\n", ":1:1: not valid HCL: expected a block or an attribute, got `}`"),
    ("a.tf", b"a = 1\na = 2\n", ":2:1: duplicate attribute `a`; it is already at a.tf:1:1"),
    ("a.tf", b"a {\n" * 70, ":61:4: expected at most 60 levels of nesting, got more"),
    (
        "nginx.conf",
        b"server {\n",
        ":2:1: not valid nginx syntax: expected `}` or `;` after `server`",
    ),
    (
        "nginx.conf",
        b"server {\n}\n}\n",
        ":3:1: not valid nginx syntax: a `}` too many, or a `;` too few",
    ),
    ("nginx.conf", b'server {\n a "b;\n}\n', ":2:4: not valid nginx syntax: a text has no end"),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "raw", "message"), BAD, ids=lambda value: str(value)[:30])
def test_a_file_that_cannot_be_read_is_said_with_its_place(here, name, raw, message):
    (here / name).write_bytes(raw)
    (hit,) = lint(gather([name])).hits
    assert (hit.id, hit.level, str(hit)) == ("HC001", "error", name + message)


def test_a_missing_file_a_pipe_and_a_device_are_said_and_not_waited_for(here):
    os.mkfifo(here / "pipe.yaml")
    (here / "a.yaml").symlink_to("nowhere")
    assert [
        str(hit) for hit in lint(gather(["pipe.yaml", "a.yaml", "/dev/zero", "gone", "a\0b"])).hits
    ] == [
        "/dev/zero: cannot be read: expected a regular file",
        "a.yaml: cannot be read: No such file or directory; remove the link, or put right where it points",
        "a\\x00b: cannot be read: not a path",
        "gone: cannot be read: No such file or directory",
        "pipe.yaml: cannot be read: expected a regular file",
    ]


def test_more_small_documents_than_can_be_read_soon_are_refused(here):
    (here / "many.yaml").write_text("a\n---\n" * 800_000)
    (hit,) = lint(gather(["many.yaml"])).hits
    assert str(hit).startswith("many.yaml:600001:1: expected at most 300,000 values")


def test_ten_megabytes_are_refused_before_they_are_parsed(here):
    (here / "big.yaml").write_bytes(b"- a\n" * 2_500_000)
    (hit,) = lint(gather(["big.yaml"])).hits
    assert (
        str(hit)
        == "big.yaml: expected a file of at most 5,000,000 bytes, got 10,000,000; split it, or make it smaller"
    )


def test_a_directory_is_walked_and_hidden_and_foreign_folders_are_not(here):
    for name in ("b/k.yaml", "a/Dockerfile", ".git/k.yaml", "node_modules/k.yaml", "b/README.md"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text("FROM x\n" if "Docker" in name else "color: blue\n")
    assert [(hit.id, hit.level, hit.where.path) for hit in lint(gather(["."])).hits] == [
        ("HC601", "info", "a/Dockerfile"),
        ("HC002", "info", "b/k.yaml"),
    ]
    assert [hit.level for hit in lint(gather(["b/k.yaml"])).hits] == ["error"]


def test_an_empty_directory_is_no_success(here):
    (hit,) = lint(gather(["."])).hits
    assert str(hit) == ".: expected files to check, found none; name the files"


K8S = "apiVersion: v1\nkind: Deployment\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n      containers:\n      - name: c\n        livenessProbe:\n"
WRONG = [
    (
        "k.yaml",
        K8S + "          tcpSocket: {port: 1}\n          periodSeconds: -1\n",
        ":11:26: periodSeconds: expected whole seconds, got -1; write a number that the platform takes",
    ),
    (
        "k.yaml",
        K8S + "          tcpSocket: {port: 1}\n          periodSeconds: true\n",
        ":11:26: periodSeconds: expected whole seconds, got true; write a number that the platform takes",
    ),
    (
        "k.yaml",
        K8S + "          tcpSocket: {port: 1}\n          failureThreshold: [3]\n",
        ":11:29: failureThreshold: expected a whole number, got a list; write a number that the platform takes",
    ),
    (
        "k.yaml",
        K8S + "          periodSeconds: 10\n",
        ":9:9: expected one of httpGet, tcpSocket, grpc, exec, got none; say what is asked",
    ),
    (
        "k.yaml",
        K8S.replace("livenessProbe:\n", "livenessProbe: yes\n"),
        ":9:24: livenessProbe: expected a mapping; write a probe, or remove the key",
    ),
    (
        "k.yaml",
        "apiVersion: v1\nkind: Pod\n",
        ":1:1: Pod/unnamed: expected a pod's spec, got none; write its template",
    ),
    (
        "k.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {annotations: {sloforge.dev/ignore: HC201}}\nspec: {containers: []}\n",
        ":3:47: sloforge.dev/ignore: expected `HC201=reason`, got `HC201`; an exception needs a reason",
    ),
    (
        "c.yaml",
        "services:\n  a:\n    image: b\n    healthcheck:\n      interval: 30\n",
        ":5:17: interval: expected a duration such as 1m30s, got 30; write a number that the platform takes",
    ),
    (
        "c.yaml",
        "services:\n  a:\n    image: b\n    healthcheck: [x]\n",
        ":4:18: healthcheck: expected a mapping; write `test:` below it",
    ),
    (
        "e.yaml",
        "health_checks:\n- timeout: 1m\n  interval: 8s\n  healthy_threshold: 1\n  unhealthy_threshold: 3\n",
        ":2:12: timeout: expected a duration such as 5s, got `1m`; write a number that the platform takes",
    ),
    (
        "e.yaml",
        "health_checks:\n- interval: 8s\n  timeout: 5s\n  healthy_threshold: 1\n",
        ":2:3: unhealthy_threshold: expected a value, got nothing; set it",
    ),
    (
        "e.yaml",
        "health_checks: 3\n",
        ":1:16: health_checks: expected a list; write `- timeout: ...`",
    ),
    (
        "Dockerfile",
        "FROM a\nHEALTHCHECK --timeout=soon CMD x\n",
        ":2:23: --timeout: expected a duration such as 1m30s, got `soon`; write a number that the platform takes",
    ),
    (
        "Dockerfile",
        "FROM a\nHEALTHCHECK --retry=1 CMD x\n",
        ":2:13: HEALTHCHECK: unknown option --retry; known are interval, timeout, start-period, start-interval, retries",
    ),
    (
        "Dockerfile",
        "FROM a\nHEALTHCHECK curl x\n",
        ":2:1: HEALTHCHECK: expected CMD or NONE; write `HEALTHCHECK CMD ...`",
    ),
    ("Dockerfile", "HEALTHCHECK CMD x\n", ":1:1: expected a FROM, got none; is this a Dockerfile?"),
    (
        "haproxy.cfg",
        "backend a\n  server b c check inter 2x\n",
        ":2:26: inter: expected a time such as 2s, got `2x`; write a number that the platform takes",
    ),
    (
        "nginx.conf",
        "upstream a {\n  server b max_fails=no;\n}\n",
        ":2:22: max_fails: expected a whole number, got `no`; write a number that the platform takes",
    ),
    (
        "plan.json",
        '{"planned_values": {"root_module": {"resources": [{"type": "aws_ecs_task_definition", "values": {"container_definitions": "[1"}}]}}}',
        ":1:123: container_definitions: not valid JSON: expected a value or a mark, got the end of the file; write a JSON list",
    ),
]


@pytest.mark.parametrize(("name", "text", "message"), WRONG, ids=lambda value: str(value)[-40:])
def test_a_setting_that_the_platform_cannot_read_is_said_with_its_place(here, name, text, message):
    (here / name).write_text(text)
    hits = [hit for hit in lint(gather([name])).hits if hit.id == "HC003"]
    assert [str(hit) for hit in hits] == [name + message]


def test_what_is_not_known_yet_is_said_and_not_judged(here):
    (here / "c.yaml").write_text(
        "services:\n  a:\n    image: b\n    healthcheck:\n      test: [CMD, x]\n      timeout: ${T}\n"
    )
    assert [str(hit) for hit in lint(gather(["c.yaml"])).hits] == [
        "c.yaml:6:16: timeout: `${T}` is not known before the file is rendered; lint the rendered file; for Terraform, `terraform show -json PLAN`"
    ]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"a": 1}', "json"),
        ("# x\nARG V=1\nFROM a\n", "dockerfile"),
        ('resource "a" "b" {\n}\n', "hcl"),
        ("global\n  daemon\nbackend a\n", "haproxy"),
        ("events {}\nhttp {\n}\n", "nginx"),
        ("apiVersion: v1\nkind: Pod\n", "yaml"),
    ],
)
def test_standard_input_is_known_by_how_it_begins(text, wanted):
    assert syntax(Source(path="<stdin>", text=text)) == wanted


def test_terraforms_expressions_are_read_around():
    text = """
locals { a = "x" }
resource "r" "n" {
  name    = "a-${lookup(var.m, "k")}" // comment
  list    = [1, "b", [true]]
  for     = [for x in var.l : x if x != "}"]
  map     = { a = 1, "b" = "c" }
  heredoc = <<-EOT
    } interval = 1
  EOT
  cond    = var.a ? 1 : 2 /* ] */
  call    = jsonencode({
    a = "]"
  })
  plain   = "$${x} \\"q\\""
  block { x = -1.5 }
  block { x = null }
}
"""
    body = hcltext.document(text, "a.tf").list("resource")[0].get("r", "n")
    assert body is not None
    assert body.text("plain") == '${x} "q"'
    assert [one.text("x") for one in body.list("block")] == ["-1.5", ""]
    assert "interval" in body.text("heredoc")
    unresolved = [key for key, one in body.items() if isinstance(one.value, Unresolved)]
    assert unresolved == ["name", "map", "cond"]
    assert body.text("call", "a") == "]"


@pytest.mark.parametrize(
    "text",
    [
        "<<A\n" * 20_000,
        "/*" * 40_000,
        '"\\' * 40_000,
        "a = [" * 20_000,
        "a = ${" * 20_000,
        '"${' * 30_000,
    ],
)
def test_a_text_that_never_ends_is_refused_in_no_time(text):
    with pytest.raises(Malformed):
        hcltext.document(f"a = {text}", "a.tf")


@pytest.mark.parametrize("name", ["haproxy.cfg", "nginx.conf", "Dockerfile"])
@pytest.mark.parametrize(
    "text",
    ["'" * 50_000, "\\" * 50_001, "backend a\n" * 20_000, "server a {" * 5000, "<<A " * 20_000],
)
def test_lines_of_nonsense_take_no_time_either(name, text):
    read(Source(path=name, text=f"backend x\nhttp {{\nRUN {text}"))


def test_json_and_yaml_read_the_same_from_json():
    text = (FIXTURES / "terraform/good/plan.json").read_text()
    ours, theirs = jsontext.document(text, "a"), yamltext.documents(text, "a")[0]

    def scalars(node):
        return [
            (one.where, one.value) for one in every(node) if not isinstance(one.value, dict | list)
        ]

    assert scalars(ours) == scalars(theirs)


def mangled(text, seed):
    """A text with some of its parts lost, doubled, swapped or replaced."""
    rng = random.Random(seed)
    junk = [
        "",
        " ",
        "\t",
        "\n",
        "0",
        "-1",
        "9" * 40,
        "{",
        "}",
        "[",
        "]",
        '"',
        "'",
        "*a",
        "&a ",
        "<<: ",
        "${x}",
        "{{",
        "\\",
        "\0",
        "é",
        "#",
        ";",
        "null",
        "!!t ",
        "1e9",
        "- ",
    ]
    for _ in range(rng.randint(1, 6)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.choice((0, 0, 1, 3, 12, 80)))
        part = rng.choice(junk) if rng.random() < 0.7 else text[rng.randrange(len(text) + 1) :][:60]
        text = text[:start] + part + text[end:]
    return text


@MANY
@given(which=st.integers(0, len(TEXTS) - 1), seed=st.integers(0, 10**9))
def test_a_mangled_file_gives_hits_with_places(which, seed):
    name, text = TEXTS[which]
    check_read(name, mangled(text, seed))


@MANY
@given(
    name=st.sampled_from(
        ["a.yaml", "a.json", "a.tf", "a.cfg", "nginx.conf", "Dockerfile", "<stdin>"]
    ),
    text=st.text(max_size=200),
)
def test_any_text_gives_hits_with_places(name, text):
    check_read(name, text)


def check_read(name, text):
    found = read(Source(path=name, text=text))
    for hit in found.hits:
        assert hit.where.path == name
        assert hit.what
        assert hit.where.line <= text.count("\n") + 3
    for unit in found.units:
        for check in unit.checks:
            for setting in check.settings:
                slot = setting.slot
                if slot is not None and slot.end > slot.start:
                    assert text[slot.start : slot.end].strip("\"' \n")


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 10**12)
    | st.sampled_from(["8s", "x", "", "10", "${a}"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["port", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@MANY
@given(which=st.integers(0, len(TEXTS) - 1), data=st.data())
def test_any_value_at_any_place_of_a_good_tree_is_survived(which, data):
    import json

    import yaml

    name, text = TEXTS[which]
    if not name.endswith((".json", ".yaml")):
        return
    tree = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
    node: Any = tree
    parent: Any = None
    key: Any = None
    while isinstance(node, dict | list) and node:
        parent = node
        key = data.draw(
            st.sampled_from(sorted(node))
            if isinstance(node, dict)
            else st.integers(0, len(node) - 1)
        )
        node = node[key]
        if data.draw(st.integers(0, 5)) == 0:
            break
    if parent is not None:
        parent[key] = data.draw(values)
    check_read(name, json.dumps(tree, indent=1))
