"""What an exec check's command does: whom it asks, for how long, and with which exit codes."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from decimal import Decimal

from sloforge.health.lint.fields import compound
from sloforge.health.lint.model import Target

_LOOPBACK = re.compile(
    r"localhost|127(?:\.[0-9]{1,3}){3}|\[?::1\]?|0\.0\.0\.0|\$\{?(?:HOSTNAME|POD_IP|MY_POD_IP)\}?",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?|grpc|tcp)://(?:[^/@\s]*@)?(\[[^\]]*\]|[^/:\s\"']+)", re.IGNORECASE)
_SPLIT = re.compile(r"\|\||&&|[;|\n]|\$\(|[()`]")
# Clients of another server, and the option that names its host.
_CLIENTS = {
    "pg_isready": ("-h", "--host"),
    "psql": ("-h", "--host"),
    "redis-cli": ("-h",),
    "valkey-cli": ("-h",),
    "mysqladmin": ("-h", "--host"),
    "mysql": ("-h", "--host"),
    "mongosh": ("--host",),
    "mongo": ("--host",),
    "cqlsh": (),
}
_FETCHERS = ("curl", "wget", "slo-probe", "nc", "ncat", "grpc_health_probe", "http")
# A node's own answer, and yet one of its whole cluster.
_CLUSTERS = ("rabbitmqctl", "rabbitmq-diagnostics")
_DEADLINES = {
    "curl": ("-m", "--max-time"),
    "wget": ("-T", "--timeout"),
    "slo-probe": ("--timeout",),
}
# slo-probe stops by itself after two seconds.
_OWN = {"slo-probe": Decimal(2)}
# Programs that say 2 for a failure.
_TWO = ("pg_isready", "grep", "egrep", "fgrep")
# Programs that say 1 for a failure.
_ONE = (
    "slo-probe",
    "grep",
    "egrep",
    "fgrep",
    "test",
    "[",
    "pgrep",
    "redis-cli",
    "mysqladmin",
    "nc",
)
_EXIT = re.compile(r"\bexit\s+([0-9]{1,3})\b")


@dataclass(frozen=True, slots=True)
class Call:
    """One program and its arguments."""

    program: str
    words: tuple[str, ...]

    def option(self, *names: str) -> str:
        """`-h value`, `-hvalue`, `--host=value`, `--host value`."""
        for at, word in enumerate(self.words):
            for name in names:
                if word == name:
                    return self.words[at + 1] if at + 1 < len(self.words) else ""
                if word.startswith(f"{name}=") and name.startswith("--"):
                    return word.partition("=")[2]
                if not name.startswith("--") and word.startswith(name) and len(word) > len(name):
                    return word[len(name) :]
        return ""


def calls(target: Target) -> tuple[Call, ...]:
    """The programs that a command runs, as far as its text says."""
    if not target.shell:
        return tuple(_call(target.command))
    return tuple(one for part in _SPLIT.split(text(target)) for one in _call(_words(part)))


def text(target: Target) -> str:
    return " ".join(target.command)


def remote(target: Target) -> str:
    """The other host that a command asks; empty where it stays at home."""
    for one in calls(target):
        host = _host(one)
        if host and not _LOOPBACK.fullmatch(host.partition("/")[0]):
            return f"{one.program} to {host}"
        if one.program in _CLUSTERS or one.program.startswith("kafka-"):
            return one.program
    return ""


def _host(one: Call) -> str:
    if one.program in _CLIENTS:
        return one.option(*_CLIENTS[one.program])
    if one.program not in _FETCHERS:
        return ""
    for word in one.words:
        if (found := _URL.match(word)) is not None:
            return found[1]
    if one.program in ("nc", "ncat"):
        plain = [word for word in one.words if not word.startswith("-")]
        return plain[0] if len(plain) > 1 else ""
    return ""


def deadline(one: Call) -> Decimal | None:
    """The program's own, in seconds; None: it has none, or none that can be read."""
    names = _DEADLINES.get(one.program, ())
    value = one.option(*names) if names else ""
    if not value:
        return _OWN.get(one.program)
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", value):
        return Decimal(value)
    return compound(value)


def fetches(target: Target) -> tuple[tuple[Call, Decimal | None], ...]:
    """Those that need a deadline of their own, with it; `timeout 5 curl ...` is one."""
    found = []
    outer: Decimal | None = None
    for one in calls(target):
        if one.program == "timeout":
            outer = _first_number(one)
        if one.program in _DEADLINES:
            found.append((one, deadline(one) if outer is None else outer))
            outer = None
    return tuple(found)


def _first_number(one: Call) -> Decimal | None:
    for word in one.words:
        if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", word):
            return Decimal(word)
        if (seconds := compound(word)) is not None:
            return seconds
    return None


def exits_two(target: Target) -> str:
    """What makes the command end with a status other than 0 and 1; empty where nothing does."""
    every = text(target)
    codes = [code for code in _EXIT.findall(every) if int(code) > 1] if target.shell else []
    if codes:
        return f"exit {codes[0]}"
    if re.search(r"\|\|\s*(exit\s+1|false)\b", every):
        return ""
    last = calls(target)[-1:]
    return last[0].program if last and last[0].program in _TWO else ""


def exits_one(target: Target) -> str:
    """What makes the command end with 1 where it fails; empty where nothing is known to."""
    if target.method != "exec":
        return ""
    ends = re.search(r"\|\|\s*(exit\s+[0-9]{1,3}|false)\s*$", text(target))
    if target.shell and ends is not None:
        return ends[1] if ends[1] in ("exit 1", "false") else ""
    last = calls(target)[-1:]
    return last[0].program if last and last[0].program in _ONE else ""


def _call(words: tuple[str, ...]) -> list[Call]:
    while words and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*=.*", words[0]):
        words = words[1:]
    if not words:
        return []
    program = words[0].rpartition("/")[2]
    if program in ("exec", "!", "if", "then", "while", "until", "env", "command"):
        return _call(words[1:])
    found = [Call(program, words[1:])]
    if program == "timeout":
        inner = next((at for at, word in enumerate(words[1:], 1) if word[:1].isalpha()), None)
        found += _call(words[inner:]) if inner is not None else []
    return found


def _words(part: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(part))
    except ValueError:
        return tuple(part.replace('"', " ").replace("'", " ").split())
