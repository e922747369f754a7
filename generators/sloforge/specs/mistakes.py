"""Mistakes of a spec, each put where it stands in the file and into words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from sloforge.errors import Finding, Location
from sloforge.located.tree import Node, Path, child_of, locate, plain, walk
from sloforge.located.words import printable, shown
from sloforge.specs.fields import PATTERNS
from sloforge.specs.forms import BURNS_BRANCH, POLICY_BRANCH, Form
from sloforge.specs.words import Wrong, did_you_mean

# pydantic's own words, which are no part of the file: a union's branches, and a mapping's keys.
_BRANCHES = (POLICY_BRANCH, BURNS_BRANCH)
_KEY = "[key]"

F = TypeVar("F", bound=Form)


@dataclass(frozen=True, slots=True)
class Place:
    """A path in a file: what is wrong there becomes a finding."""

    tree: Node
    path: Path = ()

    def at(self, *segments: str | int) -> Place:
        """Below this place."""
        return Place(self.tree, (*self.path, *segments))

    @property
    def where(self) -> Location:
        return locate(self.tree, self.path)

    @property
    def key(self) -> Location:
        """Where the key stands."""
        return locate(self.tree, self.path, key=True)

    @property
    def node(self) -> Node | None:
        """What stands here; None where nothing does."""
        found: Node | None = self.tree
        for segment in self.path:
            found = child_of(found, segment) if found is not None else None
        return found

    def wrong(self, what: str, remedy: str = "", *, id_: str = "S003") -> Finding:
        """The value here is wrong."""
        return _finding(self.where, _said(self.tree, self.path, what), remedy, id_)

    def misnamed(self, what: str, remedy: str = "", *, id_: str = "S003") -> Finding:
        """The key here is wrong, not its value."""
        return _finding(self.key, _said(self.tree, self.path, what), remedy, id_)


def validated(form: type[F], tree: Node, findings: list[Finding]) -> F | tuple[Path, ...]:
    """The tree as a form; else the paths that are wrong, with every mistake in `findings`."""
    empty = [path for path, node in walk(tree) if node.value is None] if tree.hollow else []
    for path in empty:
        remedy = "write one, or remove the key"
        findings.append(Place(tree, path).wrong("expected a value, got nothing", remedy))
    errors: list[Any] = []
    try:
        found = form.model_validate(plain(tree), by_alias=True)
    except ValidationError as error:
        errors = list(error.errors())
    if not errors and not empty:
        return found
    findings += [one for error in errors for one in _translated(form, tree, error)]
    return (*empty, *(_in_file(tree, error["loc"]) for error in errors))


def spelled(path: Path) -> str:
    """`slos[0].sli.ratio`."""
    text = ""
    for segment in path:
        text += f"[{segment}]" if isinstance(segment, int) else f"{'.' * bool(text)}{segment}"
    return text


def _finding(where: Location, what: str, remedy: str, id_: str) -> Finding:
    return Finding(id=id_, where=where, what=printable(what, "\n"), remedy=printable(remedy, "\n"))


def _said(tree: Node, path: Path, what: str) -> str:
    named = said(tree, path)
    return f"{named}: {what}" if named else what


def said(tree: Node, path: Path) -> str:
    """The path as the file has it: of what was made from another format, in that format's words."""
    name, rest = tree.said, path
    node = tree
    for at, segment in enumerate(path, 1):
        child = child_of(node, segment)
        if child is None:
            break
        node = child
        if node.said:
            name, rest = node.said, path[at:]
    below = spelled(rest)
    return f"{name}{'.' * bool(name and below and below[0] != '[')}{below}"


