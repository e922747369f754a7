"""Where in a Python file an object was made, down to each argument."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import FrameType

from sloforge.errors import Location

# A generated __init__ has no file of its own.
_OURS = (str(Path(__file__).parent), "<string>")
_Span = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Origin:
    """The call that made an object: its file, and the lines and columns that it spans."""

    file: str
    span: _Span

    @property
    def where(self) -> Location:
        return _location(self.file, self.span[0], self.span[1])

    def argument(self, name: str | int) -> ast.expr | None:
        """What stands for a keyword, or at a position; None where nobody can tell."""
        call = _calls(self.file).get(self.span)
        if call is None:
            return None
        if isinstance(name, int):
            return call.args[name] if name < len(call.args) else None
        return next((one.value for one in call.keywords if one.arg == name), None)


def here() -> Origin:
    """The innermost call that does not stand in this package."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the one way to see a caller
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    assert frame is not None
    return Origin(frame.f_code.co_filename, span_of(frame, frame.f_lasti))


def span_of(frame: FrameType, instruction: int) -> _Span:
    """First line, first column, last line, last column; columns from 0, in bytes of UTF-8."""
    positions = next(islice(frame.f_code.co_positions(), instruction // 2, None), None)
    line, last, column, end = positions or (None, None, None, None)
    first = line or frame.f_lineno or 0
    return (first, column or 0, last or first, end or 0)


def of(file: str, part: ast.expr) -> Location:
    """The place of a part of the source."""
    return _location(file, part.lineno, part.col_offset)


def placed(file: str, line: int, column: int) -> Location:
    """A place from a line and a column in bytes."""
    return _location(file, line, column)


def _location(file: str, line: int, column: int) -> Location:
    lines = _source(file).split("\n")
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    before = text.encode()[:column].decode(errors="replace")
    return Location(file, line, len(before) + 1)


@cache
def _source(file: str) -> str:
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


@cache
def _calls(file: str) -> dict[_Span, ast.Call]:
    try:
        tree = ast.parse(_source(file))
    except (SyntaxError, ValueError, RecursionError):
        return {}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {(n.lineno, n.col_offset, n.end_lineno or 0, n.end_col_offset or 0): n for n in found}
