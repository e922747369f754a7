"""YAML as nodes with line numbers, through libyaml where PyYAML was built with it.

Nodes keep the style of every scalar, so that what is written again means to promtool what it
meant before: `5m`, `yes` and `"1"` come out as they went in.
"""

from pathlib import Path

import yaml

from promtool.errors import BadFileError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_MERGE = "tag:yaml.org,2002:merge"
_NULL = "tag:yaml.org,2002:null"


def compose(path: Path) -> yaml.Node | None:
    """Read a file; raises BadFileError with the place of the mistake."""
    return compose_text(read(path), path)


def read(path: Path) -> str:
    """Return the text of a file; raises BadFileError."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        where = f"{path}: expected UTF-8, got byte {error.object[error.start]:#04x}"
        raise BadFileError(f"{where} at offset {error.start}; save the file as UTF-8") from error
    except OSError as error:
        raise BadFileError(f"{path}: cannot read: {error.strerror}; check the path") from error


def compose_text(text: str, path: Path) -> yaml.Node | None:
    """Read text that came from `path`; raises BadFileError with the place of the mistake."""
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise BadFileError(f"{where}: not YAML: {error.problem}; correct the syntax") from error
    except yaml.YAMLError as error:
        raise BadFileError(f"{path}: not YAML: {error}; correct the syntax") from error
    return node


def serialize(node: yaml.Node) -> str:
    """Write a node as one document, scalars in the style in which they were read."""
    text: str = yaml.serialize(node, Dumper=_DUMPER, width=1_000_000, allow_unicode=True)
    return text


def entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """Return the values of a mapping by key, merge keys resolved; no mapping gives no entries."""
    if not isinstance(node, yaml.MappingNode):
        return {}
    merged: dict[str, yaml.Node] = {}
    own: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            for source in reversed(
                value.value if isinstance(value, yaml.SequenceNode) else [value]
            ):
                merged |= entries(source)
        elif isinstance(key, yaml.ScalarNode):
            own[key.value] = value
    return merged | own


def items(node: yaml.Node | None) -> list[yaml.Node]:
    """Return the members of a sequence; anything else has none."""
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def text_of(node: yaml.Node | None, default: str = "") -> str:
    """Return the text of a scalar; null, absent and anything else give the default."""
    if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL:
        return default
    return str(node.value)


def texts(node: yaml.Node | None) -> tuple[str, ...]:
    """Return the texts of a sequence of scalars."""
    return tuple(text_of(item) for item in items(node))


def line_of(node: yaml.Node) -> int:
    """Return the line, counted from 1, on which the node begins."""
    return int(node.start_mark.line) + 1


def scalar(text: str) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", text)


def sequence(members: list[yaml.Node]) -> yaml.SequenceNode:
    return yaml.SequenceNode("tag:yaml.org,2002:seq", members)


def mapping(pairs: list[tuple[yaml.Node, yaml.Node]]) -> yaml.MappingNode:
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs)
