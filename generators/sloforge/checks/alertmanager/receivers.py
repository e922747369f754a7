"""The receivers: defined, used, without secrets in them, and with templates that exist."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from sloforge.checks.alertmanager.routes import named_by_project
from sloforge.checks.alertmanager.setup import PROJECT, near
from sloforge.errors import Finding, Location

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloforge.checks.alertmanager.routing import Path
    from sloforge.checks.alertmanager.setup import Setup

# Where a secret may stand (in which list of configurations; empty: anywhere), and the key that
# takes a file instead, with the version that brought it where that is after 0.25. Source:
# https://prometheus.io/docs/alerting/latest/configuration/ and the changelog of Alertmanager.
SECRETS: dict[tuple[str, str], str] = {
    ("", "slack_api_url"): "slack_api_url_file",
    ("", "opsgenie_api_key"): "opsgenie_api_key_file",
    ("", "victorops_api_key"): "victorops_api_key_file",
    ("", "smtp_auth_password"): "smtp_auth_password_file",
    ("", "smtp_auth_secret"): "",
    ("", "wechat_api_secret"): "",
    ("", "api_key"): "api_key_file",
    ("", "api_secret"): "",
    ("", "auth_password"): "auth_password_file",
    ("", "auth_secret"): "",
    ("", "bearer_token"): "bearer_token_file",
    ("", "bot_token"): "bot_token_file (Alertmanager 0.26)",
    ("", "client_secret"): "client_secret_file",
    ("", "credentials"): "credentials_file",
    ("", "password"): "password_file",
    ("", "secret_key"): "",
    ("discord_configs", "webhook_url"): "webhook_url_file (Alertmanager 0.28)",
    ("msteams_configs", "webhook_url"): "webhook_url_file (Alertmanager 0.28)",
    ("msteamsv2_configs", "webhook_url"): "webhook_url_file (Alertmanager 0.28)",
    ("pagerduty_configs", "routing_key"): "routing_key_file",
    ("pagerduty_configs", "service_key"): "service_key_file",
    ("pushover_configs", "token"): "token_file (Alertmanager 0.26)",
    ("pushover_configs", "user_key"): "user_key_file (Alertmanager 0.26)",
    ("slack_configs", "api_url"): "api_url_file",
}
_LOGIN = re.compile(r"[a-z]+://[^/@\s]+@")
_CALLED = re.compile(r'\{\{-?\s*template\s+"([^"]+)"')
_DEFINED = re.compile(r'\{\{-?\s*(?:define|block)\s+"([^"]+)"')
_BUILT_IN = re.compile(r"__.+|[a-z0-9]+\.default\..+")


def findings(setup: Setup) -> Iterator[Finding]:
    yield from _missing(setup)
    yield from _unused(setup)
    yield from _secrets(setup)
    yield from _template_files(setup)
    yield from _template_names(setup)


def _missing(setup: Setup) -> Iterator[Finding]:
    for key, name in named_by_project(setup):
        if name not in setup.receivers:
            what = f"{key}: receiver `{name}` is not in alertmanager/base.yml"
            remedy = near(name, setup.receivers)
            yield Finding(id="A003", where=Location(PROJECT), what=what, remedy=remedy)


def _unused(setup: Setup) -> Iterator[Finding]:
    used = set(_used(setup.config.get("route") or {}))
    for at, name in enumerate(setup.receivers):
        if name not in used:
            what = f"receivers[{at}]: no route leads to `{name}`"
            where = setup.where(("receivers", at))
            remedy = "remove it, or give it to an owner in slos/project.yaml"
            yield Finding(id="A004", where=where, what=what, remedy=remedy, severity="warning")


def _used(route: Mapping[str, Any]) -> Iterator[str]:
    if route.get("receiver"):
        yield str(route["receiver"])
    for child in route.get("routes") or ():
        yield from _used(child)


def _secrets(setup: Setup) -> Iterator[Finding]:
    for path, value in _leaves(setup.config, ()):
        if not isinstance(value, str) or not value:
            continue
        kinds = [segment for segment in path if str(segment).endswith("_configs")]
        key = str(path[-1])
        for kind in ("", *map(str, kinds)):
            if (kind, key) in SECRETS:
                yield setup.finding(
                    "A013", path, "a secret stands in the file", _instead(kind, key)
                )
        if _LOGIN.match(value):
            what = "a login stands in the URL"
            yield setup.finding("A013", path, what, "use `http_config` with `*_file` keys")


def _instead(kind: str, key: str) -> str:
    name, _, since = SECRETS[kind, key].partition(" ")
    if not name:
        return "Alertmanager takes no file for it: use a receiver that does"
    return f"put it into a file and name that with `{name}`" + (f" {since}" if since else "")


def _leaves(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(one, (*path, str(key)))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _leaves(one, (*path, at))
    elif path:
        yield path, value


def _template_files(setup: Setup) -> Iterator[Finding]:
    for at, pattern in enumerate(setup.config.get("templates") or ()):
        if not _absolute(pattern) and not _files(setup, pattern):
            what = f"no file matches `{pattern}`, and Alertmanager does not complain"
            remedy = "paths are relative to alertmanager/"
            yield setup.finding("A014", ("templates", at), what, remedy)


def _absolute(pattern: str) -> bool:
    return pattern.startswith("/")


def _files(setup: Setup, pattern: str) -> dict[str, str]:
    """As Go's filepath.Glob: a star stays within its folder."""
    wanted = f"alertmanager/{pattern}".split("/")
    return {
        path: text
        for path, text in setup.templates
        if len(parts := path.split("/")) == len(wanted) and all(map(fnmatchcase, parts, wanted))
    }


def _template_names(setup: Setup) -> Iterator[Finding]:
    """A name that nothing defines fails when the notification is sent, and nobody gets it."""
    patterns = setup.config.get("templates") or ()
    if any(map(_absolute, patterns)):
        return
    files = {k: v for pattern in patterns for k, v in _files(setup, pattern).items()}
    known = {name for text in files.values() for name in _DEFINED.findall(text)}
    for path, value in _leaves(setup.config.get("receivers") or [], ("receivers",)):
        for name in _undefined(str(value), known):
            what = f"template `{name}` is not defined"
            yield setup.finding("A014", path, what, near(name, known) if known else "")
    for file, text in sorted(files.items()):
        for line, content in enumerate(text.splitlines(), 1):
            for name in _undefined(content, known):
                what = f"template `{name}` is not defined"
                where = Location(file, line)
                yield Finding(id="A014", where=where, what=what, remedy=near(name, known))


def _undefined(text: str, known: set[str]) -> Iterator[str]:
    for name in _CALLED.findall(text):
        if name not in known and not _BUILT_IN.fullmatch(name):
            yield name
