"""Grafana's colours by name, in the light and in the dark."""

from __future__ import annotations

import re
from collections.abc import Mapping

TEXT = "text"
# packages/grafana-data/src/themes/palette: light theme, dark theme.
_NAMED: Mapping[str, tuple[str, str]] = {
    "green": ("#56A64B", "#73BF69"),
    "dark-green": ("#19730E", "#37872D"),
    "semi-dark-green": ("#37872D", "#56A64B"),
    "light-green": ("#73BF69", "#96D98D"),
    "super-light-green": ("#96D98D", "#C8F2C2"),
    "yellow": ("#CC9D00", "#FADE2A"),
    "dark-yellow": ("#CC9D00", "#E0B400"),
    "semi-dark-yellow": ("#E0B400", "#F2CC0C"),
    "light-yellow": ("#FADE2A", "#FFEE52"),
    "super-light-yellow": ("#FFEE52", "#FFF899"),
    "red": ("#E02F44", "#F2495C"),
    "dark-red": ("#AD0317", "#C4162A"),
    "semi-dark-red": ("#C4162A", "#E02F44"),
    "light-red": ("#F2495C", "#FF7383"),
    "super-light-red": ("#FF7383", "#FFA6B0"),
    "blue": ("#3274D9", "#5794F2"),
    "dark-blue": ("#1250B0", "#1F60C4"),
    "semi-dark-blue": ("#1F60C4", "#3274D9"),
    "light-blue": ("#5794F2", "#8AB8FF"),
    "super-light-blue": ("#8AB8FF", "#C0D8FF"),
    "orange": ("#FF780A", "#FF9830"),
    "dark-orange": ("#E55400", "#FA6400"),
    "semi-dark-orange": ("#FA6400", "#FF780A"),
    "light-orange": ("#FF9830", "#FFB357"),
    "super-light-orange": ("#FFB357", "#FFCB7D"),
    "purple": ("#A352CC", "#B877D9"),
    "dark-purple": ("#7C2EA3", "#8F3BB8"),
    "semi-dark-purple": ("#8F3BB8", "#A352CC"),
    "light-purple": ("#B877D9", "#CA95E5"),
    "super-light-purple": ("#CA95E5", "#DEB6F2"),
    "white": ("#24292E", "#FFFFFF"),
    "gray": ("#6E7681", "#9FA7B3"),
    "transparent": ("rgba(0,0,0,0)", "rgba(0,0,0,0)"),
    TEXT: ("#24292E", "#CCCCDC"),
}
# The order in which series are coloured (`palette-classic`).
CLASSIC = (
    "green", "semi-dark-yellow", "light-blue", "semi-dark-orange", "red", "blue", "purple",
    "dark-green", "dark-yellow", "dark-blue", "dark-orange", "dark-red", "dark-purple",
    "light-green", "light-orange", "light-red", "light-purple", "super-light-blue",
)  # fmt: skip
_LITERAL = re.compile(r"#(?:[0-9a-fA-F]{3,4}){1,2}|(?:rgb|hsl)a?\([\d\s.,%/]+\)")


def color(name: object) -> str:
    """A name of the palette or a literal colour; what is neither is the colour of text."""
    text = str(name or "")
    return text if text in _NAMED or _LITERAL.fullmatch(text) else TEXT


def palette() -> dict[str, dict[str, str]]:
    """Theme -> name -> colour, for the page."""
    return {
        "light": {name: pair[0] for name, pair in _NAMED.items()},
        "dark": {name: pair[1] for name, pair in _NAMED.items()},
    }
