"""The check `acme-words`: ACME001, an SLO that does not say in words what it promises."""

from collections.abc import Iterator

from sloforge.extending import Finding, Tree


def findings(tree: Tree) -> Iterator[Finding]:
    for slo in tree.project.slos:
        if not slo.description:
            yield Finding(
                id="ACME001",
                where=slo.source,
                what=f"`{slo.service}/{slo.name}` does not say what it promises",
                remedy="write a `description`",
                severity="warning",
            )
