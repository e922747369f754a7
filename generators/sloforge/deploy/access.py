"""A server of deploy.yaml -> an HTTP client that knows how to get in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from sloforge import web
from sloforge.deploy.target import Endpoint
from sloforge.errors import Problem


class Asks(Protocol):
    """What sends a request: a client, or a client on behalf of a tenant."""

    def request(  # noqa: PLR0913 - as web.Client has it
        self,
        method: str,
        path: str,
        *,
        content: str | bytes | None = None,
        params: web.Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> web.Answer: ...


@dataclass(frozen=True, slots=True)
class Tenant:
    """Sends the headers that name a tenant; they are no secret."""

    http: web.Client
    named: Mapping[str, str]

    def request(  # noqa: PLR0913 - as web.Client has it
        self,
        method: str,
        path: str,
        *,
        content: str | bytes | None = None,
        params: web.Params | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> web.Answer:
        sent = {**self.named, **(headers or {})}
        return self.http.request(method, path, content=content, params=params, headers=sent)


@contextmanager
def client(endpoint: Endpoint) -> Iterator[web.Client]:
    """Raises Problem where a secret is missing."""
    options = web.Options(
        token=secret(endpoint.token_env, endpoint.token_file),
        user=endpoint.user,
        password=secret(endpoint.password_env, endpoint.password_file),
        headers=(*endpoint.headers, *_secrets(endpoint)),
        ca=endpoint.ca_file,
        certificate=endpoint.cert_file,
        key=endpoint.key_file,
        timeout=endpoint.timeout,
        deadline=endpoint.timeout * 3,
        retry=web.Retry(attempts=3, first=0.2, most=2.0),
    )
    with web.Client(endpoint.url, options) as opened:
        yield opened


def _secrets(endpoint: Endpoint) -> Iterator[tuple[str, web.Secret]]:
    for name, variable in endpoint.secret_headers:
        yield name, web.Secret(variable=variable)


def secret(variable: str, file: str) -> web.Secret | None:
    return web.Secret(variable=variable, file=file) if variable or file else None


def data(answer: web.Answer) -> Any:
    """What an endpoint of Prometheus' API answered. Raises Problem with the server's own words."""
    if not answer.ok:
        raise refused(answer)
    found = answer.json()
    if not isinstance(found, dict) or found.get("status") != "success":
        raise Problem(f"{answer.asked}: expected `status: success`, got `{answer.quoted}`")
    return found["data"]


_REMEDIES = {
    401: "check the token, or the user and the password",
    403: "this login may not do it: give it the right",
    404: "is the URL right, with the path prefix that the server is behind?",
}


def refused(answer: web.Answer) -> Problem:
    remedy = _REMEDIES.get(answer.status, "read the server's log")
    return Problem(f"{answer.asked}: answered {answer.status} `{answer.quoted}`; {remedy}")
