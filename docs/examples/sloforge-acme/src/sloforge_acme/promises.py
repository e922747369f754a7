"""The reader of `acme-promises/v1`: a list of applications and how long each may be away."""

from collections.abc import Iterator, Sequence

from sloforge import up
from sloforge.extending import Document, Service, Slo, quote


def services(documents: Sequence[Document]) -> Iterator[Service]:
    for document in documents:
        for at, promise in enumerate(document.data.get("promises", ())):
            if "app" not in promise:
                raise document.refused("a promise without `app`", "name it", "promises", at)
            yield _service(document, at, promise["app"])


def _service(document: Document, at: int, app: str) -> Service:
    promised = document.data["promises"][at].get("up")
    gauge = f"acme_app_up{{app={quote(app)}}}"
    return Service(
        service=app,
        owner=document.data["team"],
        slos=[
            Slo(
                name="up",
                objective=promised,
                sli=up(gauge=gauge),
                at=document.at("promises", at, "up"),
            )
        ],
        at=document.at("promises", at),
    )
