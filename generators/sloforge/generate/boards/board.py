"""What a dashboard shows, as values: boards, rows, panels, queries, variables, marks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sloforge.model import PanelKind, Step

Cell = Literal["auto", "color-text", "color-background"]
Draw = Literal["line", "bars", "area"]
ThresholdStyle = Literal["off", "dashed", "dashed+area"]

GREEN, YELLOW, ORANGE, RED, BLUE = "green", "yellow", "orange", "red", "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One query of a panel; `table` asks for rows instead of series."""

    expr: str
    legend: str = ""
    instant: bool = False
    table: bool = False
    dashed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Text in place of a number: for one value, for a range, or (neither given) for no number."""

    text: str
    color: str = ""
    value: Decimal | None = None
    between: tuple[Decimal, Decimal] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How numbers are shown; `steps` run from the lowest colour up, the first without a value."""

    unit: str
    decimals: int | None = None
    steps: tuple[Step, ...] = (Step(color=GREEN, value=None),)
    words: tuple[Words, ...] = ()
    empty: str = "no data"
    minimum: Decimal | None = None
    maximum: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """How a time series is drawn."""

    draw: Draw = "line"
    thresholds: ThresholdStyle = "off"
    log: Literal[0, 2, 10] = 0
    stacked: bool = False
    # The least distance of two points; 0s leaves it to Grafana.
    interval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where a click goes."""

    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a table, by the field's name in the query's result."""

    field: str
    title: str
    look: Look | None = None
    cell: Cell = "auto"
    links: tuple[Link, ...] = ()
    hidden: bool = False
    width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """The columns of a table in order; several queries are joined by the field `key`."""

    columns: tuple[Column, ...]
    key: str = ""
    sort: str = ""
    descending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel; `slug` names it for good, so that its id survives every insertion before it."""

    slug: str
    kind: PanelKind
    title: str
    description: str
    width: int
    height: int
    reads: tuple[Read, ...] = ()
    look: Look = Look(unit="short")
    graph: Graph = Graph()
    grid: Grid = Grid(columns=())
    content: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A row of the dashboard with the panels under it."""

    slug: str
    title: str
    panels: tuple[Panel, ...]
    collapsed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A choice at the top of the board; `fixed` is a constant that nobody chooses."""

    name: str
    label: str
    query: str
    many: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An annotation: where `expr` has a value, or where Grafana knows an event with these tags."""

    name: str
    color: str
    expr: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """A whole dashboard; `start` is the left edge of its time range, such as `now-7d`.

    `datasource` is what is chosen at first: `default`, or a datasource's uid.
    """

    uid: str
    title: str
    description: str
    tags: tuple[str, ...]
    sections: tuple[Section, ...]
    variables: tuple[Variable, ...]
    marks: tuple[Mark, ...]
    links: tuple[Link, ...]
    start: str
    refresh: str
    datasource: str = "default"


def steps(first: str, *rest: tuple[Decimal | int | str, str]) -> tuple[Step, ...]:
    """`steps(RED, (0, ORANGE))`: red, and orange from 0 on."""
    later = (Step(color=color, value=Decimal(value)) for value, color in rest)
    return (Step(color=first, value=None), *later)


# The same colours for the same thing on every board.
BUDGET_STEPS = steps(RED, ("0", ORANGE), ("0.25", YELLOW), ("0.5", GREEN))
BURN_STEPS = steps(GREEN, ("1", YELLOW), ("3", ORANGE), ("14.4", RED))
COUNT_STEPS = steps(GREEN, (1, RED))
NO_TRAFFIC = Words(text="no traffic", color="text")
NO_DATA = Words(text="no data", color="text")
