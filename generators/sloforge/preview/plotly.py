"""Plotly's JavaScript out of its wheel: the only importer of plotly."""

from __future__ import annotations

from importlib.resources import files

from sloforge.errors import Problem

_PLACE = "package_data/plotly.min.js"


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
