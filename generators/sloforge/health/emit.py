"""Writes the stanza that runs slo-probe on a platform, with timings that fit together."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from sloforge.errors import Problem

Platform = Literal["k8s", "compose", "dockerfile", "systemd"]
PLATFORMS: tuple[Platform, ...] = ("k8s", "compose", "dockerfile", "systemd")
AGENT_PORT = 9798


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What is asked and how often; times in seconds."""

    name: str
    url: str
    checks: tuple[str, ...]
    timeout: float = 2
    period: int = 10
    failures: int = 3
    start: int = 60
    use_exec: bool = False

    @property
    def outer_timeout(self) -> int:
        """What the platform waits: longer than slo-probe, so that the reason is told."""
        return math.ceil(self.timeout) + 1

    @property
    def agent_interval(self) -> float:
        """Twice as often as it is asked, so that an answer is never older than one period."""
        return self.period / 2

    @property
    def detection(self) -> float:
        """From the fault to the verdict, at worst."""
        agent = 0 if self.use_exec else self.agent_interval + self.timeout
        return self.period * self.failures + self.outer_timeout + agent

    def command(self, program: str = "slo-probe") -> tuple[str, ...]:
        asked = (part for check in self.checks for part in ("--check", check))
        return (program, "--url", self.url, "--timeout", f"{self.timeout:g}s", *asked)


def emit(platform: Platform, probe: Probe) -> str:
    """The stanza as text; raises Problem where the timings cannot work."""
    _coherent(probe)
    match platform:
        case "k8s":
            return _exec_probe(probe) if probe.use_exec else _agent_probe(probe)
        case "compose":
            return _compose(probe)
        case "dockerfile":
            return _dockerfile(probe)
        case "systemd":
            return _systemd(probe)
        case _:
            assert_never(platform)


def _coherent(probe: Probe) -> None:
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?", probe.name):
        raise Problem(f"--name: must be a lower-case host name, got `{probe.name}`")
    if not probe.checks:
        raise Problem("--check: at least one is needed; without one everything would look well")
    if probe.timeout <= 0 or probe.period <= 0 or probe.failures <= 0 or probe.start <= 0:
        raise Problem("--timeout, --period, --failures, --start: must be above zero")
    if probe.outer_timeout > probe.period:
        raise Problem(
            f"--period: {probe.period}s is shorter than the {probe.outer_timeout}s that one probe "
            f"may take; make it longer, or --timeout shorter"
        )
    if not all(text.isprintable() for text in (*probe.command(), probe.name)):
        raise Problem("--check, --url, --name: control characters cannot be written into a stanza")


def _timings(probe: Probe) -> str:
    return (
        f"# slo-probe gives up after {probe.timeout:g}s, the platform after "
        f"{probe.outer_timeout}s; a fault is found within {probe.detection:g}s.\n"
    )


def _strings(words: tuple[str, ...]) -> str:
    # JSON is YAML and what Docker calls the exec form: no shell, so no quoting of a quoted check.
    return "[" + ", ".join(json.dumps(word, ensure_ascii=False) for word in words) + "]"


def _attempts(probe: Probe) -> int:
    return math.ceil(probe.start / probe.period)


def _kubernetes_probe(kind: str, how: str, failures: int) -> str:
    return f"{kind}:\n{how}\n  failureThreshold: {failures}\n"


def _kubernetes(probe: Probe, live: str, ready: str, timeout: int) -> str:
    times = f"\n  periodSeconds: {probe.period}\n  timeoutSeconds: {timeout}"
    stanzas = [
        _kubernetes_probe("startupProbe", live + times, _attempts(probe)),
        _kubernetes_probe("livenessProbe", live + times, probe.failures),
    ]
    if ready:
        failures = 1 + (probe.failures > 1)
        stanzas.append(_kubernetes_probe("readinessProbe", ready + times, failures))
    return "".join(stanzas)


