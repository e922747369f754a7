"""The parts of a runbook on workload planes: how late its alerts are, and what to ask first."""

from __future__ import annotations

from collections.abc import Iterator

from sloforge.generate.runbooks.asked import Asked, asked
from sloforge.generate.runbooks.page import Page
from sloforge.generate.runbooks.spelling import code, span, table
from sloforge.planes import LAST_STATUS, LAST_SUCCESS, STATUS, STEP_STATUS, STORE_UP, TICK
from sloforge.planestates import state_rules
from sloforge.promql import duration


def planes(page: Page) -> str:
    """When each alert fires at the latest, counted from the fault itself."""
    found = page.project.planes
    services = {service.name: service for service in page.services}
    if found is None or found.service not in services:
        return "No planes are configured."
    service, interval = services[found.service], page.project.settings.interval
    mine = {alert.name for alert in page.alerts}
    rows = [
        (code(rule.name), span(rule.wait), span(rule.detection(service, interval)))
        for rule in state_rules(found, service)
        if rule.name in mine
    ]
    head = ("Alert", "Waits", "At the latest after the fault")
    settings = (
        f"Each plane is checked every {duration(found.interval)}; a check takes at most "
        f"{duration(found.deadline)}, and its result counts for {duration(found.ttl)}."
    )
    return f"{table(head, rows)}\n\n{settings}"


def questions() -> Iterator[Asked]:
    """The same for every state: they tell one from the other."""
    yield asked(
        "Which planes are not OK, and what are they?",
        f'max by (plane, status) ({STATUS}{{status!="OK"}}) == 1',
        "one plane: look at that plane",
        "all planes: look at what they share, and at the prober",
        "nothing: all are OK, or no prober answers; ask the next questions",
    )
    yield asked(
        "Which step of the check ends badly?",
        f'max by (plane, step, status) ({STEP_STATUS}{{status=~"MISSING|FAILED|SLOW"}}) == 1',
        "user, oracle: what the check needs is missing; the plane itself may well be fine",
        "predict: customers are hit",
        "async_submit, async_result: only asynchronous predictions are hit",
    )
    yield asked(
        "What was the plane last, and when did it work?",
        f"{LAST_STATUS} == 1 or time() - {LAST_SUCCESS}",
        "a status: the last result, however old",
        "a number of seconds: the age of the last success",
        "nothing: it was never checked, or the store was emptied",
    )
    yield asked(
        "Does the prober itself live?",
        f"time() - {TICK} or {STORE_UP}",
        "less than a few intervals, and 1: it does",
        "a large age: the scheduler stands still",
        "0: the exporter cannot read its store",
        "nothing: no exporter answers",
    )