def _translated(form: type[Form], tree: Node, error: Any) -> Iterator[Finding]:
    here = Place(tree, _in_file(tree, error["loc"]))
    kind, path = error["type"], here.path
    if kind == "missing":
        parent = Place(tree, path[:-1])
        yield parent.wrong(f"missing key `{path[-1]}`", id_="S002")
    elif error["input"] is None:
        return
    elif kind == "extra_forbidden":
        known = {key for model in _models(form, path[:-1]) for key in _keys(model)}
        what, remedy = f"unknown key `{path[-1]}`", did_you_mean(str(path[-1]), known)
        where = locate(tree, path, key=True)
        yield _finding(where, _said(tree, path[:-1], what), remedy, "S002")
    elif error["loc"][-1] == _KEY:
        yield here.misnamed(*_words(error))
    else:
        yield here.wrong(*_words(error))


def _in_file(tree: Node, loc: Path) -> Path:
    """The path without the names of union branches."""
    found: list[str | int] = []
    node = tree
    for segment in loc:
        if segment == _KEY:
            break
        if segment in _BRANCHES:
            continue
        child = child_of(node, segment)
        found.append(segment)
        if child is None:
            break
        node = child
    return tuple(found)


def _keys(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield field.alias or name


def _models(form: type[BaseModel], path: Path) -> list[type[BaseModel]]:
    """The forms that may stand at a path."""
    types: list[Any] = [form]
    for segment in path:
        types = [inner for one in types for inner in _below(one, segment)]
    return [model for one in types for model in _inner(one)]


def _below(kind: Any, segment: str | int) -> list[Any]:
    """The types of what stands behind a segment: a key of a form, any key of a mapping, an item."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        fields = kind.model_fields.items()
        return [f.annotation for name, f in fields if (f.alias or name) == segment]
    arguments = get_args(kind)
    origin = getattr(kind, "__origin__", None)
    if origin is list:
        return [arguments[0]] if isinstance(segment, int) else []
    if origin is dict:
        return [arguments[1]]
    return [found for argument in arguments for found in _below(argument, segment)]


def _inner(kind: Any) -> list[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    if getattr(kind, "__origin__", None) in (list, dict):
        return []
    return [model for argument in get_args(kind) for model in _inner(argument)]


_TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
}
# Keys whose value is never shown: it may be the secret itself.
_SECRETS = ("token",)
# What a bound is called, and how it is said; lengths are compared, not values.
_BOUNDS = {
    "greater_than_equal": ("ge", "at least {}"),
    "less_than_equal": ("le", "at most {}"),
}
_LENGTHS = {
    "string_too_long": ("max_length", "at most {} characters"),
    "string_too_short": ("min_length", "{} or more characters"),
    "too_short": ("min_length", "{} or more items"),
    "too_long": ("max_length", "at most {} items"),
}


def _words(error: Any) -> tuple[str, str]:
    """What was expected and found, and the remedy; our own validators have said it already."""
    kind, given = error["type"], error["input"]
    if error["loc"][-1] == POLICY_BRANCH:
        return f"expected a policy's name or a list of burns, got {shown(given)}", ""
    if kind == "value_error":
        cause = error["ctx"]["error"]
        return str(cause), cause.remedy if isinstance(cause, Wrong) else ""
    if kind == "model_type" and error["loc"][-1] in _SECRETS:
        what = "expected the name of what holds it, `{env: NAME}` or `{file: PATH}`, got a text"
        return what, "write no secret here; if this was one, replace it"
    remedy = "quote it" if kind == "string_type" and not isinstance(given, dict | list) else ""
    got = shown(len(given) if kind in _LENGTHS else given)
    return f"expected {_expected(kind, error)}, got {got}", remedy


def _expected(kind: str, error: Any) -> str:
    context = error.get("ctx", {})
    if kind == "literal_error":
        return str(context["expected"]).replace("'", "`")
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(context["pattern"], f"text like {context['pattern']}")
    if (bound := (_BOUNDS | _LENGTHS).get(kind)) is not None:
        return bound[1].format(context[bound[0]])
    return _TYPES.get(kind) or f"another value ({error['msg']})"