def _agent_probe(probe: Probe) -> str:
    """An agent beside the application: the kubelet asks over HTTP and starts no process."""
    program = (*probe.command()[:1], "agent", "--listen", f"0.0.0.0:{AGENT_PORT}")
    command = (*program, "--interval", f"{probe.agent_interval:g}s", *probe.command()[1:])

    def asks(path: str) -> str:
        return f"  httpGet:\n    path: {path}\n    port: {AGENT_PORT}"

    own = f"- name: {json.dumps(probe.name + '-probe')}\n"
    own += "  # An image with slo-probe in it.\n  image: slo-probe\n"
    own += f"  command: {_strings(command)}\n  ports:\n    - containerPort: {AGENT_PORT}\n"
    return (
        f"# In the container {probe.name}; the agent below stands beside it in the same pod.\n"
        + _timings(probe)
        + _kubernetes(probe, asks("/healthz"), asks("/readyz"), 1)
        + "---\n# One more entry of `containers`:\n"
        + own
    )


def _exec_probe(probe: Probe) -> str:
    how = f"  exec:\n    command: {_strings(probe.command())}"
    return (
        f"# In the container {probe.name}. An exec starts a process at every period; the\n"
        "# agent, the default, starts none. Readiness is another question, not asked here.\n"
        + _timings(probe)
        + _kubernetes(probe, how, "", probe.outer_timeout)
    )


def _compose(probe: Probe) -> str:
    # Compose replaces $NAME everywhere, also inside quotes; two stand for one.
    command = tuple(word.replace("$", "$$") for word in ("CMD", *probe.command()))
    lines = (
        "healthcheck:",
        f"  test: {_strings(command)}",
        f"  interval: {probe.period}s",
        f"  timeout: {probe.outer_timeout}s",
        f"  retries: {probe.failures}",
        f"  start_period: {probe.start}s",
    )
    return _timings(_executed(probe)) + "\n".join(lines) + "\n"


def _dockerfile(probe: Probe) -> str:
    return (
        _timings(_executed(probe))
        + f"HEALTHCHECK --interval={probe.period}s --timeout={probe.outer_timeout}s "
        + f"--start-period={probe.start}s --retries={probe.failures} \\\n"
        + f"  CMD {_strings(probe.command())}\n"
    )


def _executed(probe: Probe) -> Probe:
    return replace(probe, use_exec=True)


def _systemd(probe: Probe) -> str:
    """A service that fails as often as it must before the restart, and the timer that runs it."""
    retry = (*probe.command()[:1], "--retries", str(probe.failures - 1), "--retry-delay", "1s")
    whole = probe.timeout * probe.failures + probe.failures
    rest = probe.command()[1:]
    at = rest.index("--timeout") + 1
    command = (*retry, *rest[:at], f"{whole:g}s", *rest[at + 1 :])
    # % begins a specifier and $ a variable in a unit, also inside quotes.
    shown = " ".join(_unit_word(word) for word in command)
    limit = math.ceil(whole) + 1
    return (
        f"# /etc/systemd/system/{probe.name}-probe.service\n"
        f"# {probe.failures} attempts within {whole:g}s; systemd waits {limit}s; then\n"
        f"# {probe.name} is restarted.\n"
        f"[Unit]\nDescription=Health of {probe.name}\nOnFailure={probe.name}-restart.service\n\n"
        f"[Service]\nType=oneshot\nExecStart={shown}\nTimeoutStartSec={limit}\n\n"
        f"# /etc/systemd/system/{probe.name}-restart.service\n"
        f"[Unit]\nDescription=Restart {probe.name}\n\n"
        f"[Service]\nType=oneshot\nExecStart=systemctl restart {probe.name}.service\n\n"
        f"# /etc/systemd/system/{probe.name}-probe.timer\n"
        f"[Timer]\nOnActiveSec={probe.start}\nOnUnitInactiveSec={probe.period}\nAccuracySec=1\n\n"
        f"[Install]\nWantedBy=timers.target\n"
    )


def _unit_word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'
