"""The generator `acme-catalog`: what is promised, as the table that our catalogue reads."""

from collections.abc import Iterator

from sloforge.extending import Artifact, Project

PATH = "generated/acme-catalog/promises.csv"


def catalog(project: Project) -> Iterator[Artifact]:
    rows = [
        f"{service.name},{service.owner},{slo.name},{slo.sli.kind}"
        for service in project.services
        for slo in service.slos
    ]
    yield Artifact(PATH, "\n".join(["service,owner,slo,sli", *rows]) + "\n")
