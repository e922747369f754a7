"""A target whose objects are files of a folder, with faults on demand; nothing but the protocol."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sloforge.deploy.target import Desired, Moved, Receipt, Step, digest, verb_of
from sloforge.errors import Problem


class Crash(BaseException):
    """The process ends here: nothing may be done after it."""


@dataclass(slots=True)
class Folder:
    """Ours are the files that begin with `ours-`; `fault` is called before and after each write."""

    name: str
    path: Path
    concurrency: int = 1
    fault: Callable[[str, Step], None] = lambda _where, _step: None
    writes: list[str] = field(default_factory=list)
    broken: str = ""

    def plan(self, desired: Desired, applied: Mapping[str, str]) -> tuple[Step, ...]:
        files = desired.under("")
        wanted = {f"ours-{one.path.replace('/', '-')}": one.text for one in files}
        live = {path.name: path.read_text() for path in self.path.glob("ours-*")}
        return tuple(
            Step(
                target=self.name,
                kind="group",
                key=key,
                verb=verb_of(live.get(key), wanted.get(key)),
                before=live.get(key),
                after=wanted.get(key),
                seen=digest(live.get(key)),
            )
            for key in sorted(live.keys() | wanted.keys())
        )

    def apply(self, step: Step) -> Receipt:
        live = self._live(step)
        if live != step.after and digest(live) != step.seen:
            raise Moved(f"{step.key} was changed since the plan")
        self.fault("before", step)
        self._put(step, step.after)
        self.fault("after", step)
        return Receipt(step=step)

    def verify(self, steps: Iterable[Step]) -> tuple[str, ...]:
        for step in steps:
            if self._live(step) != step.after or step.after == self.broken != "":
                raise Problem(f"{step.key} is not in place")
        return ()

    def undo(self, receipt: Receipt) -> None:
        step = receipt.step
        if self._live(step) not in (step.before, step.after):
            raise Moved(f"{step.key} was changed by somebody else")
        self.fault("undo", step)
        self._put(step, step.before)

    def _live(self, step: Step) -> str | None:
        file = self.path / step.key
        return file.read_text() if file.exists() else None

    def _put(self, step: Step, text: str | None) -> None:
        self.writes.append(step.key)
        if text is None:
            (self.path / step.key).unlink(missing_ok=True)
        else:
            (self.path / step.key).write_text(text)
