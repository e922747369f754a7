import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sloforge.specs.schema import DIALECT, FORMS, schemas, text

ROOT = Path(__file__).parent.parent
SPECS = ROOT / "tests" / "specs"
FILES = {
    path.relative_to(ROOT).as_posix(): path
    for folder in (ROOT / "slos", SPECS / "good")
    for path in sorted(folder.rglob("*.y*ml"))
}
FILES["tests/specs/project.yaml"] = SPECS / "project.yaml"
# What an editor can see without knowing PromQL, arithmetic or the other files.
STRUCTURAL = [
    "address-without-scheme",
    "bad-and-good",
    "burn-factor-and-spend",
    "burn-neither-factor-nor-spend",
    "burn-severity",
    "burns-empty",
    "burns-number",
    "by-name",
    "fraction-for-tier",
    "job-with-braces",
    "label-name",
    "list-for-mapping",
    "mapping-for-list",
    "measured-no-percentile",
    "min-errors-negative",
    "missing-key",
    "missing-key-in-slo",
    "missing-objective",
    "missing-sli",
    "missing-total",
    "missing-version",
    "name-too-long",
    "name-with-capitals",
    "neither-bad-nor-good",
    "no-kind",
    "no-slos",
    "nothing-for-text",
    "nothing-for-window",
    "number-for-text",
    "objective-0",
    "objective-100",
    "objective-above",
    "objective-comma",
    "objective-list",
    "objective-negative",
    "objective-percent-sign",
    "objective-ratio",
    "objective-text",
    "objective-true",
    "panel-type",
    "project-missing-owners",
    "project-mode",
    "project-no-owner",
    "project-owner-name",
    "project-unknown-key-in-owner",
    "project-unknown-key-in-policy",
    "project-wrong-version",
    "quantile-95",
    "quantile-no-windows",
    "quantile-one",
    "quantile-with-objective",
    "runbook-path",
    "runbook-placeholder",
    "several",
    "text-for-list",
    "text-for-mapping",
    "text-for-number",
    "threshold-comparator",
    "threshold-negative",
    "threshold-unit",
    "threshold-zero",
    "tier-out-of-range",
    "two-kinds",
    "unknown-key",
    "unknown-key-far",
    "unknown-key-in-alerting",
    "unknown-key-in-burn",
    "unknown-key-in-panel",
    "unknown-key-in-sli",
    "unknown-key-in-slo",
    "unknown-kind",
    "version-of-project",
    "window-half",
    "window-number",
    "wrong-version",
    "yaml-list",
    "yaml-number-as-key",
    "yaml-text",
]


class Loader(yaml.SafeLoader):
    """As the specs are read, and as JSON is: only `true` and `false` are booleans."""


Loader.yaml_implicit_resolvers = {
    key: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag.rpartition(":")[2] not in ("bool", "timestamp")
    ]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("true|false"), list("tf"))
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[0-9.]+e[0-9]+"), list("0123456789")
)


def read(path: Path) -> Any:
    return yaml.load(path.read_text(), Loader)


def validator(name: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schemas()[name])


def kind(path: Path) -> str:
    return "project" if path.name.startswith("project") else "service"


@pytest.mark.parametrize("name", sorted(FORMS))
def test_a_schema_is_a_schema(name: str) -> None:
    schema = schemas()[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == DIALECT
    assert schema["$id"]
    assert schema["title"]


@pytest.mark.parametrize("name", sorted(FORMS))
def test_the_committed_schema_is_the_generated_one(name: str) -> None:
    committed = (ROOT / "docs" / "schema" / f"{name}.json").read_text()
    assert committed == text(schemas()[name])


def test_nothing_else_is_committed_beside_them() -> None:
    names = {path.name for path in (ROOT / "docs" / "schema").iterdir()}
    assert names == {f"{name}.json" for name in FORMS}


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_a_good_spec_is_valid(path: Path) -> None:
    errors = [f"{e.json_path}: {e.message}" for e in validator(kind(path)).iter_errors(read(path))]
    assert errors == []


@pytest.mark.parametrize("name", STRUCTURAL)
def test_a_structural_mistake_is_invalid(name: str) -> None:
    path = SPECS / "bad" / f"{name}.yaml"
    assert not validator(kind(path)).is_valid(read(path))


@pytest.mark.parametrize("path", FILES.values(), ids=FILES)
def test_a_spec_names_its_schema_in_the_first_line(path: Path) -> None:
    first = path.read_text().partition("\n")[0]
    start = "# yaml-language-server: $schema="
    assert first.startswith(start)
    target = path.parent / first.removeprefix(start)
    assert target.resolve() == ROOT / "docs" / "schema" / f"{kind(path)}.json"


def objects(part: Any) -> list[dict[str, Any]]:
    if isinstance(part, list):
        return [found for one in part for found in objects(one)]
    if not isinstance(part, dict):
        return []
    mine = [part] if part.get("type") == "object" else []
    return mine + [found for one in part.values() for found in objects(one)]


@pytest.mark.parametrize("name", sorted(FORMS))
def test_an_unknown_key_is_an_error_everywhere(name: str) -> None:
    for found in objects(schemas()[name]):
        assert "additionalProperties" in found


@pytest.mark.parametrize("name", sorted(FORMS))
def test_each_key_says_what_it_is(name: str) -> None:
    schema = schemas()[name]
    for found in objects(schema):
        for key, one in found.get("properties", {}).items():
            shared = schema["$defs"].get(one.get("$ref", "").rpartition("/")[2], {})
            assert one.get("description") or shared.get("description"), key


@pytest.mark.parametrize("name", sorted(FORMS))
def test_nothing_in_it_speaks_of_python(name: str) -> None:
    written = json.dumps(schemas()[name])
    for word in ("Form", "null", "Decimal", "timedelta", "datetime", "Selector"):
        assert f'"{word}' not in written
        assert f'{word}"' not in written
