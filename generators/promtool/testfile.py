"""Test files of promtool, read into groups that can each be run alone."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from promtool import nodes
from promtool.durations import milliseconds
from promtool.errors import BadFileError
from promtool.results import Kind

# `# promtool needs: left_open_ranges` states what cannot be read off the test itself.
_NEEDS = re.compile(r"^# promtool needs: *([a-z0-9_, ]+?) *$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One assertion as written: `empty` when it expects no alert or no sample."""

    kind: Kind
    subject: str
    eval_time: str
    line: int
    expected: str
    empty: bool

    @property
    def key(self) -> tuple[Kind, str, int | None]:
        return self.kind, self.subject, milliseconds(self.eval_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    series: str
    values: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestGroup:
    """One test group; `text` is its YAML as the one member of a sequence."""

    __test__ = False  # not a class of tests, whatever pytest makes of its name

    index: int
    name: str
    line: int
    interval: str
    cases: tuple[Case, ...]
    inputs: tuple[Series, ...]
    needs: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestFile:
    """A test file; `head` is its YAML without rule files and tests."""

    __test__ = False

    path: Path
    patterns: tuple[tuple[str, int], ...]
    order: tuple[tuple[str, int], ...]
    head: str
    groups: tuple[TestGroup, ...]


def load(path: Path) -> TestFile:
    """Read a test file; raises BadFileError."""
    text = nodes.read(path)
    root = nodes.compose_text(text, path)
    if not isinstance(root, yaml.MappingNode):
        raise BadFileError(f"{path}:1: expected a mapping with `tests`, got none; write one")
    found = nodes.entries(root)
    rest = [(key, value) for key, value in root.value if key.value not in {"rule_files", "tests"}]
    shared = (*_declared(text, path), *(["fuzzy_compare"] if "fuzzy_compare" in found else []))
    default = nodes.text_of(found.get("evaluation_interval"), "1m")
    members = nodes.items(found.get("tests"))
    return TestFile(
        path=path,
        patterns=_located(found.get("rule_files")),
        order=_located(found.get("group_eval_order")),
        head=nodes.serialize(nodes.mapping(rest)) if rest else "",
        groups=tuple(_group(i, node, default, shared) for i, node in enumerate(members)),
    )


def default_name(index: int) -> str:
    """Name a group that has no name, as promtool 3 does."""
    return f"unnamed#{index}"


def _declared(text: str, path: Path) -> tuple[str, ...]:
    from promtool.capabilities import CAPABILITIES  # noqa: PLC0415

    names = [name for found in _NEEDS.findall(text) for name in re.split(r"[, ]+", found) if name]
    for name in names:
        if name not in CAPABILITIES:
            known = ", ".join(CAPABILITIES)
            raise BadFileError(
                f"{path}: `# promtool needs: {name}`: unknown; expected any of {known}"
            )
    return tuple(names)


def _located(node: yaml.Node | None) -> tuple[tuple[str, int], ...]:
    return tuple((nodes.text_of(item), nodes.line_of(item)) for item in nodes.items(node))


def _group(index: int, node: yaml.Node, interval: str, shared: tuple[str, ...]) -> TestGroup:
    found = nodes.entries(node)
    alerts = [_alert_case(case) for case in nodes.items(found.get("alert_rule_test"))]
    exprs = [_expr_case(case) for case in nodes.items(found.get("promql_expr_test"))]
    inputs = tuple(_series(item) for item in nodes.items(found.get("input_series")))
    cases = (*alerts, *exprs)
    return TestGroup(
        index=index,
        name=nodes.text_of(found.get("name")) or default_name(index),
        line=nodes.line_of(node),
        interval=nodes.text_of(found.get("interval"), interval),
        cases=cases,
        inputs=inputs,
        needs=(*shared, *_needs(found, cases, inputs)),
        text=nodes.serialize(nodes.sequence([_with_interval(node, interval)])),
    )


def _with_interval(node: yaml.Node, interval: str) -> yaml.Node:
    # Before 2.49 a missing interval meant zero; since then it means the evaluation interval.
    if not isinstance(node, yaml.MappingNode) or "interval" in nodes.entries(node):
        return node
    return nodes.mapping([(nodes.scalar("interval"), nodes.scalar(interval)), *node.value])


def _series(node: yaml.Node) -> Series:
    found = nodes.entries(node)
    return Series(
        series=nodes.text_of(found.get("series")), values=nodes.text_of(found.get("values"))
    )


def _needs(
    found: dict[str, yaml.Node], cases: tuple[Case, ...], inputs: tuple[Series, ...]
) -> list[str]:
    histograms = any("{{" in item.values for item in inputs)
    histograms = histograms or any(c.kind == "expr" and " {{" in c.expected for c in cases)
    needs = ["native_histograms"] if histograms else []
    needs += ["start_timestamp"] if "start_timestamp" in found else []
    needs += ["utf8_names"] if any(_quotes_name(item.series) for item in inputs) else []
    return needs


def _quotes_name(series: str) -> bool:
    """Tell `{"http.requests", job="a"}` from the notation that every version reads."""
    return re.search(r'[{,]\s*"', re.sub(r'=\s*"(?:[^"\\]|\\.)*"', "=", series)) is not None


def _alert_case(node: yaml.Node) -> Case:
    found = nodes.entries(node)
    name = nodes.text_of(found.get("alertname"))
    alerts = [nodes.entries(item) for item in nodes.items(found.get("exp_alerts"))]
    written = [
        f"{_labels(a.get('exp_labels'))} {_labels(a.get('exp_annotations'))}" for a in alerts
    ]
    return _case("alert", name, node, written)


def _expr_case(node: yaml.Node) -> Case:
    found = nodes.entries(node)
    samples = [nodes.entries(item) for item in nodes.items(found.get("exp_samples"))]
    return _case("expr", nodes.text_of(found.get("expr")), node, [_sample(s) for s in samples])


def _case(kind: Kind, subject: str, node: yaml.Node, written: list[str]) -> Case:
    return Case(
        kind=kind,
        subject=subject,
        eval_time=nodes.text_of(nodes.entries(node).get("eval_time"), "0s"),
        line=nodes.line_of(node),
        expected=", ".join(written) or "none",
        empty=not written,
    )


def _sample(found: dict[str, yaml.Node]) -> str:
    value = nodes.text_of(found.get("histogram")) or nodes.text_of(found.get("value"), "0")
    return f"{nodes.text_of(found.get('labels'), '{}')} {value}"


def _labels(node: yaml.Node | None) -> str:
    pairs = sorted((key, nodes.text_of(value)) for key, value in nodes.entries(node).items())
    return "{" + ", ".join(f'{key}="{value}"' for key, value in pairs) + "}"
