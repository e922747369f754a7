"""Versions of promtool: read from `promtool --version`, ordered."""

import re
from dataclasses import dataclass
from typing import Self

from promtool.errors import ToolError

_BANNER = re.compile(r"promtool, version v?(\d+)\.(\d+)(?:\.(\d+))?(\S*)")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Version:
    major: int
    minor: int
    patch: int = 0

    @classmethod
    def parse(cls, banner: str) -> Self:
        """Read the output of `promtool --version`; suffixes such as `+ds` are dropped."""
        found = _BANNER.search(banner)
        if found is None:
            first = banner.strip().splitlines()[:1]
            text = f"expected `promtool, version X.Y.Z`, got `{''.join(first)}`"
            raise ToolError(f"{text} from `--version`; check that the binary is promtool")
        major, minor, patch = found.group(1, 2, 3)
        return cls(major=int(major), minor=int(minor), patch=int(patch or 0))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"
