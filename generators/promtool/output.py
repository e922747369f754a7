"""What `promtool test rules` prints about a failing test group, as typed failures."""

import re
from dataclasses import dataclass

from promtool.durations import milliseconds
from promtool.results import Kind

_QUOTED = r'"(?:[^"\\]|\\.)*"'
_ALERT = re.compile(
    r"^(?:    name: [^\n]*,\n)?    alertname: (?P<subject>[^\n]*), time: (?P<time>\w+), *\n"
    r" {8}exp:(?P<exp>.*?), *\n {8}got:(?P<got>\[\]|\[\n.*?\n *\])$",
    re.MULTILINE | re.DOTALL,
)
_EXPR = re.compile(
    rf"^    expr: (?P<quoted>{_QUOTED}), time: (?P<time>\w+),\n"
    r" {8}exp: (?P<exp>.*)\n {8}got: (?P<got>.*)$",
    re.MULTILINE,
)
_ERROR_END = r"(?P<error>.*(?:\n(?! *\n|    (?:rule|expr|alertname|name): |\Z).*)*)"
_EXPR_ERROR = re.compile(
    rf"^    expr: (?P<quoted>{_QUOTED}), time: (?P<time>\w+), err: {_ERROR_END}", re.MULTILINE
)
_RULE_ERROR = re.compile(
    rf"^    rule: (?P<subject>.*?), time: (?P<time>[\w.]+), err: {_ERROR_END}", re.MULTILINE
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An assertion that failed (`expected`, `got`) or could not be computed (`error`)."""

    kind: Kind
    subject: str
    time: str
    expected: str = ""
    got: str = ""
    error: str = ""

    @property
    def key(self) -> tuple[Kind, str, int | None]:
        return self.kind, self.subject, milliseconds(self.time)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleError:
    """A rule that could not be evaluated: promtool stops the group there."""

    rule: str
    time: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The parts of the output; `rest` is what was not understood."""

    failures: tuple[Failure, ...] = ()
    rule_errors: tuple[RuleError, ...] = ()
    rest: str = ""


def parse(text: str) -> Report:
    """Read what follows `FAILED:`, as promtool 2.42 to 3.x write it."""
    alerts, text = _take(_ALERT, text)
    exprs, text = _take(_EXPR, text)
    errors, text = _take(_EXPR_ERROR, text)
    rules, text = _take(_RULE_ERROR, text)
    return Report(
        failures=(
            *(_failure("alert", found["subject"], found) for found in alerts),
            *(_failure("expr", unquote(found["quoted"]), found) for found in (*exprs, *errors)),
        ),
        rule_errors=tuple(
            RuleError(rule=found["subject"], time=found["time"], error=found["error"].strip())
            for found in rules
        ),
        rest="\n".join(line.rstrip() for line in text.splitlines() if line.strip()),
    )


def unquote(text: str) -> str:
    """Undo Go's quoting of a string (`%q`)."""
    return _ESCAPE.sub(_unescape, text[1:-1])


def _unescape(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    return chr(int(code, 16)) if code else _LETTERS.get(found[4], found[4])


def _take(pattern: re.Pattern[str], text: str) -> tuple[list[re.Match[str]], str]:
    """Return the matches, and the text without them."""
    return list(pattern.finditer(text)), pattern.sub("", text)


def _failure(kind: Kind, subject: str, found: re.Match[str]) -> Failure:
    parts = found.groupdict()
    return Failure(
        kind=kind,
        subject=subject,
        time=parts["time"],
        expected=parts.get("exp") or "",
        got=parts.get("got") or "",
        error=(parts.get("error") or "").strip(),
    )
