"""planes.yaml -> `Planes`, with every mistake at its place."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from string import Formatter
from urllib.parse import urlsplit

from sloforge.errors import Finding, SpecProblem
from sloforge.located import tree, yamltext
from sloforge.model import Service
from sloforge.planes import FILE, Api, Credential, Plane, Planes
from sloforge.promql import duration
from sloforge.specs import files
from sloforge.specs.mistakes import Place, validated
from sloforge.specs.planes_forms import VERSION, ApiForm, PlaneForm, PlanesForm, TokenForm
from sloforge.specs.words import did_you_mean

_SHORTEST, _LONGEST = timedelta(seconds=1), timedelta(hours=1)
# What may stand between braces in the paths of the API.
_PLACEHOLDERS = {
    "user": {"user", "plane"},
    "oracle": {"oracle", "plane"},
    "predict": {"oracle", "plane"},
    "async_predict": {"oracle", "plane"},
    "result": {"id", "plane"},
    "cancel": {"id", "plane"},
}


def load(root: Path, services: Iterable[Service], findings: list[Finding]) -> Planes | None:
    """The project's planes; None where there is no file, or where `findings` grew."""
    path = root / FILE
    if not path.exists() and not path.is_symlink():
        return None
    node = _document(root, path, findings)
    found = None if node is None else _planes(node, findings)
    known = {service.name for service in services}
    if node is not None and found is not None and found.service not in known:
        remedy = did_you_mean(found.service, known)
        what = f"unknown service `{found.service}`"
        findings.append(Place(node, ("service",)).wrong(what, remedy, id_="S005"))
    return found


def load_file(path: Path) -> Planes:
    """One file by itself, wherever it lies. Raises SpecProblem with every mistake."""
    findings: list[Finding] = []
    node = _document(path.parent, path, findings)
    found = None if node is None else _planes(node, findings)
    if findings or found is None:
        raise SpecProblem(findings=findings)
    return found


def _document(root: Path, path: Path, findings: list[Finding]) -> tree.Node | None:
    try:
        return yamltext.parse(files.text_of(root, path), files.name_of(root, path))
    except tree.Malformed as refused:
        findings.append(refused.finding)
        return None


def _planes(node: tree.Node, findings: list[Finding]) -> Planes | None:
    version = tree.child_of(node, "version")
    if version is not None and isinstance(version.value, str) and version.value != VERSION:
        what = f"expected `{VERSION}`, got `{version.value}`"
        findings.append(Place(node, ("version",)).wrong(what, id_="S002"))
        return None
    form = validated(PlanesForm, node, findings)
    if isinstance(form, tuple):
        return None
    # What the head of the file says wrong is found again with every plane.
    mistakes = list(dict.fromkeys(_mistakes(form, Place(node))))
    findings += mistakes
    return None if mistakes else _made(form, node)


def _made(form: PlanesForm, node: tree.Node) -> Planes:
    return Planes(
        service=form.service,
        interval=form.interval,
        ttl=form.ttl,
        planes=tuple(_plane(form, one) for one in sorted(form.planes, key=lambda p: p.name)),
        source=node.where,
    )


def _plane(form: PlanesForm, one: PlaneForm) -> Plane:
    token = one.token or form.token
    return Plane(
        name=one.name,
        base_url=(one.base_url or form.base_url or "").replace("{plane}", one.name).rstrip("/"),
        user=(one.user or form.user).replace("{plane}", one.name),
        oracle=(one.oracle or form.oracle).replace("{plane}", one.name),
        token=_credential(token, one.name) if token else None,
        ca=one.ca or form.ca or "",
        timeout=one.timeout or form.timeout,
        deadline=one.deadline or form.deadline,
        slow_after=one.slow_after or form.slow_after,
        echo=form.echo,
        api=_api(form.api),
    )


def _credential(token: TokenForm, plane: str) -> Credential:
    file = (token.file or "").replace("{plane}", plane)
    return Credential(variable=token.env or "", file=file)


def _api(form: ApiForm) -> Api:
    return Api(
        user=form.user,
        oracle=form.oracle,
        predict=form.predict,
        async_predict=form.async_predict,
        result=form.result,
        cancel=form.cancel or "",
        id_key=form.id_key,
        status_key=form.status_key,
        done=tuple(form.done),
        failed=tuple(form.failed),
    )


