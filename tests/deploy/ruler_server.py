"""A strict ruler: the configuration API as Grafana Mimir documents it, and what it does besides.

https://grafana.com/docs/mimir/latest/references/http-api/#ruler-rules: 202 for writes, one group in
YAML for each POST, 404 `no rule groups found`, limits of rules and groups by tenant, and rules that
are visible in /api/v1/rules only after a while.
"""

import contextlib
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

PREFIX = "/prometheus"
RULES = f"{PREFIX}/config/v1/rules"
GROUP_KEYS = {"name", "interval", "rules", "limit", "query_offset", "source_tenants"}
RULE_KEYS = {"record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
Groups = dict[str, dict[str, Any]]


@dataclass(slots=True)
class Ruler:
    """Tenant -> namespace -> group -> its YAML."""

    tenants: dict[str, dict[str, Groups]] = field(default_factory=dict)
    token: str = ""
    max_rules: int = 20
    max_groups: int = 70
    # How many times /api/v1/rules answers with what was there before a write.
    lag: int = 2
    visible: dict[str, list[Any]] = field(default_factory=dict)
    stale: int = 0
    errors: dict[str, str] = field(default_factory=dict)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    # Statuses to answer the next writes with, instead of taking them.
    faults: list[int] = field(default_factory=list)
    # Whether it says 202 to deletions and goes on as before.
    deaf: bool = False
    # Whether somebody else deletes a group right before we do.
    vanishing: bool = False
    asked: list[str] = field(default_factory=list)
    # What queries answer, and which were asked.
    results: dict[str, list[Any]] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)
    # Groups that the ruler has not come to yet.
    unseen: set[str] = field(default_factory=set)
    url: str = ""

    def of(self, tenant: str) -> dict[str, Groups]:
        return self.tenants.setdefault(tenant, {})

    def write(self, tenant: str, namespace: str, body: bytes) -> tuple[int, str]:
        try:
            group = yaml.safe_load(body)
        except yaml.YAMLError:
            return 400, "unable to decode rule group"
        if wrong := self._wrong(tenant, namespace, group):
            return 400, wrong
        self.before(tenant)
        self.of(tenant).setdefault(namespace, {})[group["name"]] = group
        return 202, json.dumps({"status": "success", "data": None, "errorType": "", "error": ""})

    def delete(self, tenant: str, namespace: str, name: str) -> tuple[int, str]:
        groups = self.of(tenant).get(namespace, {})
        if name not in groups:
            return 404, "group does not exist"
        if self.deaf:
            return 202, '{"status":"success"}'
        self.before(tenant)
        del groups[name]
        if not groups:
            del self.of(tenant)[namespace]
        if self.vanishing:
            return 404, "group does not exist"
        return 202, '{"status":"success"}'

    def before(self, tenant: str) -> None:
        """What goes on being shown for a while."""
        if self.stale == 0:
            self.visible[tenant] = self._shown(tenant)
        self.stale = self.lag

    def rules(self, tenant: str) -> list[Any]:
        if self.stale > 0:
            self.stale -= 1
            return self.visible.get(tenant, [])
        return self._shown(tenant)

    def _wrong(self, tenant: str, namespace: str, group: Any) -> str:
        if not isinstance(group, dict) or not group.get("name"):
            return "invalid rules configuration: rule group name must not be empty"
        unknown = group.keys() - GROUP_KEYS
        unknown |= {key for rule in group["rules"] for key in rule.keys() - RULE_KEYS}
        if unknown:
            return f"unable to decode rule group: field {min(unknown)} not found"
        if len(group["rules"]) > self.max_rules:
            return f"per-user rules per rule group limit (limit: {self.max_rules}) exceeded"
        names = {(space, name) for space, groups in self.of(tenant).items() for name in groups}
        if len(names | {(namespace, group["name"])}) > self.max_groups:
            return f"per-user rule groups limit (limit: {self.max_groups}) exceeded"
        return ""

    def _shown(self, tenant: str) -> list[Any]:
        return [
            {
                "name": group["name"],
                "file": namespace,
                "interval": _seconds(group.get("interval", "60s")),
                "rules": [self._rule(rule, group["name"]) for rule in group["rules"]],
            }
            for namespace, groups in sorted(self.of(tenant).items())
            for group in groups.values()
        ]

    def _rule(self, rule: dict[str, Any], group: str) -> dict[str, Any]:
        name = rule.get("record") or rule["alert"]
        error = self.errors.get(name, "")
        return {
            "type": "recording" if "record" in rule else "alerting",
            "name": name,
            "query": rule["expr"],
            "duration": _seconds(rule.get("for", "0s")),
            "keepFiringFor": _seconds(rule.get("keep_firing_for", "0s")),
            "labels": rule.get("labels", {}),
            "annotations": rule.get("annotations", {}),
            "health": "err" if error else "unknown" if group in self.unseen else "ok",
            "lastError": error,
            "lastEvaluation": f"{'0001' if group in self.unseen else '2026'}-01-05T10:15:00Z",
        }


