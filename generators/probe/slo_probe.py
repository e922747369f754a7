#!/bin/sh
""":" Evaluates health checks over a Prometheus exposition: the reference, in one file that needs nothing else.
python="${0%/*}/python3"
[ -x "$python" ] || python=python3
exec "$python" -I -S -c '
import sys
from _frozen_importlib_external import SourceFileLoader as Loader
file = sys.argv[1]
sys.argv[:2] = [file]
exec(Loader("slo_probe", file).get_code("slo_probe"), {"__name__": "__main__", "__file__": file})
' "$0" "$@"
"""

# The shell above starts Python without site-packages and lets it keep its bytecode; the name slo-probe has no `.py`.
# One file on purpose: it is copied into images and installed in a bin directory, where `-I -S` finds no module of ours.
# Start-up is most of its cost, so the fast path imports C modules only: no re, argparse, socket, json or dataclasses.
# The grammar and every message are those of native/: the tests run both on the same input and compare what they say.
# ruff: noqa: A002, ARG002, C901, E501, EXE003, FBT001, PLC0415, PLR0124, PLR0913, PLR2004, SLF001, UP036

from __future__ import annotations

import posix
import sys
from time import monotonic, time

TYPE_CHECKING = False  # importing typing costs a millisecond; type checkers know this name
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

    Labels = dict[bytes, bytes]
    Sample = tuple[Labels, float, bytes]
    Instruction = tuple[int, int, int]

VERSION = b"0.1.0"
INF = float("inf")
BLANK = b" \t"
DIGITS = b"0123456789"
LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
LABEL_CHARS = LETTERS + DIGITS
NAME_CHARS = LABEL_CHARS + b":"
MAX_CHECKS = 64
MAX_MATCHERS = 16
MAX_CHECK = 2048  # bytes of one check
MAX_LINE = 65536
MAX_LABELS = 256
MAX_HEAD = 16384
MAX_BUCKETS = 256
MAX_RECORDS = 64
MAX_TARGET = 8000  # bytes of path and query, with the names that are asked for
MAX_SERIES_TEXT = 160


class ConfigError(Exception):
    """What was asked makes no sense; nothing was fetched."""


