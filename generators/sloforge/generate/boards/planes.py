"""`workload-planes`: what each plane is and was, at which step, and whether its prober lives."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sloforge import naming
from sloforge.artifacts import Artifact, json_artifact
from sloforge.generate.boards.board import (
    BLUE,
    GREEN,
    ORANGE,
    RED,
    YELLOW,
    Board,
    Column,
    Grid,
    Link,
    Look,
    Panel,
    Read,
    Section,
    Variable,
    Words,
    steps,
)
from sloforge.generate.boards.common import FLEET, REFRESH, TAGS, instant, marks
from sloforge.generate.panels import dashboard
from sloforge.generate.planes import CODE, UNKNOWN_RATIO, service_of
from sloforge.planes import (
    CHECKS,
    CONFIG,
    DASHBOARD_UID,
    DURATION,
    LAST_CHECK,
    LAST_STATUS,
    LAST_SUCCESS,
    STATUS,
    STATUSES,
    STEP_STATUS,
    STORE_UP,
    TICK,
)
from sloforge.planestates import window
from sloforge.promql import number, seconds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloforge.model import Project
    from sloforge.planes import Planes

GREY = "text"
_COLORS = {
    "OK": GREEN,
    "DEGRADED": YELLOW,
    "NO_VALUE": GREY,
    "NO_USER": ORANGE,
    "NO_ORACLE": ORANGE,
    "FAILED": RED,
}
_STEP_CODES = (
    ("OK", GREEN),
    ("SLOW", YELLOW),
    ("SKIPPED", BLUE),
    ("NO_VALUE", GREY),
    ("MISSING", ORANGE),
    ("FAILED", RED),
)
_CHOSEN = 'plane=~"$plane"'


def plane_dashboards(project: Project) -> Iterator[Artifact]:
    """One board on all planes."""
    if project.planes is None:
        return
    board = _board(project, project.planes)
    yield json_artifact(naming.dashboard_file(board.uid), dashboard(board))


def _board(project: Project, planes: Planes) -> Board:
    service = planes.service
    variable = Variable(
        name="plane", label="Plane", query=f"label_values({STATUS}, plane)", many=True
    )
    runbook = project.settings.runbook_base_url
    links = [FLEET, Link(title="Promises", url=f"/d/{naming.dashboard_uid(service)}")]
    if "://" in runbook:
        links.append(Link(title="Runbooks", url=f"{runbook}{service}/failed.md"))
    return Board(
        uid=DASHBOARD_UID,
        title="Workload planes",
        description="What each workload plane is, as its smoke user sees it.",
        tags=(*TAGS, f"owner:{service_of(project, planes).owner}"[:50]),
        sections=tuple(_sections(project, planes)),
        variables=(variable,),
        marks=marks(f'slo_service="{service}"', f"service:{service}"),
        links=tuple(links),
        datasource=project.settings.datasource,
        start="now-6h",
        refresh=REFRESH,
    )


def _sections(project: Project, planes: Planes) -> Iterator[Section]:
    yield Section(slug="now", title="What are the planes?", panels=tuple(_now()))
    yield Section(slug="steps", title="Which step fails?", panels=tuple(_steps()))
    late = seconds(max(3 * planes.interval, window(planes, service_of(project, planes))))
    yield Section(slug="prober", title="Does the prober live?", panels=tuple(_prober(late)))


def _now() -> Iterator[Panel]:
    for status in STATUSES:
        yield Panel(
            slug=f"count:{status}",
            kind="stat",
            title=status,
            description=f"How many planes are {status} at this moment.",
            width=4,
            height=4,
            reads=(instant(f'sum({STATUS}{{{_CHOSEN},status="{status}"}})'),),
            look=Look(
                unit="short",
                decimals=0,
                steps=steps(GREY, (1, _COLORS[status])),
                empty="no prober",
            ),
        )
    yield Panel(
        slug="timeline",
        kind="state-timeline",
        title="What was each plane, and when?",
        description=f"{CODE}: the worst status that any prober saw, a lost scrape bridged. "
        "No data is a prober that is gone.",
        width=24,
        height=10,
        reads=(Read(expr=f"{CODE}{{{_CHOSEN}}}", legend="{{plane}}"),),
        look=Look(unit="short", decimals=0, words=_words(tuple(_COLORS.items()))),
    )
    yield _table()


def _words(coded: tuple[tuple[str, str], ...]) -> tuple[Words, ...]:
    return tuple(
        Words(text=text, color=color, value=Decimal(at)) for at, (text, color) in enumerate(coded)
    )


def _table() -> Panel:
    """Joined by plane: what it is, what it was last, and how long ago."""
    reads = (
        _row(f"max by (plane) ({CODE}{{{_CHOSEN}}})"),
        _row(f"max by (plane) ({_coded(LAST_STATUS, tuple(STATUSES), 'plane')})"),
        _row(f"time() - max by (plane) ({LAST_CHECK}{{{_CHOSEN}}})"),
        _row(f"time() - max by (plane) ({LAST_SUCCESS}{{{_CHOSEN}}})"),
        _row(f"max by (plane) ({UNKNOWN_RATIO}{{{_CHOSEN}}})"),
    )
    age = Look(unit="s", decimals=0, empty="never")
    state = Look(unit="short", decimals=0, steps=steps(GREY), words=_words(tuple(_COLORS.items())))
    columns = (
        Column(field="plane", title="Plane"),
        Column(field="Value #A", title="Now", look=state, cell="color-text"),
        Column(field="Value #B", title="Last result", look=state, cell="color-text"),
        Column(field="Value #C", title="Last check", look=age),
        Column(field="Value #D", title="Last success", look=age),
        Column(field="Value #E", title="Unknown, 5m", look=Look(unit="percentunit", decimals=0)),
    )
    return Panel(
        slug="table",
        kind="table",
        title="Planes",
        description="The status now, the last result however old it is, and the ages of the last "
        "check and the last success. The reason stands at /planes of the exporter.",
        width=24,
        height=8,
        reads=reads,
        look=Look(unit="short"),
        grid=Grid(columns=columns, key="plane", sort="Now", descending=True),
    )


def _row(expr: str) -> Read:
    return Read(expr=expr, instant=True, table=True)


def _coded(metric: str, names: tuple[str, ...], by: str) -> str:
    """One number per series: the place of its state in the list."""
    parts = (f'{metric}{{{_CHOSEN},status="{one}"}} * {at}' for at, one in enumerate(names))
    return f"max by ({by}) ({' or '.join(parts)})"


def _steps() -> Iterator[Panel]:
    names = tuple(name for name, _ in _STEP_CODES)
    yield Panel(
        slug="steps",
        kind="state-timeline",
        title="How did each step end?",
        description="user, oracle, predict, async_submit, async_result of each check; a step is "
        "skipped where one before it has decided.",
        width=24,
        height=12,
        reads=(Read(expr=_coded(STEP_STATUS, names, "plane, step"), legend="{{plane}} {{step}}"),),
        look=Look(unit="short", decimals=0, words=_words(_STEP_CODES)),
    )
    rate = f"rate({DURATION}_bucket{{{_CHOSEN}}}[$__rate_interval])"
    yield Panel(
        slug="duration",
        kind="timeseries",
        title="How long do the steps take? (P95)",
        description=f"The 95th percentile of {DURATION} by step, over the chosen planes.",
        width=12,
        height=8,
        reads=(
            Read(expr=f"histogram_quantile(0.95, sum by (le, step) ({rate}))", legend="{{step}}"),
        ),
        look=Look(unit="s"),
    )
    yield Panel(
        slug="checks",
        kind="timeseries",
        title="What do checks find?",
        description=f"rate({CHECKS}) by status. A line that ends is a scheduler that stands still.",
        width=12,
        height=8,
        reads=(
            Read(
                expr=f"sum by (status) (rate({CHECKS}{{{_CHOSEN}}}[$__rate_interval]))",
                legend="{{status}}",
            ),
        ),
        look=Look(unit="cps"),
    )


def _prober(late: Decimal) -> Iterator[Panel]:
    yield Panel(
        slug="tick",
        kind="timeseries",
        title="How long ago did the scheduler tick?",
        description=f"time() - {TICK}. A line that climbs is a scheduler that stands still.",
        width=12,
        height=8,
        reads=(Read(expr=f"time() - max({TICK})", legend="age"),),
        look=Look(unit="s", steps=steps(GREEN, (number(late), RED))),
    )
    yield Panel(
        slug="store",
        kind="stat",
        title="Can the store be read?",
        description=f"{STORE_UP}: 0 makes every plane NO_VALUE.",
        width=6,
        height=8,
        reads=(instant(f"min({STORE_UP})"),),
        look=Look(
            unit="short",
            decimals=0,
            steps=steps(RED, (1, GREEN)),
            words=(
                Words(text="yes", color=GREEN, value=Decimal(1)),
                Words(text="no", color=RED, value=Decimal(0)),
            ),
            empty="no prober",
        ),
    )
    yield Panel(
        slug="config",
        kind="stat",
        title="Planes in the configuration",
        description=f"{CONFIG}, to compare with the planes that there are.",
        width=6,
        height=8,
        reads=(instant(f"max({CONFIG})"),),
        look=Look(unit="short", decimals=0, steps=steps(BLUE), empty="no prober"),
    )
