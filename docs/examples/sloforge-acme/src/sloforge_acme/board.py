"""The target `acme-board`: a folder that our board shows, with the table of the catalogue."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from sloforge.extending import Config, Desired, Moved, Problem, Receipt, Step, digest, verb_of
from sloforge_acme.catalog import PATH

NAME = "promises.csv"


def target(config: Config) -> "Board":
    folder = config.options.get("folder")
    if not isinstance(folder, str):
        raise Problem(f"deploy.yaml: target `{config.name}`: expected `options: {{folder: ...}}`")
    return Board(config.name, config.root / folder / NAME)


class Board:
    """One object: the table; `seen` is the digest of what was there when it was planned."""

    concurrency = 1

    def __init__(self, name: str, file: Path) -> None:
        self.name = name
        self._file = file

    def plan(self, desired: Desired, applied: Mapping[str, str]) -> tuple[Step, ...]:
        del applied
        before = self._now()
        after = next((one.text for one in desired.under(PATH)), None)
        return (
            Step(
                target=self.name,
                kind="table",
                key=NAME,
                verb=verb_of(before, after),
                before=before,
                after=after,
                seen=digest(before),
            ),
        )

    def apply(self, step: Step) -> Receipt:
        now = self._now()
        if now != step.after:
            if digest(now) != step.seen:
                raise Moved(f"{self._file} was changed since the plan was made; plan again")
            self._write(step.after)
        return Receipt(step=step, undo={"before": step.before})

    def verify(self, steps: Iterable[Step]) -> tuple[str, ...]:
        for step in steps:
            if self._now() != step.after:
                raise Problem(f"{self._file} does not hold what was written to it")
        return ()

    def undo(self, receipt: Receipt) -> None:
        if self._now() == receipt.step.after:
            self._write(receipt.step.before)

    def _now(self) -> str | None:
        return self._file.read_text(encoding="utf-8") if self._file.exists() else None

    def _write(self, text: str | None) -> None:
        if text is None:
            self._file.unlink(missing_ok=True)
        else:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(text, encoding="utf-8")
