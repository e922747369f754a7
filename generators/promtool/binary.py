"""Find the promtool binary and ask it for its version."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from promtool.capabilities import CAPABILITIES
from promtool.errors import NotFoundError, UnsupportedError
from promtool.process import run
from promtool.version import Version

MINIMUM = Version(major=2, minor=42)
_INSTALL = (
    "install it with `apt-get install --no-install-recommends prometheus`,"
    " `brew install prometheus`, `dnf install prometheus` or from"
    " https://prometheus.io/download/, or set $PROMTOOL to its path"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promtool:
    """A binary that was found and has told its version."""

    path: Path
    version: Version

    def can(self, capability: str) -> bool:
        return self.version >= CAPABILITIES[capability].since

    def require(self, capability: str) -> None:
        """Raise UnsupportedError when this binary lacks the capability."""
        if not self.can(capability):
            wanted = CAPABILITIES[capability]
            needs = f"{wanted.what} needs promtool {wanted.since}, got {self.version}"
            raise UnsupportedError(
                f"{needs} at `{self.path}`; install a newer one or set $PROMTOOL"
            )


def locate(path: str | os.PathLike[str] | None = None) -> Promtool:
    """Find promtool at `path`, else at $PROMTOOL, else on PATH; the first one named must work."""
    found = _find(path)
    version = Version.parse(run((str(found), "--version"), timeout=30).output)
    if version < MINIMUM:
        text = f"`{found}` is promtool {version}, expected {MINIMUM} or newer"
        raise UnsupportedError(f"{text}; {_INSTALL}")
    return Promtool(path=found, version=version)


def _find(path: str | os.PathLike[str] | None) -> Path:
    named = os.fspath(path) if path is not None else os.environ.get("PROMTOOL", "")
    origin = "the given path" if path is not None else "$PROMTOOL" if named else "PATH"
    found = shutil.which(named or "promtool")
    if found is None:
        what = f"`{named}` from {origin} is not an executable" if named else "no promtool on PATH"
        raise NotFoundError(f"{what}; {_INSTALL}")
    return Path(found).absolute()