class FetchError(Exception):
    """No exposition could be had; `status` is not 0 where the server may answer another question."""

    def __init__(self, message: bytes, status: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class BadLine(Exception):
    """A line of the exposition that breaks the grammar."""


class BadState(Exception):
    """The state file cannot be read or written."""


# --- numbers and text


def number(token: bytes) -> float | None:
    """A float as Prometheus writes it: no underscores, no hexadecimal, no blanks."""
    if not token or len(token) >= 512 or b"_" in token or token.strip() != token:
        return None
    try:
        return float(token)
    except ValueError:
        return None


def shown(value: float) -> bytes:
    """The shortest of 15 to 17 digits that reads back as the same number."""
    if value != value:
        return b"NaN"
    if value in (INF, -INF):
        return b"+Inf" if value > 0 else b"-Inf"
    for digits in (15, 16, 17):
        text = f"{value:.{digits}g}"
        if float(text) == value:
            break
    return text.encode()


def shown_seconds(value: float) -> bytes:
    if value != value or abs(value) >= 1e15:
        return shown(value) + b"s"
    text = (f"{value:.3f}").rstrip("0").rstrip(".")
    return (b"0" if text == "-0" else text.encode()) + b"s"


UNITS = ((b"ms", 0.001), (b"s", 1.0), (b"m", 60.0), (b"h", 3600.0), (b"d", 86400.0))


def duration(token: bytes) -> float | None:
    """Seconds, from `300`, `1.5s` or `1h30m`; None unless finite and above zero."""
    total, i, bare = 0.0, 0, True
    while i < len(token):
        start = i
        while i < len(token) and token[i] in b"0123456789.":
            i += 1
        value = number(token[start:i])
        if value is None:
            return None
        if i == len(token):
            if not bare:
                return None
            total = value
            break
        for unit, seconds in UNITS:
            # "m" is not the beginning of "ms" here: the longer one is tried first.
            if token.startswith(unit, i):
                total += value * seconds
                i += len(unit)
                break
        else:
            return None
        bare = False
    return total if 0 < total < INF else None


def is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def printable(text: bytes) -> bytes:
    """Foreign text that was not validated, fit for one line of a terminal."""
    return bytes(c if 0x20 <= c < 0x7F else 0x3F for c in text[:MAX_SERIES_TEXT])


def cut(text: bytes) -> bytes:
    """At most MAX_SERIES_TEXT bytes, never half a character."""
    if len(text) <= MAX_SERIES_TEXT:
        return text
    end = MAX_SERIES_TEXT
    while end and text[end] & 0xC0 == 0x80:
        end -= 1
    return text[:end] + b"..."


# --- regular expressions: linear in the text, the same in both implementations

CHAR, ANY, SET, SPLIT, JUMP, START, END, MATCH = range(8)
MAX_PROGRAM = 2000
MAX_SETS = 64
MAX_RANGES = 32
MAX_DEPTH = 20
MAX_REPEAT = 100
CLASSES: dict[str, tuple[tuple[int, int], ...]] = {
    "d": ((48, 57),),
    "w": ((48, 57), (65, 90), (95, 95), (97, 122)),
    "s": ((9, 10), (12, 13), (32, 32)),
}
CONTROLS = {"n": "\n", "t": "\t", "r": "\r"}


class Regex:
    """The common core of RE2, always anchored at both ends; jumps are relative, so code can be copied."""

    __slots__ = ("at", "depth", "sets", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.depth = 0
        self.sets: list[tuple[bool, list[tuple[int, int]]]] = []

    def compiled(self) -> tuple[list[Instruction], list[tuple[bool, list[tuple[int, int]]]]]:
        code = self.alternatives()
        if self.at < len(self.source):
            raise ConfigError(b"unmatched ) in the regular expression")
        code.append((MATCH, 0, 0))
        return code, self.sets

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def alternatives(self) -> list[Instruction]:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise ConfigError(b"the regular expression is nested too deeply")
        code = self.sequence()
        while self.peek() == "|":
            self.at += 1
            other = self.sequence()
            code = [
                (SPLIT, 1, len(code) + 2),
                *code,
                (JUMP, len(other) + 1, 0),
                *other,
            ]
            self.bounded(code)
        self.depth -= 1
        return code

    def sequence(self) -> list[Instruction]:
        code: list[Instruction] = []
        while self.peek() not in ("", "|", ")"):
            code += self.repeated()
            self.bounded(code)
        return code

    def bounded(self, code: list[Instruction]) -> None:
        if len(code) >= MAX_PROGRAM:
            raise ConfigError(b"the regular expression is too large")

    def repeated(self) -> list[Instruction]:
        code = self.atom()
        low, high = self.bounds()
        if (low, high) == (1, 1):
            return code
        if len(code) * max(low, high, 1) + 2 * max(high, 1) >= MAX_PROGRAM:
            raise ConfigError(b"the regular expression is too large")
        if self.peek() == "?":
            self.at += 1
        if self.peek() in ("*", "+", "?"):
            raise ConfigError(b"nothing to repeat in the regular expression")
        size = len(code)
        whole = code * low
        if high < 0:
            return [*whole, (SPLIT, 1, size + 2), *code, (JUMP, -size - 1, 0)]
        for left in range(high - low, 0, -1):
            whole = [*whole, (SPLIT, 1, left * (size + 1)), *code]
        return whole

    def bounds(self) -> tuple[int, int]:
        """How often the atom before may stand: (low, high), high -1 for any number."""
        mark = self.peek()
        if mark in ("*", "+", "?") and mark:
            self.at += 1
            return {"*": (0, -1), "+": (1, -1), "?": (0, 1)}[mark]
        if mark == "{":
            end = self.source.find("}", self.at)
            low, comma, high = self.source[self.at + 1 : max(end, 0)].partition(",")
            if end > 0 and _digits(low) and (not high or _digits(high)):
                least = int(low)
                most = (int(high) if high else -1) if comma else least
                if least > MAX_REPEAT or most > MAX_REPEAT or -1 < most < least:
                    raise ConfigError(b"bad repeat in the regular expression")
                self.at = end + 1
                return least, most
        return 1, 1

    def atom(self) -> list[Instruction]:
        char = self.peek()
        self.at += 1
        if char == ".":
            return [(ANY, 0, 0)]
        if char == "^":
            return [(START, 0, 0)]
        if char == "$":
            return [(END, 0, 0)]
        if char == "(":
            return self.group()
        if char == "[":
            return self.bracket()
        if char == "\\":
            return self.escape()
        if char in ("*", "+", "?"):
            raise ConfigError(b"nothing to repeat in the regular expression")
        return [(CHAR, ord(char), 0)]

    def group(self) -> list[Instruction]:
        if self.peek() == "?":
            if self.source[self.at : self.at + 2] != "?:":
                raise ConfigError(b"of the (? groups only (?: is known")
            self.at += 2
        code = self.alternatives()
        if self.peek() != ")":
            raise ConfigError(b"missing ) in the regular expression")
        self.at += 1
        return code

    def escape(self) -> list[Instruction]:
        char = self.peek()
        self.at += 1
        known = CLASSES.get(char.lower()) if char else None
        if known:
            return self.set_of(char.isupper(), list(known))
        return [(CHAR, ord(self.literal(char)), 0)]

    def literal(self, char: str) -> str:
        if char in CONTROLS:
            return CONTROLS[char]
        if not char or ord(char) >= 128 or char.isalnum():
            raise ConfigError(b"unknown escape in the regular expression")
        return char

    def set_of(self, negated: bool, ranges: list[tuple[int, int]]) -> list[Instruction]:
        if len(self.sets) >= MAX_SETS or len(ranges) > MAX_RANGES:
            raise ConfigError(b"the regular expression is too large")
        self.sets.append((negated, ranges))
        return [(SET, len(self.sets) - 1, 0)]

    def bracket(self) -> list[Instruction]:
        negated = self.peek() == "^"
        self.at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self.peek() != "]":
            first = False
            low = self.member(ranges)
            if low < 0:
                continue
            high = low
            if self.peek() == "-" and self.source[self.at + 1 : self.at + 2] not in ("]", ""):
                self.at += 1
                high = self.member(ranges)
                if high < low:
                    raise ConfigError(b"bad range in the regular expression")
            ranges.append((low, high))
        self.at += 1
        return self.set_of(negated, ranges)

    def member(self, ranges: list[tuple[int, int]]) -> int:
        """One character of a bracket; -1 after adding a class such as \\d to `ranges`."""
        char = self.peek()
        self.at += 1
        if not char:
            raise ConfigError(b"missing ] in the regular expression")
        if char == "[" and self.peek() == ":":
            raise ConfigError(b"[:classes:] are not known in the regular expression")
        if char == "\\":
            char = self.peek()
            self.at += 1
            if char in CLASSES:
                ranges += CLASSES[char]
                return -1
            char = self.literal(char)
        return ord(char)


def _digits(text: str) -> bool:
    return 0 < len(text) <= 3 and text.isascii() and text.isdigit()


class Pattern:
    """Runs a compiled expression over a text in time linear in both."""

    __slots__ = ("code", "sets")

    def __init__(self, source: bytes) -> None:
        self.code, self.sets = Regex(source.decode()).compiled()

    def matches(self, value: bytes) -> bool:
        text = value.decode()
        current: list[int] = []
        self.follow(current, 0, at_start=True, at_end=not text)
        for i, char in enumerate(text):
            following: list[int] = []
            seen: set[int] = set()
            for at in current:
                if self.takes(self.code[at], ord(char)):
                    self.follow(
                        following, at + 1, at_start=False, at_end=i + 1 == len(text), seen=seen
                    )
            current = following
            if not current:
                return False
        return any(self.code[at][0] == MATCH for at in current)

    def takes(self, instruction: Instruction, point: int) -> bool:
        kind, operand, _ = instruction
        if kind == SET:
            negated, ranges = self.sets[operand]
            return any(low <= point <= high for low, high in ranges) != negated
        return kind == ANY or (kind == CHAR and operand == point)

    def follow(
        self,
        into: list[int],
        at: int,
        *,
        at_start: bool,
        at_end: bool,
        seen: set[int] | None = None,
    ) -> None:
        seen = set() if seen is None else seen
        stack = [at]
        while stack:
            at = stack.pop()
            if at in seen:
                continue
            seen.add(at)
            kind, x, y = self.code[at]
            if kind == SPLIT:
                stack += (at + y, at + x)
            elif kind == JUMP:
                stack.append(at + x)
            elif kind in (START, END):
                if at_start if kind == START else at_end:
                    stack.append(at + 1)
            else:
                into.append(at)


# --- the grammar of checks


class Selector:
    """A metric name and what its labels must be."""

    __slots__ = ("labels", "name", "text")

    def __init__(
        self, name: bytes, labels: list[tuple[bytes, bytes, bytes, Pattern | None]], text: bytes
    ) -> None:
        self.name = name
        self.labels = labels
        self.text = text

    def selects(self, labels: Labels) -> bool:
        for name, operator, wanted, pattern in self.labels:
            value = labels.get(name, b"")
            same = value == wanted if pattern is None else pattern.matches(value)
            if same == (operator[:1] == b"!"):
                return False
        return True


class Check:
    """One condition; `kind` is its function, `all` where none is written."""

    __slots__ = ("a", "b", "inner", "inner_at", "kind", "operator", "or_empty", "q", "text", "threshold")  # fmt: skip

    def __init__(self, text: bytes, kind: bytes, a: Selector) -> None:
        self.text = text
        self.kind = kind
        self.a = a
        self.b: Selector | None = None
        self.q = 0.0
        self.inner = b""
        self.inner_at = 0.0
        self.operator = b""
        self.threshold = 0.0
        self.or_empty = False

    def holds(self, value: float) -> bool:
        return compares(value, self.operator, self.threshold)

    def names(self) -> list[bytes]:
        """Every metric name that is read, as the server knows it."""
        if self.kind == b"quantile":
            return [self.a.name + b"_bucket", self.a.name]
        names = [self.a.name]
        if self.b:
            names.append(self.b.name)
        if self.kind == b"increases":
            names.append(START_TIME)
        return names


START_TIME = b"process_start_time_seconds"
OPERATORS = (b"==", b"!=", b">=", b"<=", b">", b"<")
AGGREGATES = (b"sum", b"min", b"max", b"avg")
FUNCTIONS = (b"all", b"any", b"none", b"count", *AGGREGATES, b"fresh", b"absent", b"present", b"quantile", b"ratio", b"increases")  # fmt: skip


def compares(value: float, operator: bytes, other: float) -> bool:
    """A comparison in which NaN is never right, not even for !=."""
    if value != value:
        return False
    if operator == b"==":
        return value == other
    if operator == b"!=":
        return value != other
    if operator == b">":
        return value > other
    if operator == b">=":
        return value >= other
    if operator == b"<":
        return value < other
    return value <= other


class CheckParser:
    """Reads one check; what it refuses says what was expected and where."""

    __slots__ = ("at", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.at = 0

    def fail(self, expected: bytes) -> NoReturn:
        raise ConfigError(expected + b" expected at byte %d of the check" % (self.at + 1))

    def blanks(self) -> int:
        text, at = self.text, self.at
        while at < len(text) and text[at] in BLANK:
            at += 1
        self.at = at
        return text[at] if at < len(text) else 0

    def take(self, mark: bytes) -> bool:
        self.blanks()
        if self.text.startswith(mark, self.at):
            self.at += len(mark)
            return True
        return False

    def need(self, mark: bytes) -> None:
        if not self.take(mark):
            self.fail(mark)

    def word(self, chars: bytes, what: bytes) -> bytes:
        self.blanks()
        start = self.at
        text = self.text
        while self.at < len(text) and text[self.at] in chars:
            self.at += 1
        if start == self.at or text[start] in DIGITS:
            self.at = start
            self.fail(what)
        return text[start : self.at]

    def quoted(self) -> bytes:
        quote = self.blanks()
        if quote not in b"\"'" or not quote:
            self.fail(b"a quoted text")
        self.at += 1
        out = bytearray()
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == quote:
                return bytes(out)
            if char == 0x5C and self.at < len(self.text):
                following = self.text[self.at]
                # Any other escape stays as it is, so that "\d" need not be written "\\d".
                if following in b"\\\"'n":
                    self.at += 1
                    char = 0x0A if following == 0x6E else following
            out.append(char)
        return self.fail(b"a closing quote")

    def check(self) -> Check:
        if len(self.text) > MAX_CHECK:
            raise ConfigError(b"the check is longer than %d bytes" % MAX_CHECK)
        if not is_utf8(self.text):
            raise ConfigError(b"the check is not valid UTF-8")
        kind = self.function()
        check = self.called(kind) if kind else Check(self.text, b"all", self.selector())
        self.condition(check)
        if self.blanks() or self.at < len(self.text):
            self.fail(b"the end")
        return check

    def function(self) -> bytes:
        """The name of the function that is called here, or nothing."""
        self.blanks()
        end = self.text.find(b"(", self.at)
        name = self.text[self.at : end].rstrip(BLANK) if end >= 0 else b""
        if name in FUNCTIONS:
            self.at = end + 1
            return name
        return b""

    def called(self, kind: bytes) -> Check:
        q = 0.0
        if kind == b"quantile":
            q = self.number()
            if not 0 <= q <= 1:
                raise ConfigError(b"a quantile is between 0 and 1")
            self.need(b",")
        check = Check(self.text, kind, self.selector())
        check.q = q
        if kind == b"quantile" and any(label == b"le" for label, *_ in check.a.labels):
            raise ConfigError(b"a quantile reads every bucket: leave out the label le")
        if kind == b"ratio":
            self.need(b",")
            check.b = self.selector()
        if kind == b"count" and self.blanks() != 0x29:
            check.inner = self.operator()
            check.inner_at = self.number()
        self.need(b")")
        return check

    def condition(self, check: Check) -> None:
        if check.kind in (b"absent", b"present"):
            return
        if check.kind == b"increases":
            self.need(b"within")
            check.threshold = self.duration()
            return
        start = self.at
        check.operator = self.operator()
        if check.kind == b"fresh":
            if check.operator not in (b"<", b"<="):
                self.at = start
                self.blanks()
                self.fail(b"< or <=")
            check.threshold = self.duration()
            return
        check.threshold = self.number()
        if check.kind in (b"quantile", b"ratio") and self.take(b"or"):
            self.need(b"empty")
            check.or_empty = True

    def operator(self) -> bytes:
        for operator in OPERATORS:
            if self.take(operator):
                return operator
        return self.fail(b"a comparison")

    def token(self) -> bytes:
        self.blanks()
        end = self.at
        while end < len(self.text) and self.text[end] not in b" \t),":
            end += 1
        return self.text[self.at : end]

    def number(self) -> float:
        token = self.token()
        value = number(token)
        if value is None or value != value:
            self.fail(b"a number")
        self.at += len(token)
        return value

    def duration(self) -> float:
        token = self.token()
        value = duration(token)
        if value is None:
            self.fail(b"a duration such as 300s")
        self.at += len(token)
        return value

    def selector(self) -> Selector:
        first = self.blanks()
        start = self.at
        name = b"" if first == 0x7B else self.word(NAME_CHARS, b"a metric name")
        labels: list[tuple[bytes, bytes, bytes, Pattern | None]] = []
        end = self.at
        if self.take(b"{"):
            name = self.matchers(labels, name)
            end = self.at
        if not name:
            self.fail(b"a metric name")
        return Selector(name, labels, self.text[start:end])

    def matchers(
        self, labels: list[tuple[bytes, bytes, bytes, Pattern | None]], name: bytes
    ) -> bytes:
        while not self.take(b"}"):
            if self.blanks() in b"\"'" and self.at < len(self.text):
                label = self.quoted()
                if not name and label and self.blanks() in b",}" and self.at < len(self.text):
                    name = label
                    self.comma()
                    continue
            else:
                label = self.word(LABEL_CHARS, b"a label name")
            for operator in (b"=~", b"!~", b"!=", b"="):
                if self.take(operator):
                    break
            else:
                self.fail(b"= != =~ or !~")
            value = self.quoted()
            if len(labels) >= MAX_MATCHERS:
                raise ConfigError(b"more than %d label matchers" % MAX_MATCHERS)
            labels.append((label, operator, value, Pattern(value) if b"~" in operator else None))
            self.comma()
        return name

    def comma(self) -> None:
        if not self.take(b",") and self.blanks() != 0x7D:
            self.fail(b", or }")


# --- the exposition


class LineParser:
    """One line with a sample, by the grammar of text 0.0.4, OpenMetrics and quoted UTF-8 names."""

    __slots__ = ("at", "labels", "line", "name")

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.at = 0
        self.name = b""
        self.labels: Labels = {}

    def sample(self) -> tuple[bytes, Sample]:
        if len(self.line) > MAX_LINE:
            raise BadLine(b"longer than %d bytes" % MAX_LINE)
        if not is_utf8(self.line):
            raise BadLine(b"not UTF-8")
        if self.blanks() != 0x7B:
            self.name = self.word(NAME_CHARS)
            if not self.name:
                raise BadLine(b"metric name expected")
        end = self.at
        if self.blanks() == 0x7B:
            self.at += 1
            self.braces(self.labels, named=True)
            end = self.at
        elif end == self.at and end < len(self.line):
            raise BadLine(b"blank expected after the metric name")
        if not self.name:
            raise BadLine(b"metric name expected")
        series = self.line[:end].lstrip(BLANK)
        value = self.value(b"value")
        self.rest()
        return self.name, (self.labels, value, series)

    def blanks(self) -> int:
        line, at = self.line, self.at
        while at < len(line) and line[at] in BLANK:
            at += 1
        self.at = at
        return line[at] if at < len(line) else 0

    def word(self, chars: bytes) -> bytes:
        line, start = self.line, self.at
        at = start
        while at < len(line) and line[at] in chars:
            at += 1
        if at > start and line[start] in DIGITS:
            return b""
        self.at = at
        return line[start:at]

    def braces(self, labels: Labels, *, named: bool) -> None:
        """Labels up to and with the closing brace; a quoted text without = is the metric name."""
        while self.blanks() != 0x7D:
            if self.blanks() == 0x22:
                label = self.quoted()
                if self.blanks() != 0x3D:
                    if not named or self.name or not label:
                        raise BadLine(b"= expected")
                    self.name = label
                    self.separator()
                    continue
            else:
                label = self.word(LABEL_CHARS)
            if not label:
                raise BadLine(b"label name expected")
            if self.blanks() != 0x3D:
                raise BadLine(b"= expected")
            self.at += 1
            if self.blanks() != 0x22:
                raise BadLine(b"quoted label value expected")
            value = self.quoted()
            if label in labels:
                raise BadLine(b"the same label twice")
            if len(labels) >= MAX_LABELS:
                raise BadLine(b"too many labels")
            labels[label] = value
            self.separator()
        self.at += 1

    def separator(self) -> None:
        mark = self.blanks()
        if mark == 0x2C:
            self.at += 1
        elif mark != 0x7D:
            raise BadLine(b", or } expected")

    def quoted(self) -> bytes:
        start = self.at + 1
        end = self.line.find(b'"', start)
        backslash = self.line.find(b"\\", start, end)
        if end >= 0 and backslash < 0:
            self.at = end + 1
            return self.line[start:end]
        out = bytearray()
        line, at = self.line, start
        while at < len(line):
            char = line[at]
            at += 1
            if char == 0x22:
                self.at = at
                return bytes(out)
            if char == 0x5C and at < len(line) and line[at] in b'\\"n':
                char = 0x0A if line[at] == 0x6E else line[at]
                at += 1
            out.append(char)
        raise BadLine(b"a quote is not closed")

    def token(self) -> bytes:
        self.blanks()
        line, start = self.line, self.at
        at = start
        while at < len(line) and line[at] not in BLANK:
            at += 1
        self.at = at
        return line[start:at]

    def value(self, what: bytes) -> float:
        token = self.token()
        if not token:
            raise BadLine(what + b" expected")
        value = number(token)
        if value is None:
            raise BadLine(b"bad " + what)
        return value

    def rest(self) -> None:
        """A timestamp and an exemplar may follow, nothing else."""
        self.timestamp()
        if self.blanks() == 0x23:
            self.at += 1
            if self.blanks() != 0x7B:
                raise BadLine(b"bad exemplar")
            self.at += 1
            self.braces({}, named=False)
            self.value(b"exemplar value")
            self.timestamp()
        if self.blanks() or self.at < len(self.line):
            raise BadLine(b"text after the value")

    def timestamp(self) -> None:
        if self.blanks() not in (0, 0x23):
            value = self.value(b"timestamp")
            if value != value or value in (INF, -INF):
                raise BadLine(b"bad timestamp")


class Series:
    """Every sample of one name, and the first line about it that cannot be parsed."""

    __slots__ = ("bad", "samples")

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.bad = b""


class Exposition:
    """A body, of which only the lines about the names that are asked for are ever parsed."""

    __slots__ = ("body", "known")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.known: dict[bytes, Series] = {}

    def of(self, name: bytes) -> Series:
        if name not in self.known:
            self.known[name] = self.read(name)
        return self.known[name]

    def has_samples(self) -> bool:
        for line in self.body.split(b"\n"):
            text = line.lstrip(BLANK)
            if text and text[:1] != b"#":
                return True
        return False

    def read(self, name: bytes) -> Series:
        found = Series()
        body = self.body
        # Quoted names hold these three escapes and no others, so there is one way to write each name.
        needle = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
        at = body.find(needle)
        while at >= 0:
            start = body.rfind(b"\n", 0, at) + 1
            end = body.find(b"\n", at)
            end = len(body) if end < 0 else end
            if self.concerns(start, at, at + len(needle)):
                self.add(found, name, start, end)
            at = body.find(needle, end)
        return found

    def concerns(self, start: int, at: int, end: int) -> bool:
        """Whether the line may hold a sample of the name that stands at `at`."""
        body = self.body
        while start < at and body[start] in BLANK:
            start += 1
        if start == at:
            return body[end : end + 1] not in NAMING
        return body[start] == 0x7B

    def add(self, found: Series, name: bytes, start: int, end: int) -> None:
        line = self.body[start:end]
        try:
            its, sample = LineParser(line).sample()
        except BadLine as bad:
            if not found.bad and (line.lstrip(BLANK)[:1] != b"{" or quotes(line, name)):
                found.bad = b"line %d: %s" % (self.body.count(b"\n", 0, start) + 1, bad.args[0])
            return
        if its == name:
            found.samples.append(sample)


NAMING = frozenset(bytes((char,)) for char in NAME_CHARS)


def quotes(line: bytes, name: bytes) -> bool:
    """Whether a line that cannot be parsed has the name in quotes, so that it may be about it."""
    needle = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + needle + b'"' in line


# --- verdicts


class Verdict:
    """What one check came to: `outcome` is ok, missing, unparsable, value, nan, future, empty or state."""

    __slots__ = ("outcome", "reason", "series", "value")

    def __init__(
        self, outcome: bytes, reason: bytes, value: float | None = None, series: int = 0
    ) -> None:
        self.outcome = outcome
        self.reason = reason
        self.value = value
        self.series = series

    @property
    def ok(self) -> bool:
        return self.outcome == b"ok"


class Clock:
    """The two clocks and the limits that freshness is judged by."""

    __slots__ = ("monotonic", "now", "skew")

    def __init__(self, now: float, steady: float, skew: float) -> None:
        self.now = now
        self.monotonic = steady
        self.skew = skew


def chosen(
    selector: Selector, name: bytes, exposition: Exposition
) -> tuple[list[Sample], Verdict | None]:
    """The series that a selector picks, or why there are none."""
    series = exposition.of(name)
    if series.bad:
        return [], Verdict(b"unparsable", b"cannot be parsed: " + series.bad)
    if not selector.labels:
        samples = series.samples
    else:
        samples = [sample for sample in series.samples if selector.selects(sample[0])]
    if samples:
        return samples, None
    if series.samples:
        reason = b"no series matches, %d of that name" % len(series.samples)
    else:
        reason = b"no such metric"
    return [], Verdict(b"missing", reason)


def judged(check: Check, exposition: Exposition, clock: Clock, states: State | None) -> Verdict:
    name = check.a.name + (b"_bucket" if check.kind == b"quantile" else b"")
    samples, trouble = chosen(check.a, name, exposition)
    if check.kind == b"absent":
        return absent(samples, trouble, exposition)
    if check.kind == b"ratio":
        return ratio(check, samples, trouble, exposition)
    if trouble:
        return trouble
    if check.kind == b"present":
        return Verdict(b"ok", counted(samples), samples[0][1], len(samples))
    if check.kind == b"fresh":
        return fresh(check, samples, clock)
    if check.kind == b"quantile":
        return quantile(check, samples)
    if check.kind == b"increases":
        return increases(check, samples, exposition, clock, states)
    if check.kind in (b"all", b"any", b"none"):
        return quantified(check, samples)
    return aggregated(check, samples)


def counted(samples: list[Sample]) -> bytes:
    if len(samples) == 1:
        return b"is " + shown(samples[0][1])
    return b"%d series" % len(samples)


def condition(check: Check) -> bytes:
    return check.operator + b" " + shown(check.threshold)


def absent(samples: list[Sample], trouble: Verdict | None, exposition: Exposition) -> Verdict:
    if trouble and trouble.outcome == b"unparsable":
        return trouble
    if samples:
        return Verdict(b"value", cut(samples[0][2]) + b" is there", samples[0][1], len(samples))
    if not exposition.has_samples():
        return Verdict(b"empty", b"the exposition has no samples at all")
    return Verdict(b"ok", b"is absent")


def not_a_number(sample: Sample, count: int) -> Verdict:
    return Verdict(b"nan", cut(sample[2]) + b" is NaN", sample[1], count)


def quantified(check: Check, samples: list[Sample]) -> Verdict:
    count = len(samples)
    fine = 0
    for sample in samples:
        value = sample[1]
        holds = check.holds(value)
        fine += holds
        if check.kind == b"any":
            continue
        if value != value:
            return not_a_number(sample, count)
        if holds == (check.kind == b"none"):
            must = b", must not be " if holds else b", must be "
            reason = cut(sample[2]) + b" is " + shown(value) + must + condition(check)
            return Verdict(b"value", reason, value, count)
    if check.kind == b"any" and not fine:
        reason = b"none of %d series is " % count + condition(check)
        return Verdict(b"value", reason, samples[0][1], count)
    return Verdict(b"ok", counted(samples), samples[0][1], count)


def aggregated(check: Check, samples: list[Sample]) -> Verdict:
    count = len(samples)
    total = 0.0
    within = 0
    least, most = INF, -INF
    for sample in samples:
        value = sample[1]
        if value != value and (check.kind != b"count" or check.inner):
            return not_a_number(sample, count)
        total += value
        least = min(value, least)
        most = max(value, most)
        within += not check.inner or compares(value, check.inner, check.inner_at)
    result = {
        b"count": float(within),
        b"sum": total,
        b"min": least,
        b"max": most,
        b"avg": total / count,
    }[check.kind]
    return compared(check, result, count)


def compared(check: Check, result: float, count: int) -> Verdict:
    """Judges a number that was computed from several series."""
    if result != result:
        return Verdict(b"nan", check.kind + b" is NaN", result, count)
    if check.holds(result):
        return Verdict(b"ok", check.kind + b" is " + shown(result), result, count)
    reason = check.kind + b" is " + shown(result) + b", must be " + condition(check)
    return Verdict(b"value", reason, result, count)


SCALES = ((b"milliseconds", 1e3), (b"microseconds", 1e6), (b"nanoseconds", 1e9))
TEN_YEARS = 315576000.0


def fresh(check: Check, samples: list[Sample], clock: Clock) -> Verdict:
    """Every timestamp must lie in the window: too old is as wrong as in the future."""
    count = len(samples)
    for sample in samples:
        if sample[1] != sample[1]:
            return not_a_number(sample, count)
    newest = samples[0]
    oldest = samples[0]
    for sample in samples:
        newest = sample if sample[1] > newest[1] else newest
        oldest = sample if sample[1] < oldest[1] else oldest
    if newest[1] > clock.now + clock.skew:
        return Verdict(b"future", future(newest, clock), newest[1], count)
    age = clock.now - oldest[1]
    if not compares(age, check.operator, check.threshold):
        reason = b"%s is %s old, must be %s %s" % (
            cut(oldest[2]),
            shown_seconds(age),
            check.operator,
            shown_seconds(check.threshold),
        )
        return Verdict(b"value", reason, oldest[1], count)
    return Verdict(b"ok", b"oldest is %s old" % shown_seconds(age), oldest[1], count)


def future(sample: Sample, clock: Clock) -> bytes:
    reason = b"%s lies %s in the future, %s is allowed" % (
        cut(sample[2]),
        shown_seconds(sample[1] - clock.now),
        shown_seconds(clock.skew),
    )
    for unit, scale in SCALES:
        if -TEN_YEARS < sample[1] / scale - clock.now < TEN_YEARS:
            reason += b"; it looks like " + unit + b", seconds are needed"
    return reason


def ratio(
    check: Check, above: list[Sample], trouble: Verdict | None, exposition: Exposition
) -> Verdict:
    assert check.b
    if trouble and (trouble.outcome == b"unparsable" or not check.or_empty):
        return trouble
    below, without = chosen(check.b, check.b.name, exposition)
    if without:
        return without
    count = len(above) + len(below)
    sums = []
    for samples in (above, below):
        total = 0.0
        for sample in samples:
            if sample[1] != sample[1]:
                return not_a_number(sample, count)
            total += sample[1]
        sums.append(total)
    if sums[1] == 0:
        if check.or_empty and sums[0] == 0:
            return Verdict(b"ok", b"nothing to judge yet", None, count)
        return Verdict(b"empty", b"the second sum is 0, nothing to divide by", None, count)
    return compared(check, sums[0] / sums[1], count)


def quantile(check: Check, samples: list[Sample]) -> Verdict:
    """Over the buckets of all series added up, as `sum by (le)`; a rank in the last bucket is +Inf."""
    count = len(samples)
    buckets: dict[float, list[float]] = {}
    for sample in samples:
        labels, value, _ = sample
        bound = number(labels.get(b"le", b""))
        if bound is None or bound != bound:
            return Verdict(b"unparsable", cut(sample[2]) + b" has no usable label le", None, count)
        if value != value:
            return not_a_number(sample, count)
        bucket = buckets.setdefault(bound + 0.0, [0.0, 0])
        if len(buckets) > MAX_BUCKETS:
            return Verdict(b"unparsable", b"more than %d buckets" % MAX_BUCKETS, None, count)
        bucket[0] += value
        bucket[1] += 1
    bounds = sorted(buckets)
    if bounds[-1] != INF:
        return Verdict(b"unparsable", b'no bucket le="+Inf"', None, count)
    if any(buckets[bound][1] != buckets[INF][1] for bound in bounds):
        return Verdict(b"unparsable", b"the series have different buckets", None, count)
    counts = [buckets[bound][0] for bound in bounds]
    if counts[0] < 0 or any(counts[i] < counts[i - 1] for i in range(1, len(counts))):
        return Verdict(b"unparsable", b"the buckets are not cumulative", None, count)
    if counts[-1] == 0:
        if check.or_empty:
            return Verdict(b"ok", b"nothing to judge yet", None, count)
        return Verdict(b"empty", b"no observations", None, count)
    return compared(check, ranked(bounds, counts, check.q * counts[-1]), count)


def ranked(bounds: list[float], counts: list[float], rank: float) -> float:
    """Interpolates as histogram_quantile does, except that it never turns +Inf into a finite bound."""
    i = 0
    while counts[i] == 0 or counts[i] < rank:
        i += 1
    if bounds[i] == INF or (i == 0 and bounds[i] <= 0):
        return bounds[i]
    low = bounds[i - 1] if i else 0.0
    before = counts[i - 1] if i else 0.0
    return low + (bounds[i] - low) * ((rank - before) / (counts[i] - before))


# --- the state that `increases` needs between two runs

NO_BOOT = b"none"
MAGIC = b"slo-probe-state 1 "
MAX_STATE = 16384


def hashed(text: bytes) -> bytes:
    """FNV-1a, 64 bits, in hexadecimal: names a record."""
    value = 0xCBF29CE484222325
    for char in text:
        value = ((value ^ char) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return b"%016x" % value


class Record:
    """The last value of a counter, and since when (monotonic) it has not grown."""

    __slots__ = ("since", "start", "value")

    def __init__(self, value: float, since: float, start: float) -> None:
        self.value = value
        self.since = since
        self.start = start


class State:
    """Records by check; a file that is replaced as a whole under a lock, or memory for an agent."""

    def __init__(self, path: bytes, source: bytes) -> None:
        self.path = path
        self.source = source
        self.records: dict[bytes, Record] = {}
        self.boot = _boot_id()
        self.lock = -1
        self.trouble = b""

    def __enter__(self) -> State:  # noqa: PYI034 - typing is not imported
        if self.path:
            try:
                self._locked()
                self.trouble = self._read()
            except OSError as wrong:
                raise BadState(_strerror(wrong)) from None
        return self

    def __exit__(self, *_: object) -> None:
        if self.lock >= 0:
            posix.close(self.lock)
            self.lock = -1

    def _locked(self) -> None:
        import fcntl

        flags = posix.O_RDWR | posix.O_CREAT | posix.O_CLOEXEC | posix.O_NOFOLLOW
        self.lock = posix.open(self.path + b".lock", flags, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def _read(self) -> bytes:
        """Fills the records; says what is wrong with a file that is not ours."""
        self.records = {}
        try:
            file = posix.open(self.path, posix.O_RDONLY | posix.O_CLOEXEC | posix.O_NONBLOCK)
        except FileNotFoundError:
            return b""
        try:
            text = b""
            while len(text) <= MAX_STATE and (more := posix.read(file, MAX_STATE + 1 - len(text))):
                text += more
        finally:
            posix.close(file)
        lines = text.split(b"\n")
        if not text.startswith(MAGIC) or lines[-1] or len(text) > MAX_STATE:
            return b"it is not a state file; it was begun anew"
        if lines[0][len(MAGIC) :] != self.boot:
            return b""
        for line in lines[1:-1]:
            parts = line.split(b" ")
            values = [number(part) for part in parts[1:]]
            if len(values) != 3 or None in values or len(parts[0]) != 16:
                self.records = {}
                return b"it is not a state file; it was begun anew"
            self.records[parts[0]] = Record(*values)  # type: ignore[arg-type]
        return b""

    def write(self) -> None:
        if not self.path:
            return
        kept = list(self.records.items())[-MAX_RECORDS:]
        text = MAGIC + self.boot + b"\n"
        for key, record in kept:
            numbers = (record.value, record.since, record.start)
            text += key + b" " + b" ".join(shown(each) for each in numbers) + b"\n"
        draft = self.path + b".%d" % posix.getpid()
        flags = posix.O_WRONLY | posix.O_CREAT | posix.O_TRUNC | posix.O_CLOEXEC | posix.O_NOFOLLOW
        try:
            file = posix.open(draft, flags, 0o600)
            try:
                if posix.write(file, text) != len(text):
                    raise BadState(b"it could not be written as a whole")
            finally:
                posix.close(file)
            posix.rename(draft, self.path)
        except OSError as wrong:
            raise BadState(_strerror(wrong)) from None


def _boot_id() -> bytes:
    """A monotonic clock means nothing after a restart of the machine: this says that there was one."""
    try:
        file = posix.open("/proc/sys/kernel/random/boot_id", posix.O_RDONLY | posix.O_CLOEXEC)
    except OSError:
        return NO_BOOT
    try:
        return posix.read(file, 36) or NO_BOOT
    finally:
        posix.close(file)


def increases(
    check: Check,
    samples: list[Sample],
    exposition: Exposition,
    clock: Clock,
    states: State | None,
) -> Verdict:
    """Whether the sum has grown within the window; a first look or a restart begins a new window."""
    assert states
    count = len(samples)
    total = 0.0
    for sample in samples:
        if sample[1] != sample[1]:
            return not_a_number(sample, count)
        total += sample[1]
    begun = exposition.of(START_TIME)
    start = begun.samples[0][1] if begun.samples and not begun.bad else 0.0
    start = 0.0 if start != start else start
    key = hashed(states.source + b"\n" + check.text)
    old = states.records.pop(key, None)
    # Comparisons that NaN fails: what was read from a file is not trusted.
    if old is None or not (
        old.start == start and total >= old.value and old.since <= clock.monotonic
    ):
        states.records[key] = Record(total, clock.monotonic, start)
        return Verdict(b"ok", b"is %s, first look" % shown(total), total, count)
    if total > old.value:
        states.records[key] = Record(total, clock.monotonic, start)
        return Verdict(b"ok", b"has grown to %s" % shown(total), total, count)
    states.records[key] = old
    still = clock.monotonic - old.since
    if still <= check.threshold:
        reason = b"is %s, unchanged for %s" % (shown(total), shown_seconds(still))
        return Verdict(b"ok", reason, total, count)
    reason = b"has stayed at %s for %s, must increase within %s" % (
        shown(total),
        shown_seconds(still),
        shown_seconds(check.threshold),
    )
    return Verdict(b"value", reason, total, count)


# --- where the exposition comes from


class Source:
    """A parsed --url."""

    __slots__ = ("authority", "host", "kind", "path", "port", "target", "text")

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.host = b""
        self.port = 0
        self.path = b""
        self.target = b"/"
        self.authority = b"localhost"
        if len(text) > MAX_TARGET or any(char <= 0x20 or char >= 0x7F for char in text):
            raise ConfigError(b"--url: blanks, control characters and non-ASCII must be %-encoded")
        if text == b"-":
            self.kind = b"stdin"
        elif text.startswith(b"file:"):
            self.kind = b"file"
            self.path = text[7:] if text.startswith(b"file:///") else text[5:]
        elif text.startswith(b"unix:"):
            self.kind = b"unix"
            self.path, _, target = text[5:].partition(b"!")
            self.target = target or b"/metrics"
            if len(self.path) > 103:
                raise ConfigError(b"--url: the path of a unix socket has at most 103 bytes")
        elif text.startswith((b"http://", b"https://")):
            self.kind, _, rest = text.partition(b"://")
            self.network(rest)
        else:
            raise ConfigError(b"--url: must begin with http://, https://, unix: or file:, or be -")
        if self.kind in (b"file", b"unix") and not self.path:
            raise ConfigError(b"--url: a path is missing")
        if self.target[:1] != b"/":
            raise ConfigError(b"--url: the part after ! begins with /")

    def network(self, rest: bytes) -> None:
        end = min(at if at >= 0 else len(rest) for at in map(rest.find, (b"/", b"?", b"#")))
        self.authority, target = rest[:end], rest[end:].partition(b"#")[0]
        self.target = target if target[:1] == b"/" else b"/" + target
        if b"@" in self.authority:
            raise ConfigError(b"--url: no user and password here, use --bearer-token-file")
        if self.authority[:1] == b"[":
            self.host, bracket, port = self.authority[1:].partition(b"]")
            if not bracket or port[:1] not in (b"", b":"):
                raise ConfigError(b"--url: bad IPv6 address")
            colon, port = port[:1], port[1:]
        else:
            self.host, colon, port = self.authority.partition(b":")
        if not self.host or len(self.host) > 255:
            raise ConfigError(b"--url: a host is missing")
        self.port = 443 if self.kind == b"https" else 80
        if colon:
            if not port.isdigit() or len(port) > 5 or not 0 < int(port) < 65536:
                raise ConfigError(b"--url: a port is between 1 and 65535")
            self.port = int(port)


class Options:
    """What the command line asks for."""

    def __init__(self) -> None:
        self.url = b"http://localhost:8091"
        self.checks: list[Check] = []
        self.source = Source(self.url)
        self.timeout = 2.0
        self.max_bytes = 32 * 1024 * 1024
        self.retries = 0
        self.retry_delay = 0.1
        self.skew = 30.0
        self.select = True
        self.token_file = b""
        self.headers: list[bytes] = []
        self.state_file = b""
        self.now: float | None = None
        self.verbose = False
        self.json = False
        self.explain = False
        self.ca_file = b""
        self.cert_file = b""
        self.key_file = b""
        self.insecure = False


class Deadline:
    """One end for everything that a run does."""

    __slots__ = ("end", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.end = monotonic() + seconds

    def left(self) -> float:
        left = self.end - monotonic()
        if left <= 0:
            raise FetchError(self.message())
        return left

    def message(self) -> bytes:
        return b"no answer within " + shown_seconds(self.seconds)


def _strerror(wrong: OSError) -> bytes:
    return (wrong.strerror or str(wrong)).lower().encode("utf-8", "replace")


def connected(options: Options, deadline: Deadline) -> Any:
    """A connected socket to the first address that answers."""
    import _socket

    source = options.source
    if source.kind == b"unix":
        addresses: list[tuple[int, Any]] = [(_socket.AF_UNIX, source.path)]
    elif source.host.replace(b".", b"").isdigit():
        addresses = [(_socket.AF_INET, (source.host.decode(), source.port))]
    else:
        try:
            found = _socket.getaddrinfo(source.host.decode(), source.port, 0, _socket.SOCK_STREAM)
        except OSError as wrong:
            raise FetchError(b"cannot look up " + source.host + b": " + _strerror(wrong)) from None
        addresses = [(family, address) for family, _, _, _, address in found]
    for i, (family, address) in enumerate(addresses):
        connection = _socket.socket(family, _socket.SOCK_STREAM)
        try:
            # An address that swallows packets may not use up the time of the others.
            connection.settimeout(deadline.left() / (len(addresses) - i))
            connection.connect(address)
            return connection
        except TimeoutError:
            connection.close()
            trouble = deadline.message()
        except OSError as wrong:
            connection.close()
            trouble = _strerror(wrong)
    raise FetchError(trouble)


def request(options: Options, names: list[bytes]) -> bytes:
    source = options.source
    target = with_names(source.target, names)
    text = (
        b"GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: slo-probe/%s\r\nAccept: text/plain;version=0.0.4,"
        b"application/openmetrics-text;version=1.0.0;q=0.5\r\nAccept-Encoding: identity\r\n"
        b"Connection: close\r\n" % (target, source.authority, VERSION)
    )
    if options.token_file:
        text += b"Authorization: Bearer " + token(options.token_file) + b"\r\n"
    return text + b"".join(header + b"\r\n" for header in options.headers) + b"\r\n"


def with_names(target: bytes, names: list[bytes]) -> bytes:
    """Asks for some metrics only; servers that do not know `name[]` answer with all of them."""
    asked = target
    for name in names:
        asked += b"&" if b"?" in asked else b"?"
        asked += b"name%5B%5D=" + b"".join(
            bytes((c,)) if c in NAME_CHARS else b"%%%02X" % c for c in name
        )
    return asked if len(asked) <= MAX_TARGET else target


def token(path: bytes) -> bytes:
    try:
        file = posix.open(path, posix.O_RDONLY | posix.O_CLOEXEC)
        try:
            text = posix.read(file, MAX_HEAD)
        finally:
            posix.close(file)
    except OSError as wrong:
        raise FetchError(b"the token file cannot be read: " + _strerror(wrong)) from None
    text = text.strip(b" \t\r\n")
    if not text or len(text) > 8192 or any(not 0x21 <= char < 0x7F for char in text):
        raise FetchError(b"the token file holds no token: one line of visible ASCII is needed")
    return text


class Head:
    """The status and the headers that matter."""

    __slots__ = ("chunked", "length", "openmetrics", "status")

    def __init__(self, lines: list[bytes]) -> None:
        words = lines[0].split(b" ", 2)
        version, status = words[0], words[1] if len(words) > 1 else b""
        if not version.startswith(b"HTTP/1.") or len(status) != 3 or not status.isdigit():
            raise FetchError(b"the answer is not HTTP")
        self.status = int(status)
        self.length = -1
        self.chunked = False
        self.openmetrics = False
        if self.status < 200:
            return
        location = b""
        for line in lines[1:]:
            name, _, value = line.partition(b":")
            name, value = name.lower(), value.strip(BLANK)
            if name == b"location":
                location = value
            else:
                self.header(name, value)
        if 300 <= self.status < 400 and location:
            raise FetchError(
                b"status %d, redirects to %s: redirects are not followed"
                % (self.status, printable(location)),
                self.status,
            )
        if self.status != 200:
            raise FetchError(b"status %d" % self.status, self.status)

    def header(self, name: bytes, value: bytes) -> None:
        lower = value.lower()
        if name == b"content-length":
            if not value.isdigit() or len(value) > 15 or self.length not in (-1, int(value)):
                raise FetchError(b"bad Content-Length")
            self.length = int(value)
        elif name == b"transfer-encoding" and lower != b"identity":
            if lower != b"chunked":
                raise FetchError(b"Transfer-Encoding " + printable(value) + b" is not supported")
            self.chunked = True
        elif name == b"content-encoding" and lower not in (b"", b"identity"):
            raise FetchError(
                b"Content-Encoding " + printable(value) + b" is not supported, none was asked for"
            )
        elif name == b"content-type":
            self.openmetrics = lower.startswith(b"application/openmetrics-text")
            if lower.startswith(
                (b"text/html", b"application/json", b"application/vnd.google.proto")
            ):
                raise FetchError(b"Content-Type " + printable(value) + b" is not an exposition")


class Response:
    """Reads one answer: stops at its end, notices when the end is missing."""

    def __init__(self, receive: Callable[[], bytes], max_bytes: int) -> None:
        self.receive = receive
        self.max_bytes = max_bytes
        self.buffer = b""

    def read(self) -> tuple[bytes, bool]:
        """The body, and whether it is OpenMetrics."""
        spent = 0
        while True:
            lines, size = self.head(MAX_HEAD - spent)
            spent += size
            head = Head(lines)
            if head.status >= 200:
                break
        if head.chunked:
            body = self.chunks()
        elif head.length >= 0:
            body = self.exactly(head.length)
        else:
            body = self.until_end()
        return body, head.openmetrics

    def more(self) -> bool:
        data = self.receive()
        self.buffer += data
        return bool(data)

    def head(self, limit: int) -> tuple[list[bytes], int]:
        """The lines up to the empty one; a bare \\n ends a line as well."""
        lines: list[bytes] = []
        at = 0
        while True:
            end = self.buffer.find(b"\n", at)
            if (end if end >= 0 else len(self.buffer)) >= limit:
                raise FetchError(b"the response header is longer than %d bytes" % MAX_HEAD)
            if end < 0:
                if not self.more():
                    if self.buffer:
                        raise FetchError(b"the response header is truncated")
                    raise FetchError(b"the server closed the connection without an answer", -1)
                continue
            line = self.buffer[at:end].removesuffix(b"\r")
            at = end + 1
            if not line:
                if not lines:
                    raise FetchError(b"the answer is not HTTP")
                self.buffer = self.buffer[at:]
                return lines, at
            lines.append(line)

    def too_big(self) -> FetchError:
        return FetchError(b"the body is larger than %d bytes" % self.max_bytes)

    def exactly(self, length: int) -> bytes:
        if length > self.max_bytes:
            raise self.too_big()
        parts = [self.buffer]
        got = len(self.buffer)
        while got < length:
            data = self.receive()
            if not data:
                raise FetchError(b"the body is truncated: %d of %d bytes" % (got, length))
            parts.append(data)
            got += len(data)
        return b"".join(parts)[:length]

    def until_end(self) -> bytes:
        parts = [self.buffer]
        got = len(self.buffer)
        while got <= self.max_bytes:
            data = self.receive()
            if not data:
                return b"".join(parts)
            parts.append(data)
            got += len(data)
        raise self.too_big()

    def chunks(self) -> bytes:
        parts: list[bytes] = []
        got = 0
        while True:
            size = self.chunk_size()
            if size == 0:
                return b"".join(parts)
            got += size
            if got > self.max_bytes:
                raise self.too_big()
            need = size
            while len(self.buffer) < need:
                need -= len(self.buffer)
                parts.append(self.buffer)
                self.buffer = b""
                if not self.more():
                    raise FetchError(b"the body is truncated: the last chunk is missing")
            parts.append(self.buffer[:need])
            self.buffer = self.buffer[need:]
            if self.line():
                raise FetchError(b"bad chunk in the body")

    def line(self) -> bytes:
        while True:
            end = self.buffer.find(b"\n")
            if (end if end >= 0 else len(self.buffer)) > 1024:
                raise FetchError(b"bad chunk in the body")
            if end >= 0:
                line = self.buffer[:end].removesuffix(b"\r")
                self.buffer = self.buffer[end + 1 :]
                return line
            if not self.more():
                raise FetchError(b"the body is truncated: the last chunk is missing")

    def chunk_size(self) -> int:
        digits = self.line().partition(b";")[0].rstrip(BLANK)
        if not 0 < len(digits) <= 12 or any(c not in b"0123456789abcdefABCDEF" for c in digits):
            raise FetchError(b"bad chunk in the body")
        return int(digits, 16)


def fetched(options: Options, names: list[bytes], deadline: Deadline) -> bytes:
    kind = options.source.kind
    if kind in (b"file", b"stdin"):
        body, openmetrics = read_file(options), False
    elif kind == b"https":
        body, openmetrics = over_tls(options, names, deadline)
    else:
        body, openmetrics = over_socket(options, names, deadline)
    if openmetrics and not (b"\n" + body.removesuffix(b"\n")).endswith(b"\n# EOF"):
        raise FetchError(b"the body is truncated: the last line is not # EOF")
    if body and body[-1] != 0x0A and not openmetrics:
        raise FetchError(b"the body is truncated: the last line has no end")
    return body


def read_file(options: Options) -> bytes:
    try:
        path = options.source.path
        flags = posix.O_RDONLY | posix.O_CLOEXEC
        file = posix.open(path, flags) if path else 0
        parts = []
        got = 0
        while data := posix.read(file, 262144):
            parts.append(data)
            got += len(data)
            if got > options.max_bytes:
                raise FetchError(b"the body is larger than %d bytes" % options.max_bytes)
        if path:
            posix.close(file)
    except OSError as wrong:
        raise FetchError(_strerror(wrong)) from None
    return b"".join(parts)


def over_socket(options: Options, names: list[bytes], deadline: Deadline) -> tuple[bytes, bool]:
    text = request(options, names)
    connection = connected(options, deadline)
    try:
        connection.settimeout(deadline.left())
        connection.sendall(text)

        def receive() -> bytes:
            connection.settimeout(deadline.left())
            data: bytes = connection.recv(262144)
            return data

        return Response(receive, options.max_bytes).read()
    except TimeoutError:
        raise FetchError(deadline.message()) from None
    except OSError as wrong:
        raise FetchError(_strerror(wrong)) from None
    finally:
        connection.close()


def over_tls(options: Options, names: list[bytes], deadline: Deadline) -> tuple[bytes, bool]:
    import socket
    import ssl

    text = request(options, names)
    try:
        context = ssl.create_default_context(cafile=options.ca_file.decode() or None)
        if options.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if options.cert_file:
            context.load_cert_chain(options.cert_file, options.key_file or None)
    except OSError as wrong:
        raise FetchError(b"the certificate files cannot be used: " + _strerror(wrong)) from None
    host = options.source.host.decode()
    try:
        with (
            socket.create_connection((host, options.source.port), deadline.left()) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            connection.settimeout(deadline.left())
            connection.sendall(text)

            def receive() -> bytes:
                connection.settimeout(deadline.left())
                return connection.recv(262144)

            return Response(receive, options.max_bytes).read()
    except TimeoutError:
        raise FetchError(deadline.message()) from None
    except ssl.SSLCertVerificationError as wrong:
        raise FetchError(b"TLS: " + wrong.verify_message.lower().encode()) from None
    except OSError as wrong:
        raise FetchError(b"TLS: " + _strerror(wrong)) from None


# --- one run


class Result:
    """Verdicts, or the error for which there are none."""

    __slots__ = ("error", "verdicts")

    def __init__(self, verdicts: list[Verdict], error: bytes = b"") -> None:
        self.verdicts = verdicts
        self.error = error

    @property
    def healthy(self) -> bool:
        return not self.error and bool(self.verdicts) and all(v.ok for v in self.verdicts)


def evaluated(options: Options, body: bytes, states: State | None) -> list[Verdict]:
    now = options.now
    clock = Clock(time() if now is None else now, monotonic() if now is None else now, options.skew)
    exposition = Exposition(body)
    if not states:
        return [judged(check, exposition, clock, None) for check in options.checks]
    try:
        with states:
            verdicts = [judged(check, exposition, clock, states) for check in options.checks]
            states.write()
            trouble = states.trouble
    except BadState as bad:
        trouble = bad.args[0]
        verdicts = [
            Verdict(b"state", b"")
            if check.kind == b"increases"
            else judged(check, exposition, clock, None)
            for check in options.checks
        ]
    if trouble:
        for check, verdict in zip(options.checks, verdicts, strict=True):
            if check.kind == b"increases":
                verdict.outcome = b"state"
                verdict.reason = b"the state file: " + trouble
                verdict.value = None
                verdict.series = 0
    return verdicts


def wanted(options: Options) -> list[bytes]:
    """The names to ask a server for; none where a wrong answer to that could look healthy."""
    if not options.select or b"name[]=" in options.source.target:
        return []
    if any(check.kind == b"absent" for check in options.checks):
        return []
    names: list[bytes] = []
    for check in options.checks:
        names += [name for name in check.names() if name not in names]
    return names


def attempt(
    options: Options, names: list[bytes], deadline: Deadline, states: State | None
) -> Result:
    """One fetch; a second one for everything where asking by name found less than was looked for."""
    try:
        if names and options.source.kind in (b"http", b"https", b"unix"):
            try:
                body = fetched(options, names, deadline)
            except FetchError as wrong:
                if not wrong.status:
                    raise
            else:
                # Judged without the state, which must not be written twice.
                exposition = Exposition(body)
                found = [
                    chosen(*pair, exposition)[1]
                    for check in options.checks
                    for pair in sought(check)
                ]
                if not any(v and v.outcome == b"missing" for v in found):
                    return Result(evaluated(options, body, states))
        return Result(evaluated(options, fetched(options, [], deadline), states))
    except FetchError as wrong:
        return Result([], cut(options.source.text) + b": " + wrong.message)


def sought(check: Check) -> list[tuple[Selector, bytes]]:
    if check.kind == b"quantile":
        return [(check.a, check.a.name + b"_bucket")]
    return [(s, s.name) for s in (check.a, check.b) if s]


def run(options: Options, states: State | None = None) -> Result:
    deadline = Deadline(options.timeout)
    names = wanted(options)
    if states is None and any(check.kind == b"increases" for check in options.checks):
        states = State(options.state_file, options.url)
    left = options.retries
    while True:
        result = attempt(options, names, deadline, states)
        if result.healthy or not left or deadline.end - monotonic() <= options.retry_delay:
            return result
        left -= 1
        pause(options.retry_delay)


def pause(seconds: float) -> None:
    import time as clock

    clock.sleep(seconds)


# --- what is said


def quoted_json(text: bytes) -> bytes:
    out = bytearray(b'"')
    for char in text:
        if char in b'"\\':
            out += bytes((0x5C, char))
        elif char < 0x20 or char == 0x7F:
            out += b"\\u%04x" % char
        else:
            out.append(char)
    return bytes(out + b'"')


def json_number(value: float | None) -> bytes:
    if value is None:
        return b"null"
    text = shown(value)
    return text if value - value == 0 else b'"' + text + b'"'


def as_json(options: Options, result: Result, seconds: float) -> bytes:
    checks = b",".join(
        b'{"check":%s,"ok":%s,"outcome":"%s","value":%s,"series":%d,"reason":%s}'
        % (
            quoted_json(check.text),
            b"true" if verdict.ok else b"false",
            verdict.outcome,
            json_number(verdict.value),
            verdict.series,
            quoted_json(verdict.reason),
        )
        for check, verdict in zip(options.checks, result.verdicts, strict=False)
    )
    return b'{"healthy":%s,"error":%s,"seconds":%s,"checks":[%s]}\n' % (
        b"true" if result.healthy else b"false",
        quoted_json(result.error) if result.error else b"null",
        shown_seconds(seconds)[:-1],
        checks,
    )


MAX_SAID = 4096  # Docker keeps no more of a health check's output


def said(text: bytes) -> None:
    """One line on stderr, whatever the text holds."""
    line = bytes(0x3F if c < 0x20 or c == 0x7F else c for c in text)
    if len(line) > MAX_SAID - 1:
        end = MAX_SAID - 4
        while end and line[end] & 0xC0 == 0x80:
            end -= 1
        line = line[:end] + b"..."
    wrote(2, line + b"\n")


def wrote(file: int, text: bytes) -> None:
    try:
        while text:
            text = text[posix.write(file, text) :]
    except OSError:
        return


def reported(options: Options, result: Result, seconds: float) -> int:
    if options.json:
        wrote(1, as_json(options, result, seconds))
    if options.verbose:
        for check, verdict in zip(options.checks, result.verdicts, strict=False):
            said((b"ok      " if verdict.ok else b"FAILED  ") + check.text + b": " + verdict.reason)
    if result.healthy:
        return 0
    failed = b"; ".join(
        check.text + b": " + verdict.reason
        for check, verdict in zip(options.checks, result.verdicts, strict=False)
        if not verdict.ok
    )
    said(b"slo-probe: unhealthy: " + (result.error or failed))
    return 1


def explained(options: Options) -> bytes:
    source = options.source
    out = b"source: " + source.text + b"\n"
    names = wanted(options) if source.kind in (b"http", b"https", b"unix") else []
    if source.kind in (b"http", b"https", b"unix"):
        out += b"request: GET " + with_names(source.target, names) + b"\n"
    out += b"deadline: %s for everything, at most %d bytes, %d retries\n" % (
        shown_seconds(options.timeout),
        options.max_bytes,
        options.retries,
    )
    for check in options.checks:
        out += b"check: " + canonical(check) + b"\n"
    return out


def canonical(check: Check) -> bytes:
    inside = check.a.text
    if check.kind == b"quantile":
        inside = shown(check.q) + b", " + inside
    if check.b:
        inside += b", " + check.b.text
    if check.inner:
        inside += b" " + check.inner + b" " + shown(check.inner_at)
    out = check.kind + b"(" + inside + b")"
    if check.kind in (b"absent", b"present"):
        return out
    if check.kind == b"increases":
        return out + b" within " + shown_seconds(check.threshold)
    if check.kind == b"fresh":
        return out + b" " + check.operator + b" " + shown_seconds(check.threshold)
    return out + b" " + condition(check) + (b" or empty" if check.or_empty else b"")


# --- the command line

HELP = b"""usage: slo-probe [options] --check EXPRESSION...
       slo-probe agent [options] --check EXPRESSION... (see `slo-probe agent --help`)

Fetches a Prometheus exposition and evaluates checks over it. Exit 0: all hold. Exit 1: anything else.

  --url URL                 http://, https://, unix:/socket[!/path], file:/path, or - for stdin;
                            http://localhost:8091 by default
  --check EXPRESSION        name{label="v"} >= 1; all any none count sum min max avg (..) >= 1; present(..); absent(..);
                            fresh(..) < 300s; quantile(0.95, ..) < 0.5; ratio(.., ..) < 0.01; increases(..) within 300s
  --check-up NAME...        every series of NAME must be >= 1
  --check-fresh NAME...     every series of NAME must be a Unix time not older than --fresh-for
  --fresh-for SECONDS       300 by default
  --max-future-skew TIME    how far a fresh time may lie ahead, 30s by default
  --state FILE              where increases(..) keeps what it saw
  --timeout TIME            one deadline for everything, 2s by default
  --max-bytes N             the largest body, 33554432 by default
  --retries N               more attempts within the deadline, 0 by default; --retry-delay TIME, 100ms by default
  --no-select               do not ask for the needed metrics only (?name[]=)
  --bearer-token-file FILE  read at every request
  --header 'NAME: VALUE'    repeatable
  --ca-file, --cert-file, --key-file FILE, --insecure    for https
  --now SECONDS             evaluate at this time instead of now
  -v, --json, --explain     say more; print the result as JSON; print the plan and fetch nothing
  -V, -h                    version, this help
"""


class CommandLine:
    """Reads arguments; `--name value` and `--name=value` are the same."""

    def __init__(self, arguments: list[bytes]) -> None:
        self.arguments = arguments
        self.options = Options()
        self.fresh_for = 300.0
        self.texts: list[tuple[bytes, bool]] = []
        self.extra: dict[bytes, Callable[[bytes], None]] = {}

    def parsed(self) -> Options:
        waiting = list(reversed(self.arguments))
        while waiting:
            name, equals, value = waiting.pop().partition(b"=")
            if name in FLAGS and not equals:
                FLAGS[name](self.options)
                continue
            if name not in VALUES and name not in self.extra:
                raise ConfigError(b"unknown option " + printable(name))
            if not equals:
                if not waiting:
                    raise ConfigError(name + b" needs a value")
                value = waiting.pop()
            self.take(name, value)
            while name in (b"--check-up", b"--check-fresh") and waiting and waiting[-1][:1] != b"-":
                self.take(name, waiting.pop())
        return self.complete()

    def take(self, name: bytes, value: bytes) -> None:
        if name in self.extra:
            self.extra[name](value)
        else:
            VALUES[name](self, value)

    def complete(self) -> Options:
        options = self.options
        options.source = Source(options.url)
        # --fresh-for counts wherever it stands, hence here.
        window = b") <= " + shown_seconds(self.fresh_for)
        options.checks = [
            self.check(b"fresh(" + text + window if is_fresh else text)
            for text, is_fresh in self.texts
        ]
        if not options.checks:
            raise ConfigError(b"no checks given: nothing would be checked and all would look well")
        return options

    def check(self, text: bytes) -> Check:
        try:
            return CheckParser(text).check()
        except ConfigError as wrong:
            raise ConfigError(wrong.args[0] + b": " + cut_check(text)) from None

    def add(self, text: bytes, *, is_fresh: bool = False) -> None:
        if len(self.texts) >= MAX_CHECKS:
            raise ConfigError(b"more than %d checks" % MAX_CHECKS)
        self.texts.append((text, is_fresh))


def cut_check(text: bytes) -> bytes:
    return cut(text) if is_utf8(text) else printable(text)


def _set(field: str, read: Callable[[bytes, bytes], object], option: bytes) -> Any:
    def setter(line: CommandLine, value: bytes) -> None:
        setattr(line.options, field, read(option, value))

    return setter


def _text(option: bytes, value: bytes) -> bytes:
    if not value or b"\0" in value:
        raise ConfigError(option + b" needs a value")
    return value


def _time(option: bytes, value: bytes) -> float:
    seconds = duration(value)
    if seconds is None:
        raise ConfigError(option + b" must be a duration above zero such as 2s or 500ms")
    return seconds


def _now(option: bytes, value: bytes) -> float:
    seconds = number(value)
    if seconds is None or seconds - seconds != 0:
        raise ConfigError(option + b" must be a number")
    return seconds


def _count(option: bytes, value: bytes) -> int:
    if not value.isdigit() or len(value) > 12:
        raise ConfigError(option + b" must be a whole number")
    return int(value)


def _header(line: CommandLine, value: bytes) -> None:
    name, colon, text = value.partition(b":")
    known = (b"host", b"connection", b"content-length", b"transfer-encoding", b"accept-encoding")
    fine = colon and name and all(c in LABEL_CHARS + b"-" for c in name)
    if not fine or any(not 0x20 <= c < 0x7F for c in text) or name.lower() in known:
        raise ConfigError(
            b"--header must be 'Name: value' in ASCII, and no header of the connection"
        )
    if len(line.options.headers) >= 16 or len(value) > 4096:
        raise ConfigError(b"--header: at most 16 of at most 4096 bytes")
    line.options.headers.append(name + b": " + text.strip(BLANK))


def _fresh_for(line: CommandLine, value: bytes) -> None:
    line.fresh_for = _time(b"--fresh-for", value)


VALUES: dict[bytes, Callable[[CommandLine, bytes], None]] = {
    b"--url": _set("url", _text, b"--url"),
    b"--check": lambda line, value: line.add(value),
    b"--check-up": lambda line, value: line.add(value + b" >= 1"),
    b"--check-fresh": lambda line, value: line.add(value, is_fresh=True),
    b"--fresh-for": _fresh_for,
    b"--timeout": _set("timeout", _time, b"--timeout"),
    b"--max-bytes": _set("max_bytes", _count, b"--max-bytes"),
    b"--retries": _set("retries", _count, b"--retries"),
    b"--retry-delay": _set("retry_delay", _time, b"--retry-delay"),
    b"--max-future-skew": _set("skew", _time, b"--max-future-skew"),
    b"--bearer-token-file": _set("token_file", _text, b"--bearer-token-file"),
    b"--header": _header,
    b"--state": _set("state_file", _text, b"--state"),
    b"--now": _set("now", _now, b"--now"),
    b"--ca-file": _set("ca_file", _text, b"--ca-file"),
    b"--cert-file": _set("cert_file", _text, b"--cert-file"),
    b"--key-file": _set("key_file", _text, b"--key-file"),
}


def _flag(field: str, value: bool) -> Callable[[Options], None]:
    return lambda options: setattr(options, field, value)


FLAGS: dict[bytes, Callable[[Options], None]] = {
    b"-v": _flag("verbose", True),
    b"--verbose": _flag("verbose", True),
    b"--json": _flag("json", True),
    b"--explain": _flag("explain", True),
    b"--no-select": _flag("select", False),
    b"--insecure": _flag("insecure", True),
}


def watch(options: Options) -> None:
    """Ends the process when the deadline passes inside a call that has none: a lookup, a pipe, a lock."""
    import _thread

    lock = _thread.allocate_lock()
    lock.acquire()

    def end() -> None:
        # A little later than the deadline itself, whose message names the place.
        lock.acquire(timeout=options.timeout + 0.05)
        message = cut(options.source.text) + b": no answer within " + shown_seconds(options.timeout)
        code = reported(options, Result([], message), options.timeout)
        posix._exit(code)

    _thread.start_new_thread(end, ())


def main(arguments: list[bytes]) -> int:
    begun = monotonic()
    if sys.version_info < (3, 11):
        said(b"slo-probe: config: Python 3.11 or newer is needed")
        return 1
    if arguments[:1] == [b"agent"]:
        return agent(arguments[1:])
    if b"-h" in arguments or b"--help" in arguments:
        wrote(1, HELP)
        return 0
    if b"-V" in arguments or b"--version" in arguments:
        wrote(1, b"slo-probe " + VERSION + b"\n")
        return 0
    try:
        options = CommandLine(arguments).parsed()
        if not options.state_file and any(c.kind == b"increases" for c in options.checks):
            raise ConfigError(b"increases(..) needs --state FILE to remember what it saw")
    except ConfigError as wrong:
        if b"--json" in arguments:
            wrote(1, as_json(Options(), Result([], b"config: " + wrong.args[0]), 0.0))
        said(b"slo-probe: config: " + wrong.args[0])
        return 1
    if options.explain:
        wrote(1, explained(options))
        return 0
    watch(options)
    return reported(options, run(options), monotonic() - begun)


# --- the agent: a resident process that is asked over HTTP, so that no probe starts a process

AGENT_HELP = b"""usage: slo-probe agent [options] --check EXPRESSION... [--ready-check EXPRESSION...]

Evaluates every --interval and answers GET /healthz (every --check), /readyz (those and every --ready-check) and /metrics.
200 means that all hold; 503 that one does not, that nothing was evaluated yet, or that the last time is too long ago.

  --listen HOST:PORT        127.0.0.1:9798 by default; a kubelet asks from outside and needs 0.0.0.0:9798
  --interval TIME           5s by default
  --max-age TIME            how old an answer may be: three intervals and one timeout by default
  --ready-check EXPRESSION  for /readyz only

and the options of `slo-probe --help`. Ends with exit 0 on SIGTERM or SIGINT.
"""


class Snapshot:
    """One evaluation as the HTTP side sees it; replaced as a whole, so that no lock is needed."""

    __slots__ = ("at", "counts", "ended", "result", "seconds")

    def __init__(self, result: Result, at: float, seconds: float, counts: tuple[int, int]) -> None:
        self.result = result
        self.at = at
        self.seconds = seconds
        self.counts = counts
        self.ended = monotonic()


class Agent:
    """Evaluates on an interval and knows what to answer."""

    def __init__(self, options: Options, live: int, interval: float, max_age: float) -> None:
        self.options = options
        self.live = live
        self.interval = interval
        self.max_age = max_age
        self.last: Snapshot | None = None
        self.states = State(options.state_file, options.url)

    def evaluate(self) -> None:
        at, begun = time(), monotonic()
        result = run(self.options, self.states)
        healthy, unhealthy = self.last.counts if self.last else (0, 0)
        counts = (healthy + result.healthy, unhealthy + (not result.healthy))
        self.last = Snapshot(result, at, monotonic() - begun, counts)

    def answer(self, *, ready: bool) -> bytes:
        """Nothing where all is well, else the reason."""
        last = self.last
        if last is None:
            return b"not evaluated yet"
        age = monotonic() - last.ended
        if age > self.max_age:
            return b"the last evaluation is %s old" % shown_seconds(age)
        if last.result.error:
            return last.result.error
        asked = len(last.result.verdicts) if ready else self.live
        return b"; ".join(
            check.text + b": " + verdict.reason
            for check, verdict in zip(
                self.options.checks[:asked], last.result.verdicts[:asked], strict=True
            )
            if not verdict.ok
        )

    def metrics(self) -> bytes:
        last = self.last
        out = [
            b"# HELP slo_probe_healthy Whether /healthz answers 200.\n# TYPE slo_probe_healthy gauge\n",
            b"slo_probe_healthy %d\n" % (not self.answer(ready=False)),
            b"# HELP slo_probe_ready Whether /readyz answers 200.\n# TYPE slo_probe_ready gauge\n",
            b"slo_probe_ready %d\n" % (not self.answer(ready=True)),
        ]
        if last:
            out += [
                b"# HELP slo_probe_evaluations_total Evaluations since the start.\n",
                b"# TYPE slo_probe_evaluations_total counter\n",
                b'slo_probe_evaluations_total{result="healthy"} %d\n' % last.counts[0],
                b'slo_probe_evaluations_total{result="unhealthy"} %d\n' % last.counts[1],
                b"# HELP slo_probe_last_evaluation_timestamp_seconds When the last evaluation began.\n",
                b"# TYPE slo_probe_last_evaluation_timestamp_seconds gauge\n",
                b"slo_probe_last_evaluation_timestamp_seconds %s\n" % shown(last.at),
                b"# HELP slo_probe_evaluation_duration_seconds How long the last evaluation took.\n",
                b"# TYPE slo_probe_evaluation_duration_seconds gauge\n",
                b"slo_probe_evaluation_duration_seconds %s\n" % shown(last.seconds),
                b"# HELP slo_probe_fetch_ok Whether the last evaluation got an exposition.\n",
                b"# TYPE slo_probe_fetch_ok gauge\nslo_probe_fetch_ok %d\n"
                % (not last.result.error),
                *self.check_metrics(last),
            ]
        return b"".join(out)

    def check_metrics(self, last: Snapshot) -> Iterator[bytes]:
        yield b"# HELP slo_probe_check_ok Whether the check held at the last evaluation.\n"
        yield b"# TYPE slo_probe_check_ok gauge\n"
        said_once: set[bytes] = set()
        for i, check in enumerate(self.options.checks):
            text = check.text.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
            if text in said_once:
                continue
            said_once.add(text)
            ok = not last.result.error and last.result.verdicts[i].ok
            kind = b"healthz" if i < self.live else b"readyz"
            yield b'slo_probe_check_ok{check="%s",endpoint="%s"} %d\n' % (text, kind, ok)


def agent(arguments: list[bytes]) -> int:
    if b"-h" in arguments or b"--help" in arguments:
        wrote(1, AGENT_HELP)
        return 0
    settings: dict[bytes, bytes] = {b"--listen": b"127.0.0.1:9798"}
    ready: list[bytes] = []
    times = {b"--interval": 5.0}
    line = CommandLine(arguments)
    line.extra = {
        b"--listen": lambda value: settings.update({b"--listen": value}),
        b"--interval": lambda value: times.update({b"--interval": _time(b"--interval", value)}),
        b"--max-age": lambda value: times.update({b"--max-age": _time(b"--max-age", value)}),
        b"--ready-check": ready.append,
    }
    try:
        options = line.parsed()
        live = len(options.checks)
        options.checks += [line.check(text) for text in ready]
        host, port = _listen(settings[b"--listen"])
        if len(options.checks) > MAX_CHECKS:
            raise ConfigError(b"more than %d checks" % MAX_CHECKS)
        if options.source.kind == b"stdin":
            raise ConfigError(b"an agent cannot read stdin again and again")
    except ConfigError as wrong:
        said(b"slo-probe: config: " + wrong.args[0])
        return 1
    interval = times[b"--interval"]
    max_age = times.get(b"--max-age", 3 * interval + options.timeout)
    return serve(Agent(options, live, interval, max_age), host, port)


def _listen(text: bytes) -> tuple[str, int]:
    host, _, port = text.rpartition(b":")
    # No host is not every host: whoever wants to be asked from outside says so.
    if not host or not port.isdigit() or len(port) > 5 or int(port) > 65535:
        raise ConfigError(b"--listen must be HOST:PORT")
    return host.strip(b"[]").decode("ascii", "replace"), int(port)


def serve(resident: Agent, host: str, port: int) -> int:
    import signal
    import socket
    import threading
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        timeout = 5
        server_version = "slo-probe"
        sys_version = ""

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self.reply(200, resident.metrics())
            elif path in ("/healthz", "/readyz"):
                reason = resident.answer(ready=path == "/readyz")
                self.reply(503 if reason else 200, (reason or b"ok") + b"\n")
            else:
                self.reply(404, b"ask for /healthz, /readyz or /metrics\n")

        do_HEAD = do_GET  # noqa: N815

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        free = threading.BoundedSemaphore(64)

        def process_request(self, request: Any, client_address: Any) -> None:
            # Whoever opens connections and says nothing gets 64 of them for five seconds.
            if self.free.acquire(blocking=False):
                super().process_request(request, client_address)
            else:
                self.shutdown_request(request)

        def process_request_thread(self, request: Any, client_address: Any) -> None:
            try:
                super().process_request_thread(request, client_address)
            finally:
                self.free.release()

        def handle_error(self, request: Any, client_address: Any) -> None:
            return

    class Stop(BaseException):
        """Raised by a signal, wherever the evaluation stands."""

    def stop(*_: object) -> None:
        raise Stop

    try:
        server = Server((host, port), Handler)
    except (OSError, UnicodeError) as wrong:
        reason = _strerror(wrong) if isinstance(wrong, OSError) else b"not an address"
        said(b"slo-probe: config: --listen: " + reason)
        return 1
    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    where = b"[%s]:%d" if ":" in host else b"%s:%d"
    said(b"slo-probe: listening on http://" + where % (host.encode(), server.server_address[1]))
    try:
        while True:
            begun = monotonic()
            resident.evaluate()
            pause(max(0.0, resident.interval - (monotonic() - begun)))
    except Stop:
        server.socket.close()
        return 0


if __name__ == "__main__":
    posix._exit(main([each.encode("utf-8", "surrogateescape") for each in sys.argv[1:]]))
