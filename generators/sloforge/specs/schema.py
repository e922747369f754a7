"""JSON Schemas of the files that people write, made from the forms: help and errors in editors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sloforge.specs.forms import Form, ServiceForm
from sloforge.specs.planes_forms import PlanesForm
from sloforge.specs.settings import ProjectForm
from sloforge.specs.templates_forms import TemplateForm

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FORMS: Mapping[str, type[Form]] = {
    "planes": PlanesForm,
    "project": ProjectForm,
    "service": ServiceForm,
    "template": TemplateForm,
}
_TITLES = {
    "planes": "sloforge workload planes",
    "project": "sloforge project settings",
    "service": "sloforge service",
    "template": "sloforge SLI template",
}


def schemas() -> dict[str, dict[str, Any]]:
    """Name -> schema; the name is that of the file in docs/schema/ without its ending."""
    return {name: _schema(name, form) for name, form in sorted(FORMS.items())}


def text(schema: Mapping[str, Any]) -> str:
    """A schema as it stands in docs/schema/, and as `sloforge schema` prints it."""
    return json.dumps(schema, indent=2) + "\n"


def _schema(name: str, form: type[Form]) -> dict[str, Any]:
    made = form.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    found = {_short(key): _clean(part) for key, part in made.pop("$defs", {}).items()}
    head = {"$schema": DIALECT, "$id": f"urn:sloforge:schema:{name}", "title": _TITLES[name]}
    body = _clean(made)
    return head | {k: v for k, v in body.items() if k not in head} | {"$defs": found}


def _clean(part: Any) -> Any:
    """Without what pydantic says about Python: titles, nulls, the names of classes."""
    if isinstance(part, list):
        return [_clean(one) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return {k: v for k, v in part.items() if k == "description"} | {
            "$ref": f"#/$defs/{_short(name)}"
        }
    cleaned = {key: _clean(value) for key, value in part.items() if _wanted(key, value)}
    if "properties" in part:
        # Its keys are the spec's own words, of which `title` is one.
        cleaned["properties"] = {key: _clean(one) for key, one in part["properties"].items()}
    if "patternProperties" in part:
        cleaned["additionalProperties"] = False
    return _without_null(cleaned)


def _wanted(key: str, value: Any) -> bool:
    if key == "title":
        return not isinstance(value, str)
    return not (key == "default" and value in (None, "", [], {}))


def _without_null(part: dict[str, Any]) -> dict[str, Any]:
    """A key may be left out; it may not be written without a value."""
    choices = [one for one in part.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) != 1:
        return part | ({"anyOf": choices} if choices else {})
    rest = {key: value for key, value in part.items() if key != "anyOf"}
    only: dict[str, Any] = choices[0]
    return only | rest


def _short(name: str) -> str:
    return name.removesuffix("Form").lower()
