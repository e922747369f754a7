"""Whatever stands in a spec: a project, or findings with a place. Never another exception."""

import copy
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sloforge import specs
from sloforge.errors import SpecProblem
from sloforge.generate.recording import recording
from sloforge.generate.rules import rules
from sloforge.model import Project
from sloforge.promql import Expression, Selector
from sloforge.sli.fixtures import labels_for
from sloforge.specs import expressions, project
from sloforge.specs.words import Wrong

SPECS = Path(__file__).parent / "specs"
GOOD = sorted((SPECS / "good").glob("*.y*ml"))
TREES = [(path.name, yaml.safe_load(path.read_text())) for path in GOOD]
MANY = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))

words = st.sampled_from(
    [
        "100",
        "0",
        "-1",
        "99.9",
        ".nan",
        ".inf",
        "1e1",
        "tbd",
        "30d",
        "0d",
        "1m",
        "5m",
        "400d",
        "workbook",
        "fast-burn",
        "quantile",
        "latency",
        "burns",
        "policy",
        "<burns>",
        "[key]",
        "$window",
        "x",
        "sum(x)",
        "rate(x[$window])",
        "{}",
        "{{x}}",
        "p50",
        "p100",
        "500ms",
        "le",
        "job",
    ]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    words,
    st.text(max_size=20),
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(words | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below: Any = ()
    if isinstance(tree, dict):
        below = tree.items()
    elif isinstance(tree, list):
        below = enumerate(tree)
    return [one for key, child in below for one in [(*path, key), *places(child, (*path, key))]]


def changed(tree: Any, path: tuple[Any, ...], how: str, value: Any) -> Any:
    tree = copy.deepcopy(tree)
    parent = tree
    for key in path[:-1]:
        parent = parent[key]
    if how == "drop":
        del parent[path[-1]]
    elif how == "rename" and isinstance(parent, dict):
        parent[str(value)] = parent.pop(path[-1])
    elif how == "wrap":
        parent[path[-1]] = [parent[path[-1]]]
    else:
        parent[path[-1]] = value
    return tree


@st.composite
def mutants(draw: st.DrawFn) -> tuple[str, str]:
    name, tree = draw(st.sampled_from(TREES))
    for _ in range(draw(st.integers(1, 3))):
        found = places(tree)
        if not found:
            break
        how = draw(st.sampled_from(["drop", "rename", "wrap", "retype", "retype"]))
        tree = changed(tree, draw(st.sampled_from(found)), how, draw(values))
    return name, yaml.safe_dump(tree, allow_unicode=True, default_flow_style=draw(st.booleans()))


def check(name: str, raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "slos").mkdir()
        (root / project.FILE).write_bytes((SPECS / "project.yaml").read_bytes())
        (root / "slos" / "minimal.yaml").write_bytes((SPECS / "good" / "minimal.yaml").read_bytes())
        if name.startswith("project"):
            (root / project.FILE).write_bytes(raw)
        else:
            (root / "slos" / "minimal.yaml").write_bytes(raw)
        try:
            loaded = specs.load(root, runbooks=False)
        except SpecProblem as problem:
            refused = problem.findings
        else:
            refused = ()
            exercise(loaded)
        for finding in refused:
            assert finding.where.path.startswith("slos/")
            assert finding.what
            assert str(finding).replace("\n", "").isprintable()


def exercise(loaded: Project) -> None:
    """What loads can be asked everything."""
    for slo in loaded.slos:
        assert slo.budget is None or 0 < slo.budget < 1
        for window in slo.ratio_windows:
            for text in (slo.sli.total(window, slo.by), slo.sli.errors(window, slo.by, "z")):
                expressions.parse(text)
    for artifact in (*recording(loaded), *rules(loaded)):
        assert artifact.text


@given(mutants())
@MANY
def test_a_changed_spec_loads_or_says_where_it_is_wrong(mutant: tuple[str, str]) -> None:
    name, text = mutant
    check(name, text.encode("utf-8", "replace"))


@given(st.sampled_from(GOOD), st.data())
@MANY
def test_a_damaged_file_loads_or_says_where_it_is_wrong(path: Path, data: st.DataObject) -> None:
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        length = data.draw(st.integers(0, 6))
        raw[at : at + length] = data.draw(
            st.binary(max_size=4)
            | st.sampled_from(
                [b"[", b"{", b"&a ", b"*a", b"<<: ", b"\t", b"!!", b": ", b"- ", b'"']
            )
        )
    check(path.name, bytes(raw))


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
@MANY
def test_any_bytes_load_or_say_where_they_are_wrong(raw: bytes) -> None:
    check("service", raw)


tokens = st.sampled_from(
    [
        "x",
        "sum",
        "by",
        "without",
        "(",
        ")",
        "{",
        "}",
        "[",
        "]",
        "5m",
        "0",
        '"a"',
        "=",
        "=~",
        "!=",
        ",",
        "+",
        "-",
        "*",
        "/",
        "^",
        "offset",
        "@",
        "end()",
        "on",
        "ignoring",
        "group_left",
        "rate",
        "increase",
        "$window",
        ":",
        "bool",
        ">",
        "or",
        "and",
        "unless",
        "1e999",
        "NaN",
        "\\",
        "`",
        "'",
        "#",
        "é",
        "99999999999999999999",
        "topk",
        "vector",
        "time()",
        "label_replace",
        "absent",
        "subquery",
        "le",
        "__name__",
        "{{.window}}",
        "${window}",
        "1h30m",
        "5",
        "%",
    ]
)


@given(
    st.lists(tokens, max_size=12).map(" ".join)
    | st.lists(tokens, max_size=12).map("".join)
    | st.text(max_size=40)
)
@settings(MANY, max_examples=400)
def test_any_text_is_promql_or_is_refused(text: str) -> None:
    try:
        source = expressions.source(text)
    except Wrong:
        return
    assert isinstance(source, Selector | Expression)
    assert expressions.parse(str(source))
    assert expressions.source(str(source)) == source


@given(
    st.from_regex(
        r"(\(|\)|\||\[\^?[a-c\-\d\\w]+\]|\\[dwsDWS.]|[a-c.$^]|[*+?]|\{[0-9]{1,2}\}){0,8}",
        fullmatch=True,
    )
)
@settings(MANY, max_examples=300)
def test_labels_made_up_for_a_selector_are_selected(pattern: str) -> None:
    text = f'x{{a=~"{pattern}"}}'.replace("\\", "\\\\")
    try:
        selector = expressions.selector(text)
    except Wrong:
        return
    labels = labels_for(selector)
    if labels is not None:
        assert selector.accepts(labels)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("(" * 20_000 + "x" + ")" * 20_000, id="brackets"),
        pytest.param("-" * 3_999, id="signs"),
        pytest.param("x" + "+x" * 1_990, id="sums"),
        pytest.param("x and " * 600 + "x", id="sets"),
        pytest.param("x" * 5_000, id="a long name"),
        pytest.param('x{a="' + "b" * 3_900, id="an open quote"),
        pytest.param("x y " * 900, id="many stops"),
        pytest.param("sum(" * 40 + "x y" + ")" * 40, id="a stop far inside"),
    ],
)
def test_what_would_bring_the_parser_down_is_refused(text: str) -> None:
    with pytest.raises(Wrong):
        expressions.parse(text)
