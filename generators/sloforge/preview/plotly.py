"""Plotly's JavaScript out of its wheel: the only importer of plotly."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from sloforge.errors import Problem

_PLACE = "package_data/plotly.min.js"
# Plotly writes its styles into the page, which the policy of ours forbids, unless an element of
# this id says not to; the maps in it, which we do not use, unless one of their own id is there.
_STYLES = "plotly.js-style-global"
_MAPS = re.compile(r'if\(!document\.getElementById\("([0-9a-f]{64})"\)\)')


@cache
def script() -> str:
    """All of Plotly, as one script. Raises Problem where the extra is not installed."""
    try:
        import plotly  # noqa: PLC0415 - an extra, and slow to import
    except ModuleNotFoundError:
        raise Problem(
            "sloforge preview: needs plotly, which draws the charts, and it is not installed; "
            "run `pip install 'sloforge[preview]'`"
        ) from None
    try:
        return files(plotly).joinpath(_PLACE).read_text(encoding="utf-8")
    except OSError as error:
        raise Problem(
            f"plotly: expected `{_PLACE}` in the package: {error.strerror}; "
            "run `pip install --force-reinstall 'sloforge[preview]'`"
        ) from None


def guards() -> str:
    """HTML that must stand in a page before the script, which else would write styles into it."""
    maps = "".join(f'<i id="{name}" hidden></i>' for name in _MAPS.findall(script()))
    return f'<i id="{_STYLES}" class="no-inline-styles" hidden></i>{maps}'
