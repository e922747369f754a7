"""Durations as Prometheus and Go write them (`1h30m`, `5m0s`, `1d`), in milliseconds."""

import re

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_UNITS |= {"d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}


def milliseconds(text: str) -> int | None:
    """Return the length of a duration, or None when the text is none."""
    if text == "0":
        return 0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return round(sum(float(number) * _UNITS[unit] for number, unit in parts))
