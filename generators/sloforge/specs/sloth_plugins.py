"""The SLI plugins that many use with Sloth, as the queries they come to.

Source: the plugins of github.com/slok/sloth-common-sli-plugins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sloforge.located.words import shown
from sloforge.specs.words import did_you_mean

_FAILED = '=~"(5..|429)"'
# Plugin -> counter, the matcher of bad events, and options that are matchers.
_COUNTERS: dict[str, tuple[str, str, dict[str, str]]] = {
    "kubernetes/apiserver/availability": ("apiserver_request_total", f"code{_FAILED}", {}),
    "kubernetes/nginx-ingress/availability": (
        "nginx_ingress_controller_requests",
        f"status{_FAILED}",
        {},
    ),
    "slok-go-http-metrics/availability": (
        "http_request_duration_seconds_count",
        f"code{_FAILED}",
        {},
    ),
    "haproxy/frontend/availability": (
        "haproxy_frontend_http_responses_total",
        'code="5xx"',
        {},
    ),
    "coredns/availability": ("coredns_dns_responses_total", 'rcode=~"SERVFAIL"', {}),
    "istio/v1/availability": (
        "istio_requests_total",
        f"response_code{_FAILED}",
        {"service": "destination_service_name=", "namespace": "destination_service_namespace="},
    ),
    "traefik/v1/availability": (
        "traefik_backend_requests_total",
        f"code{_FAILED}",
        {"backend_regex": "backend=~"},
    ),
    "traefik/v2/availability": (
        "traefik_service_requests_total",
        'code=~"(5..)"',
        {"service_name_regex": "service=~"},
    ),
}
# Plugin -> histogram, fixed matchers, options that are matchers; the option `bucket` is its bound.
_HISTOGRAMS: dict[str, tuple[str, str, dict[str, str]]] = {
    "coredns/latency": ("coredns_dns_request_duration_seconds", "", {}),
    "kubernetes/apiserver/latency": (
        "apiserver_request_duration_seconds",
        'verb!="WATCH"',
        {},
    ),
    "slok-go-http-metrics/latency": ("http_request_duration_seconds", "", {}),
    "kubernetes/kooper/latency": (
        "kooper_controller_processed_event_duration_seconds",
        "",
        {"controller": "controller="},
    ),
    "kubernetes/kooper/queue-congestion": (
        "kooper_controller_event_in_queue_duration_seconds",
        "",
        {"controller": "controller="},
    ),
    "traefik/v1/latency": (
        "traefik_backend_request_duration_seconds",
        "",
        {"backend_regex": "backend=~"},
    ),
    "traefik/v2/latency": (
        "traefik_service_request_duration_seconds",
        "",
        {"service_name_regex": "service=~"},
    ),
    "istio/v1/latency": (
        "istio_request_duration_milliseconds",
        "",
        {"service": "destination_service_name=", "namespace": "destination_service_namespace="},
    ),
}
# Plugin -> bad and total query, with the option `filter` in both.
_PAIRS: dict[str, tuple[str, str]] = {
    "prometheus/rules/eval-availability": (
        "sum(rate(prometheus_rule_evaluation_failures_total{$filter}[{{.window}}]))",
        "sum(rate(prometheus_rule_evaluations_total{$filter}[{{.window}}]))",
    ),
    "prometheus/targets/availability": (
        "sum(count_over_time((up{$filter} == 0)[{{.window}}:])) or vector(0)",
        "sum(count_over_time((up{$filter})[{{.window}}:]))",
    ),
}
_PREFIX = "sloth-common/"
# Options that say what is so without them.
_UNSAID = (("exclude_errors", "false"), ("exclude_errors", ""))


def events(plugin: str, options: Mapping[str, Any]) -> tuple[str, str] | None:
    """Bad and total query of a known plugin; None where its options are not all known."""
    name = plugin.removeprefix(_PREFIX)
    options = {key: one for key, one in options.items() if (key, one) not in _UNSAID}
    if name in _PAIRS and (matchers := _matchers(options, {})) is not None:
        bad, total = (text.replace("$filter", ",".join(matchers)) for text in _PAIRS[name])
        return bad, total
    if name in _COUNTERS:
        metric, bad, known = _COUNTERS[name]
        if (matchers := _matchers(options, known)) is None:
            return None
        return _rate(metric, matchers, bad), _rate(metric, matchers)
    if name in _HISTOGRAMS:
        metric, fixed, known = _HISTOGRAMS[name]
        matchers = _matchers(options, {"bucket": "le=", **known})
        if matchers is None or "bucket" not in options:
            return None
        rest = [one for one in (*matchers, fixed) if one and not one.startswith("le=")]
        total = _rate(f"{metric}_count", rest)
        return f"{total} - {_rate(f'{metric}_bucket', rest, *matchers[:1])}", total
    return None


def instead(plugin: str, options: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong with a plugin, and what to write for it."""
    what = f"the plugin {shown(plugin)} is a program, which is not run"
    found = events(plugin, options)
    if found is not None:
        return what, f"write `events: {{error_query: {found[0]}, total_query: {found[1]}}}`"
    known = [_PREFIX + name for name in (*_COUNTERS, *_HISTOGRAMS, *_PAIRS)]
    if plugin in known:
        return what, "write its query as `events`: not all of its options are known"
    if plugin.startswith(_PREFIX):
        return what, f"write its query as `events`; {did_you_mean(plugin, known)}"
    return what, "write its query as `events`"


def _matchers(options: Mapping[str, Any], known: Mapping[str, str]) -> list[str] | None:
    if set(options) - {"filter", *known} or not set(known) <= set(options):
        return None
    found = [f'{label}"{options[key]}"' for key, label in known.items()]
    more = str(options.get("filter", "")).strip().strip(",").strip("{}")
    return [*found, *([more] if more else [])]


def _rate(metric: str, matchers: list[str], *more: str) -> str:
    inside = ",".join([*matchers, *more])
    return f"sum(rate({metric}{{{inside}}}[{{{{.window}}}}]))"
