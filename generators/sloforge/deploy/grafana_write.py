"""Dashboards are saved over the version that was seen, deleted after a look, and brought back.

A lost answer is no failure: what Grafana holds afterwards decides.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sloforge.deploy.grafana_api import Api, Live, done, status_of
from sloforge.deploy.grafana_board import Board, of_text
from sloforge.deploy.grafana_words import summary
from sloforge.deploy.target import Moved, Receipt, Step
from sloforge.errors import Problem
from sloforge.web import PASSING, TOO_MANY, Answer, Lost, Retry

ATTEMPTS = 3
PACE = Retry(first=0.2, most=2.0)
SERVER_ERROR = 500
_CLASHES = {
    "name-exists": "another dashboard of this title is in the folder: rename or remove that one",
    "plugin-dashboard": "a plugin owns it: remove it there, or give ours another uid",
}


def apply(api: Api, step: Step, message: str) -> Receipt:
    """Create, update, move or delete. Raises Moved where somebody was faster."""
    if step.after is None:
        wrote = _delete(api, step)
    else:
        wrote = _save(api, step, of_text(step.after), message)
    return Receipt(step=step, undo={"wrote": wrote})


def undo(api: Api, receipt: Receipt, message: str) -> None:
    """The same step backwards; raises Moved where what it wrote is no longer there."""
    step = receipt.step
    if receipt.undo.get("wrote") is False:
        return
    live = api.board(step.key)
    if _is(live, step.before):
        return
    if not _is(live, step.after):
        raise Moved(f"dashboard `{step.key}`: {_found(live)}, and not what was deployed; it stays")
    seen = str(live.version) if live else ""
    apply(api, replace(step, before=step.after, after=step.before, seen=seen), message)


def difference(api: Api, step: Step) -> str:
    """What in Grafana is not as the step wants it; empty where all is."""
    live = api.board(step.key)
    if _is(live, step.after):
        return ""
    if live is None or step.after is None:
        return f"dashboard `{step.key}`: {_found(live)}, and should {_should(step)}"
    changes = "; ".join(summary(of_text(step.after), live.board))
    return f"dashboard `{step.key}`: Grafana does not hold what was saved: {changes}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """How a write went; `status` is 0 where no answer came, `refusal` None where it was done."""

    status: int
    refusal: Problem | None
    after: str | None = None

    @property
    def unsure(self) -> bool:
        """Whether it may have been carried out all the same."""
        return self.status == 0 or self.status >= SERVER_ERROR

    @property
    def passes(self) -> bool:
        return self.status == 0 or self.status in PASSING - {TOO_MANY}


def _save(api: Api, step: Step, wanted: Board, message: str) -> bool:
    """Whether it was us: where Grafana held it already, there is nothing to undo."""
    seen = int(step.seen) if step.before is not None else None
    for attempt in range(ATTEMPTS):
        tried = _tried(api, step, lambda: api.save(wanted, seen, message))
        if tried.refusal is None:
            return True
        live = api.board(step.key)
        if live is not None and live.board.same(wanted):
            return tried.unsure or attempt > 0
        if (live.version if live else None) != seen:
            raise Moved(f"dashboard `{step.key}`: {_found(live)}, {_planned(step)}; plan again")
        _wait(tried, tried.refusal, attempt)
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


def _delete(api: Api, step: Step) -> bool:
    """Whether it was us. Grafana deletes whatever version there is: the look comes right before."""
    for attempt in range(ATTEMPTS):
        live = api.board(step.key)
        if live is None:
            return attempt > 0
        if str(live.version) != step.seen or not _is(live, step.before) or not live.board.mark:
            raise Moved(f"dashboard `{step.key}`: {_found(live)}, {_planned(step)}; plan again")
        tried = _tried(api, step, lambda: api.delete_board(step.key))
        if tried.refusal is None:
            return True
        if api.board(step.key) is None:
            return tried.unsure or attempt > 0
        _wait(tried, tried.refusal, attempt)
    raise AssertionError("the last attempt returns or raises")  # pragma: no cover


def _tried(api: Api, step: Step, write: Callable[[], Answer]) -> _Try:
    try:
        answer = write()
    except Lost as lost:
        return _Try(status=0, refusal=lost)
    if done(answer):
        return _Try(status=answer.status, refusal=None)
    after = answer.headers.get("retry-after")
    return _Try(status=answer.status, refusal=_refusal(api, answer, step), after=after)


def _wait(tried: _Try, refusal: Problem, attempt: int) -> None:
    """Before the next attempt; raises the refusal where there is none."""
    if not tried.passes or attempt + 1 == ATTEMPTS:
        raise refusal
    time.sleep(PACE.pause(attempt, tried.after))


def _is(live: Live | None, text: str | None) -> bool:
    if live is None or text is None:
        return live is None and text is None
    return live.board.same(of_text(text))


def _refusal(api: Api, answer: Answer, step: Step) -> Problem:
    clash = _CLASHES.get(status_of(answer))
    if clash:
        return Problem(f"dashboard `{step.key}`: Grafana says `{answer.quoted}`; {clash}")
    verb = "delete" if step.after is None else "create" if step.before is None else "write"
    return api.refusal(answer, f"to {verb} this dashboard: `dashboards:{verb}`")


def _found(live: Live | None) -> str:
    if live is None:
        return "is not there"
    return f"is at version {live.version}, saved by `{live.editor}`"


def _planned(step: Step) -> str:
    if step.before is None:
        return "and was not there when it was planned"
    return f"and was at version {step.seen} when it was planned"


def _should(step: Step) -> str:
    return "be gone" if step.after is None else "be there"
