"""A file of any known kind -> its health checks; what is of no known kind is said."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from sloforge.errors import Location
from sloforge.health.lint import hcltext, jsontext
from sloforge.health.lint.fields import Notes
from sloforge.health.lint.found import NOTHING, Found, Reader, joined, unreadable
from sloforge.health.lint.model import Hit
from sloforge.health.lint.platforms import (
    answers,
    aws,
    compose,
    consul,
    dockerfile,
    envoy,
    gcp,
    haproxy,
    kubernetes,
    nginx,
    nomad,
    terraform,
)
from sloforge.health.lint.sources import MANIFESTS, Source
from sloforge.located import yamltext
from sloforge.located.tree import Malformed, Node

Syntax = Literal["dockerfile", "hcl", "haproxy", "nginx", "json", "yaml"]

READERS: tuple[Reader, ...] = (
    kubernetes.read,
    terraform.read,
    compose.read,
    aws.read,
    gcp.read,
    envoy.read,
    nomad.read,
    consul.read,
    answers.read,
)
KNOWN = (
    "Kubernetes, compose, Dockerfile, Terraform, AWS and Google Cloud JSON, HAProxy, Envoy, nginx, "
    "Consul, Nomad"
)
_SUFFIXES: dict[str, Syntax] = {
    "tf": "hcl",
    "hcl": "hcl",
    "nomad": "hcl",
    "json": "json",
    "yaml": "yaml",
    "yml": "yaml",
}
# What standard input begins with, and files whose name says nothing.
_SIGNS: tuple[tuple[Syntax, re.Pattern[str]], ...] = (
    ("json", re.compile(r"\A\s*[{\[]")),
    ("dockerfile", re.compile(r"(?i)\A(?:\s*(?:#|ARG\s)[^\n]*\n)*\s*FROM\s+\S")),
    (
        "hcl",
        re.compile(r'(?m)^[ \t]*(?:resource|data|provider|module|variable)[ \t]+"[^\n]*\{'),
    ),
    ("hcl", re.compile(r'(?m)^(?:services?|job[ \t]+"[^\n]*)[ \t]*\{')),
    (
        "haproxy",
        re.compile(r"(?m)^(?:global|defaults|(?:backend|listen|frontend) +\S+)[ \t]*$"),
    ),
    ("nginx", re.compile(r"(?m)^[ \t]*(?:http|upstream[ \t]+\S+|server|events)[ \t]*\{")),
)


def read(source: Source) -> Found:
    """Everything that a file holds, and what is wrong with how it is written."""
    notes = Notes()
    try:
        found = _read(source, notes)
    except Malformed as wrong:
        return Found(hits=(unreadable(wrong),))
    if not found.known:
        found = joined([found, Found(hits=(_unknown(source),), known=False)])
    return joined([found, Found(hits=tuple(notes.hits), known=found.known)])


def _unknown(source: Source) -> Hit:
    """An error for a file that somebody named, a remark for one that lies in a directory."""
    return Hit(
        id="HC002",
        level="error" if source.named else "info",
        where=Location(source.path),
        what="nothing in it is a health check or could have one",
        remedy=f"known are {KNOWN}",
    )


def _read(source: Source, notes: Notes) -> Found:
    match syntax(source):
        case "dockerfile":
            return dockerfile.read(source, notes)
        case "hcl":
            return _hcl(source, notes)
        case "haproxy":
            return haproxy.read(source, notes)
        case "nginx":
            return nginx.read(source, notes)
        case "json":
            node = jsontext.document(source.text, source.path)
            if source.file.endswith(".tf.json"):
                return terraform.configuration(node, notes)
            return _documents([node], notes)
        case "yaml":
            found = yamltext.documents(source.text, source.path, MANIFESTS)
            return _documents((one for one in found if one.value is not None), notes)
    return NOTHING


def _hcl(source: Source, notes: Notes) -> Found:
    """Terraform's own ending says so; else what stands in it."""
    node = hcltext.document(source.text, source.path)
    if not source.file.endswith(".tf"):
        for reader in (nomad.read, consul.configuration):
            if (found := reader(node, notes)) is not None:
                return found
    return terraform.configuration(node, notes)


def syntax(source: Source) -> Syntax | None:
    """By its name, and where that says nothing by how it begins; None: no known one."""
    name = source.file
    if source.dockerfile:
        return "dockerfile"
    suffix = name.rpartition(".")[2]
    if suffix in _SUFFIXES and suffix != name:
        return _SUFFIXES[suffix]
    signs = (sign for sign, pattern in _SIGNS if pattern.search(source.text))
    if name.endswith((".cfg", ".conf")):
        return next((sign for sign in signs if sign in ("haproxy", "nginx")), None)
    return next(signs, "yaml")


def _documents(nodes: Iterable[Node], notes: Notes) -> Found:
    return joined(_document(one, notes) for one in nodes)


def _document(node: Node, notes: Notes) -> Found:
    if isinstance(node.value, list):
        return joined(_document(one, notes) for one in node.list())
    for reader in READERS:
        found = reader(node, notes)
        if found is not None:
            return found
    return NOTHING
