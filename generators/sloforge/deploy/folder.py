"""A folder of files for somebody else to pick up: each is written at once, and only ours are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sloforge.deploy import files
from sloforge.deploy.target import Config, Desired, Moved, Receipt, Step, digest, verb_of
from sloforge.errors import Problem

# The files of ours in a folder whose files cannot say it themselves.
LIST = ".sloforge"
_HEAD = "# Written by `sloforge deploy` for {}: its files here.\n"
Files = Iterator[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is written: `files` are names, with forward slashes, and texts.

    `mark` is how each of ours begins; empty where none can, and a list beside them is kept instead.
    `told` says a change in words.
    """

    kind: str
    files: Callable[[Desired, Config], Files]
    told: Callable[[str | None, str | None], tuple[str, ...]]
    mark: str = ""


class Folder:
    """The folder `folder` of the configuration."""

    def __init__(self, config: Config, form: Form) -> None:
        self.name, self.concurrency = config.name, 1
        self._folder = (config.root / config.options["folder"]).absolute()
        self._config, self._form = config, form
        self._mark = form.mark.format(config.project)

    def plan(self, desired: Desired, applied: Mapping[str, str]) -> Iterator[Step]:
        del applied
        ours = self._ours()
        wanted: set[str] = set()
        for name, text in self._form.files(desired, self._config):
            wanted.add(name)
            yield self._step(name, text, ours)
        if not self._mark:
            text = _HEAD.format(self._config.project) + "".join(f"{n}\n" for n in sorted(wanted))
            yield self._step(LIST, text, {*ours, LIST})
        yield from (self._step(name, None, ours) for name in sorted(ours - wanted))

    def apply(self, step: Step) -> Receipt:
        path = self._folder / step.key
        live = files.text_of(path)
        if live != step.after:
            if digest(live) != step.seen:
                raise Moved(f"{path}: was changed since the plan; plan again")
            self._put(path, step.after)
        return Receipt(step=step)

    def verify(self, steps: Iterable[Step]) -> tuple[str, ...]:
        for step in steps:
            path = self._folder / step.key
            if files.text_of(path) != step.after:
                raise Problem(f"{path}: is not what was written a moment ago; deploy again")
        return ()

    def undo(self, receipt: Receipt) -> None:
        step = receipt.step
        path = self._folder / step.key
        if files.text_of(path) not in (step.before, step.after):
            raise Moved(f"{path}: was changed by somebody else; left as it is")
        self._put(path, step.before)

    def _put(self, path: Path, text: str | None) -> None:
        files.remove(path) if text is None else files.write(path, text)

    def _ours(self) -> set[str]:
        """The names of our files that are there. Raises Problem for a folder of another project."""
        if self._mark:
            texts = ((path, files.text_of(path)) for path in self._folder.glob("*.yaml"))
            return {path.name for path, text in texts if (text or "").startswith(self._mark)}
        head, *names = (files.text_of(self._folder / LIST) or "").splitlines() or [""]
        if head and f"{head}\n" != _HEAD.format(self._config.project):
            what = f"{self._folder}: belongs to another project, as `{LIST}` in it says"
            raise Problem(f"{what}; give target {self.name} a `folder` of its own")
        return {name for name in names if (self._folder / name).is_file()}

    def _step(self, name: str, wanted: str | None, ours: set[str]) -> Step:
        live = files.text_of(self._folder / name)
        foreign = live not in (None, wanted) and name not in ours and not self._config.adopt
        reason = "a file of this name is there, and not by us; move it away, or `--adopt` it"
        return Step(
            target=self.name,
            kind="file" if name == LIST else self._form.kind,
            key=name,
            verb="blocked" if foreign else verb_of(live, wanted),
            reason=reason * foreign,
            before=live,
            after=wanted,
            seen=digest(live),
            summary=() if live == wanted or name == LIST else self._form.told(live, wanted),
        )
