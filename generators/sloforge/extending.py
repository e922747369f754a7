"""For authors of plugins: the type of each function that an entry point may name, and its words.

An entry point of the group `sloforge.<kind>` names one function; docs/plugins.md has an example of
each. A function gets its input as arguments and returns or yields its result. What it raises is
shown as a fault of the plugin, but for the refusals that are named here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sloforge.artifacts import Artifact, header, json_artifact, yaml_artifact
from sloforge.authoring import Service, Sli, Slo
from sloforge.authoring.document import Document
from sloforge.checks import Tree
from sloforge.deploy.target import (
    Config,
    Desired,
    Endpoint,
    Moved,
    Receipt,
    Step,
    Target,
    digest,
    verb_of,
)
from sloforge.errors import Finding, Location, Problem
from sloforge.located.tree import Malformed
from sloforge.model import Project
from sloforge.promql import quote

# `sloforge.readers`, named as the `version` of the format: all of its documents to services.
# Raises `document.refused(...)`, or Problem with findings, for what it cannot read.
Reader = Callable[[Sequence[Document]], Iterable[Service]]

# `sloforge.sli`, named as in `use`: keyword-only parameters, as under `with`, to a native SLI.
# Raises ValueError for a value that it refuses. Values of str, int, float, Decimal and bool are
# checked by their annotations.
SliFunction = Callable[..., Sli]

# `sloforge.generators`: the project to files below generated/<name>/, or to files whose names begin
# with <name> in recording/, rules/, dashboards/ and tests/rules/. The same project, the same bytes.
Generate = Callable[[Project], Iterable[Artifact]]

# `sloforge.checks`: everything that slos/ comes to, written out below `tree.root`, to findings.
# An id has three to eight letters and three digits: ACME001.
Check = Callable[[Tree], Iterable[Finding]]

# `sloforge.targets`, named as the `kind` in deploy.yaml: the configuration to what is deployed to.
# `config.options` are the plugin's own keys, which it judges itself. Raises Problem.
TargetFactory = Callable[[Config], Target]

__all__ = [
    "Artifact",
    "Check",
    "Config",
    "Desired",
    "Document",
    "Endpoint",
    "Finding",
    "Generate",
    "Location",
    "Malformed",
    "Moved",
    "Problem",
    "Project",
    "Reader",
    "Receipt",
    "Service",
    "Sli",
    "SliFunction",
    "Slo",
    "Step",
    "Target",
    "TargetFactory",
    "Tree",
    "digest",
    "header",
    "json_artifact",
    "quote",
    "verb_of",
    "yaml_artifact",
]
