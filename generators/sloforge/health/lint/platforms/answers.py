"""A saved health answer (Spring, ASP.NET, application/health+json) -> what it depends on.

https://datatracker.ietf.org/doc/html/draft-inadarei-api-health-check
"""

from __future__ import annotations

import re

from sloforge.health.lint.fields import Notes
from sloforge.health.lint.found import Found
from sloforge.health.lint.model import Answer
from sloforge.located.tree import Node

# Spring's `components`, ASP.NET's `entries` and `results`, the draft's `checks`.
_LISTS = ("components", "entries", "results", "checks")
# What a process can tell of itself.
_LOCAL = re.compile(
    "diskspace|ping|livenessstate|readinessstate|ssl|self|uptime|cpu|memory|system|process"
)


def read(node: Node, _: Notes) -> Found | None:
    """One answer; `status` and a mapping of parts."""
    if not node.text("status"):
        return None
    for name in _LISTS:
        found = node.get(name)
        if found is not None and isinstance(found.value, dict):
            remote = tuple(sorted(key for key, _ in found.items() if _remote(key)))
            return Found(answers=(Answer(where=found.key or found.where, remote=remote),))
    return None


def _remote(name: str) -> bool:
    return not _LOCAL.fullmatch(name.partition(":")[0].lower().replace("_", ""))