def _mistakes(form: PlanesForm, place: Place) -> Iterator[Finding]:
    yield from _times(form, place)
    yield from _token(form.token, place.at("token"))
    yield from _placeholders(form.api, place.at("api"))
    yield from _duplicates(form, place)
    for at, one in enumerate(form.planes):
        here = place.at("planes", at)
        yield from _token(one.token, here.at("token"))
        yield from _address(form, one, here)
        yield from _plane_times(form, one, here)


def _times(form: PlanesForm, place: Place) -> Iterator[Finding]:
    if not _SHORTEST <= form.interval <= _LONGEST:
        bounds = f"{duration(_SHORTEST)} to {duration(_LONGEST)}"
        what = f"expected {bounds}, got {duration(form.interval)}"
        yield place.at("interval").wrong(what, id_="S007")
    if form.ttl <= form.interval:
        what = f"must be above the interval {duration(form.interval)}, got {duration(form.ttl)}"
        remedy = "with one late result every plane would be NO_VALUE; write twice the interval"
        yield place.at("ttl").wrong(what, remedy, id_="S007")


def _plane_times(form: PlanesForm, one: PlaneForm, place: Place) -> Iterator[Finding]:
    """Each bound must fit into the next."""
    head = Place(place.tree)
    limits = (
        ("deadline", one.deadline or form.deadline, "interval", form.interval),
        ("timeout", one.timeout or form.timeout, "deadline", one.deadline or form.deadline),
        (
            "slow_after",
            one.slow_after or form.slow_after,
            "deadline",
            one.deadline or form.deadline,
        ),
    )
    for key, value, of, limit in limits:
        if value > limit:
            where = place.at(key) if getattr(one, key) is not None else head.at(key)
            what = f"must be at most the {of} {duration(limit)}, got {duration(value)}"
            yield where.wrong(what, id_="S007")


def _token(token: TokenForm | None, place: Place) -> Iterator[Finding]:
    if token is not None and (token.env is None) == (token.file is None):
        yield place.wrong("expected exactly one of `env` and `file`", "never write the token here")


def _placeholders(api: ApiForm, place: Place) -> Iterator[Finding]:
    for key, known in _PLACEHOLDERS.items():
        text = getattr(api, key) or ""
        try:
            found = {name for _, name, _, _ in Formatter().parse(text) if name is not None}
        except ValueError:
            yield place.at(key).wrong(f"braces that do not match in `{text}`")
            continue
        for name in sorted(found - known):
            remedy = f"known are {', '.join(sorted(known))}"
            yield place.at(key).wrong(f"unknown placeholder `{{{name}}}`", remedy)
        if key in ("result", "cancel") and text and "id" not in found:
            yield place.at(key).wrong("expected the placeholder `{id}`, got none")


def _duplicates(form: PlanesForm, place: Place) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for at, one in enumerate(form.planes):
        if first.setdefault(one.name, at) != at:
            remedy = f"it is already at {place.at('planes', first[one.name], 'name').where}"
            what = f"duplicate plane `{one.name}`"
            yield place.at("planes", at, "name").wrong(what, remedy, id_="S004")


def _address(form: PlanesForm, one: PlaneForm, place: Place) -> Iterator[Finding]:
    url = one.base_url or form.base_url
    if url is None:
        yield place.wrong("missing key `base_url`", "write one here or in the head", id_="S002")
        return
    if one.base_url is None and "{plane}" not in url and len(form.planes) > 1:
        what = "expected `{plane}` in it, or every plane would be the same one"
        yield Place(place.tree, ("base_url",)).wrong(what)
        return
    where = place.at("base_url") if one.base_url else Place(place.tree, ("base_url",))
    named = url.replace("{plane}", one.name)
    if "{" in named or "}" in named:
        yield where.wrong(f"unknown placeholder in `{url}`", "known is {plane}")
        return
    try:
        parts = urlsplit(named)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        yield where.wrong(f"expected an address such as https://example.org, got `{url}`")
        return
    in_clear = parts.scheme == "http" and not _is_loopback(host)
    if (
        in_clear
        and (one.token or form.token)
        and (one.base_url or one.token or place.path[-1] == 0)
    ):
        yield where.wrong("the token would be sent in the clear", "write https://")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
