"""HTTP with deadlines, retries and secrets that are never shown: the only importer of httpx."""

from __future__ import annotations

import ipaddress
import json as json_format
import logging
import os
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from sloforge.errors import Problem

Params = Mapping[str, str | int]
TOO_MANY = 429
# Answers of a proxy or of a server that is starting: the same request may succeed a moment later.
PASSING = frozenset({TOO_MANY, 502, 503, 504})
QUOTED = 300
LAST_PORT = 65535
# At DEBUG it writes the headers of every answer, and with them cookies.
logging.getLogger("httpcore").setLevel(logging.WARNING)
# Those in which not one byte of the request has reached the server.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)


class Unreachable(Problem):
    """There was no answer, and nothing can have changed on the other side."""


class Lost(Problem):
    """The request may have been carried out: there was no answer, or half of one. Read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """Where a secret is found: an environment variable or a file. The value is never kept here."""

    variable: str = ""
    file: str = ""

    def __str__(self) -> str:
        return f"`{self.variable}`" if self.variable else f"file `{self.file}`"

    def read(self) -> str:
        """The value without surrounding white space. Raises Problem where there is none."""
        value = os.environ.get(self.variable, "") if self.variable else self._content()
        value = value.strip()
        if not value:
            what = "environment variable " * bool(self.variable)
            raise Problem(f"{what}{self}: must hold a secret, is empty or not set; set it")
        if not value.isprintable() or not value.isascii():
            what = "environment variable " * bool(self.variable)
            raise Problem(f"{what}{self}: must be one line of plain text; set it again")
        return value

    def _content(self) -> str:
        try:
            return Path(self.file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not text"
            raise Problem(f"{self}: cannot read the secret: {reason}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Seconds between attempts: full jitter under a doubling ceiling; Retry-After up to a cap."""

    attempts: int = 4
    first: float = 0.5
    most: float = 10.0
    longest_after: float = 30.0

    def pause(self, attempt: int, after: str | None) -> float:
        """How long to wait after the attempt of this number, counted from 0."""
        ceiling = min(self.most, self.first * 2.0**attempt)
        # The jitter decides when to ask again and guards nothing.
        jittered = random.uniform(0, ceiling)  # noqa: S311
        if after is not None and after.strip().isdecimal():
            return min(self.longest_after, float(after)) + jittered
        return jittered


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to reach a server; what is secret in `headers` is a Secret.

    `timeout` is for one attempt and `deadline` for all of them, both in seconds; `ca` is then the
    only authority that is trusted.
    """

    token: Secret | None = None
    user: str = ""
    password: Secret | None = None
    headers: tuple[tuple[str, Secret | str], ...] = field(default=(), repr=False)
    ca: str = ""
    certificate: str = ""
    key: str = ""
    timeout: float = 10.0
    deadline: float = 60.0
    max_bytes: int = 64 * 2**20
    retry: Retry = Retry()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server said, as it said it; the names of `headers` are in lower case.

    `asked` and `quoted` are for messages: they hold none of our secrets.
    """

    asked: str
    status: int
    headers: Mapping[str, str] = field(repr=False)
    text: str = field(repr=False)
    masked: Callable[[str], str] = field(default=str, repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004 - the class of success

    def json(self) -> object:
        """The body as JSON. Raises Problem where it is something else."""
        try:
            return json_format.loads(self.text)
        except ValueError:
            raise Problem(
                f"{self.asked}: expected JSON, got `{self.quoted}`; "
                "is the URL right, and is there a login page or a proxy in front?"
            ) from None

    @property
    def quoted(self) -> str:
        """The beginning of the body, or the message in it, on one line."""
        text = self.masked(" ".join(_message(self.text).split()))
        return text if len(text) <= QUOTED else f"{text[:QUOTED]}..."


def _message(text: str) -> str:
    """What the JSON of an error says in words; else the text itself."""
    try:
        found = json_format.loads(text)
    except ValueError:
        return text
    words = [found.get(name) for name in ("message", "error")] if isinstance(found, dict) else []
    return next((word for word in words if isinstance(word, str) and word), text)


class Client:
    """A server at one base URL; may be shared by threads."""

    def __init__(self, base_url: str, options: Options | None = None) -> None:
        self._options = options or Options()
        self.base_url = _checked(base_url)
        headers, self._hidden = _headers(self._options)
        self._http = httpx.Client(
            headers=headers,
            # Loading the authorities takes longer than a request, and http has no use for them.
            verify=_tls(self._options) if self.base_url.startswith("https:") else False,
            timeout=self._options.timeout,
            # A proxy from the environment is never on the way to this very machine.
            trust_env=not _is_loopback(self.base_url),
            limits=httpx.Limits(max_connections=16, max_keepalive_connections=8),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self.base_url!r})"

    def close(self) -> None:
        self._http.close()

    def request(  # noqa: PLR0913 - the parts of a request, all but two of them optional
        self,
        method: str,
        path: str,
        *,
        json: object = None,
        content: str | bytes | None = None,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> Answer:
        """Ask, and ask again what may be repeated; every status but a redirect is an answer.

        What is not `repeatable` is asked again only where it cannot have been carried out: after
        429 and where no connection came about. Raises Unreachable, Lost or Problem.
        """
        body = content if json is None else json_format.dumps(json, separators=(",", ":"))
        sent = {"content-type": "application/json"} if json is not None else {}
        request = self._http.build_request(
            method,
            self.base_url + "/" + path.lstrip("/"),
            content=body,
            params=dict(params) if params else None,
            headers=sent | dict(headers or {}),
        )
        asked = f"{method} {self._shown(str(request.url))}"
        return self._repeated(request, asked, repeatable=repeatable)

    def _repeated(self, request: httpx.Request, asked: str, *, repeatable: bool) -> Answer:
        end = time.monotonic() + self._options.deadline
        for attempt in range(self._options.retry.attempts):
            last = attempt + 1 == self._options.retry.attempts
            answer, failure = self._attempt(request, asked, end)
            again = _may_repeat(answer, failure, repeatable=repeatable)
            after = answer.headers.get("retry-after") if answer else None
            pause = self._options.retry.pause(attempt, after)
            if again and not last and time.monotonic() + pause < end:
                time.sleep(pause)
                continue
            if answer is not None:
                return answer
            assert failure is not None
            raise failure
        raise AssertionError("at least one attempt is made")  # pragma: no cover

    def _attempt(
        self, request: httpx.Request, asked: str, end: float
    ) -> tuple[Answer | None, Problem | None]:
        left = max(0.001, end - time.monotonic())
        timeout = httpx.Timeout(min(self._options.timeout, left))
        request.extensions = {**request.extensions, "timeout": timeout.as_dict()}
        try:
            with self._streamed(request) as response:
                return self._read(response, asked, end), None
        except _NOT_SENT as error:
            return None, Unreachable(f"{asked}: {self._reason(error)}; {_remedy(error)}")
        except httpx.TransportError as error:
            return None, Lost(
                f"{asked}: {self._reason(error)}; whether the server carried it out is not known"
            )

    @contextmanager
    def _streamed(self, request: httpx.Request) -> Iterator[httpx.Response]:
        response = self._http.send(request, stream=True)
        try:
            yield response
        finally:
            response.close()

    def _read(self, response: httpx.Response, asked: str, end: float) -> Answer:
        if response.is_redirect:
            place = self._shown(response.headers.get("location", "nowhere"))
            raise Problem(
                f"{asked}: must not be redirected, was sent to `{place}`; "
                "set the URL to where the server really is, and check that the login is accepted"
            )
        parts, size = [], 0
        for part in response.iter_bytes():
            size += len(part)
            if size > self._options.max_bytes:
                limit = self._options.max_bytes
                raise Problem(f"{asked}: the answer is larger than {limit} bytes; is the URL right")
            if time.monotonic() > end:
                raise httpx.ReadTimeout("the answer did not end before the deadline")
            parts.append(part)
        text = b"".join(parts).decode("utf-8", errors="replace")
        _refuse_half(response, text)
        headers = {name.lower(): value for name, value in response.headers.items()}
        status = response.status_code
        return Answer(asked=asked, status=status, headers=headers, text=text, masked=self._shown)

    def _reason(self, error: httpx.TransportError) -> str:
        if isinstance(error, httpx.TimeoutException):
            return f"no answer in time ({type(error).__name__})"
        return self._shown(str(error)) or type(error).__name__

    def _shown(self, text: str) -> str:
        """The text without any of our secrets, even where a server sends them back."""
        for secret in self._hidden:
            if secret in text:
                text = text.replace(secret, "***")
        return text


def _may_repeat(answer: Answer | None, failure: Problem | None, *, repeatable: bool) -> bool:
    if answer is not None:
        return answer.status in PASSING if repeatable else answer.status == TOO_MANY
    return repeatable or isinstance(failure, Unreachable)


def _refuse_half(response: httpx.Response, text: str) -> None:
    """Notice a cut body that neither a length nor chunks frame: its JSON does not end."""
    framed = "content-length" in response.headers or "transfer-encoding" in response.headers
    if framed or "json" not in response.headers.get("content-type", ""):
        return
    try:
        json_format.loads(text)
    except ValueError:
        raise httpx.RemoteProtocolError("the answer ends in the middle") from None


def _checked(base_url: str) -> str:
    """The URL without a closing slash. Raises Problem where it is none, or holds credentials."""
    try:
        url = httpx.URL(base_url)
    except (httpx.InvalidURL, ValueError):
        message = "the URL of the server cannot be read; write it as https://host/path"
        raise Problem(message) from None
    if url.userinfo:
        bare = url.copy_with(userinfo=b"")
        raise Problem(
            f"{bare}: must not hold credentials; "
            "put them into environment variables or files and name those"
        )
    port = url.port or 0
    if (
        port > LAST_PORT
        or url.scheme not in ("http", "https")
        or not url.host
        or url.query
        or url.fragment
    ):
        raise Problem(f"{url}: must be an address like https://host/path, without `?` and `#`")
    return str(url).rstrip("/")


def _is_loopback(base_url: str) -> bool:
    host = httpx.URL(base_url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _headers(options: Options) -> tuple[dict[str, str], tuple[str, ...]]:
    """What is sent with every request, and the values that may never be shown."""
    found = {"accept-encoding": "identity", "user-agent": "sloforge"}
    hidden: list[str] = []
    for name, value in options.headers:
        found[name.lower()] = value.read() if isinstance(value, Secret) else value
        if isinstance(value, Secret):
            hidden.append(found[name.lower()])
        elif not (value.isprintable() and value.isascii()):
            raise Problem(f"header `{name}`: must be one line of plain text; set it again")
    if options.token:
        token = options.token.read()
        found["authorization"] = f"Bearer {token}"
        hidden.append(token)
    elif options.user and options.password:
        password = options.password.read()
        basic = httpx.BasicAuth(options.user, password)
        request = next(basic.auth_flow(httpx.Request("GET", "http://localhost")))
        found["authorization"] = request.headers["authorization"]
        hidden += [password, found["authorization"].removeprefix("Basic ")]
    return found, tuple(sorted({secret for secret in hidden if secret}, key=len, reverse=True))


def _tls(options: Options) -> ssl.SSLContext:
    """Raises Problem where a file cannot be read, or holds no certificate."""
    named = options.ca or options.certificate
    try:
        if options.ca:
            context = ssl.create_default_context(cafile=options.ca)
        else:
            context = httpx.create_ssl_context()
        if options.certificate:
            named = options.certificate
            # A key with a password would make OpenSSL ask on the terminal.
            context.load_cert_chain(options.certificate, options.key or None, password="")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "no PEM file"
        raise Problem(f"{named}: cannot use this certificate: {reason}") from None
    return context


def _remedy(error: httpx.TransportError) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "name the authority that signed the server's certificate"
    return "check that the server runs and that the URL is right"