@contextlib.contextmanager
def ruler(**settings: Any) -> Iterator[Ruler]:
    kept = Ruler(**settings)
    handler = type("Handler", (_Handler,), {"ruler": kept})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    kept.url = f"http://127.0.0.1:{server.server_address[1]}{PREFIX}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    ruler: Ruler
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        self.ruler.asked.append(f"{self.command} {self.path}")
        status, text = self._routed(path, body)
        raw = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _routed(self, path: str, body: bytes) -> tuple[int, str]:
        tenant = self.headers.get("X-Scope-OrgID", "")
        if not tenant:
            return 401, "no org id"
        if self.ruler.token and self.headers.get("Authorization") != f"Bearer {self.ruler.token}":
            return 401, f"invalid token {self.headers.get('Authorization')}"
        if self.command != "GET" and self.ruler.faults:
            return self.ruler.faults.pop(0), "fault"
        if path == f"{PREFIX}/api/v1/rules":
            return _data({"groups": self.ruler.rules(tenant)})
        if path == f"{PREFIX}/api/v1/alerts":
            return _data({"alerts": self.ruler.alerts})
        if path == f"{PREFIX}/api/v1/query":
            (query,) = parse_qs(urlsplit(self.path).query)["query"]
            self.ruler.queries.append(query)
            return _data({"resultType": "vector", "result": self.ruler.results.get(query, [])})
        if path == f"{PREFIX}/api/v1/format_query":
            (query,) = parse_qs(urlsplit(self.path).query)["query"]
            return _data(" ".join(query.split()))
        if not path.startswith(RULES):
            return 404, "404 page not found"
        parts = [unquote(part) for part in path.removeprefix(RULES).split("/") if part]
        return self._configured(tenant, parts, body)

    def _configured(self, tenant: str, parts: list[str], body: bytes) -> tuple[int, str]:
        spaces = self.ruler.of(tenant)
        match self.command, parts:
            case "GET", []:
                if not spaces:
                    return 404, "no rule groups found"
                found = {name: list(groups.values()) for name, groups in spaces.items()}
                return 200, yaml.safe_dump(found)
            case "GET", [namespace, name]:
                group = spaces.get(namespace, {}).get(name)
                return (
                    (404, "group does not exist") if group is None else (200, yaml.safe_dump(group))
                )
            case "POST", [namespace]:
                if self.headers.get("Content-Type") != "application/yaml":
                    return 415, "expected application/yaml"
                return self.ruler.write(tenant, namespace, body)
            case "DELETE", [namespace, name]:
                return self.ruler.delete(tenant, namespace, name)
        return 405, "method not allowed"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Says nothing."""


def _seconds(text: str) -> float:
    """Of `90s`, `100ms` or Go's `0h0m90s`."""
    found = re.fullmatch(r"(?:0h)?(?:0m)?(?:0s)?(\d+)(ms|s)", text)
    assert found, text
    return int(found[1]) / (1000 if found[2] == "ms" else 1)


def _data(found: Any) -> tuple[int, str]:
    return 200, json.dumps({"status": "success", "data": found})
