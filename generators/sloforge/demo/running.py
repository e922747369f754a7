"""From a fresh start to a clean end: everything is built, started, watched, and stopped."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path

from rich.console import Console

from sloforge import naming
from sloforge.demo import burning, deploying, history, processes, servers, staging
from sloforge.demo.desk import TARGETS, Desk, serving
from sloforge.demo.history import Past
from sloforge.demo.interrupts import Interrupts, Stopped
from sloforge.demo.keys import keys
from sloforge.demo.narration import Narrator
from sloforge.demo.processes import PAUSE, Brood
from sloforge.demo.script import Script
from sloforge.demo.servers import Place
from sloforge.demo.service import Service
from sloforge.demo.services import INSTANCES, TENSOR_WASM
from sloforge.demo.staging import Addresses, Staged
from sloforge.demo.story import DAY, INCIDENTS, Story, Tally, month
from sloforge.demo.telling import Playing, World
from sloforge.preview import serving as preview
from sloforge.web import Secret

# As the command line has it; rich ends with the same where it notices first.
UNHEARD, INTERRUPTED = 1, 130
FOLDER = "sloforge-demo-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the command line chose; without a script it goes on until it is ended, or for `seconds`.

    `port` is that of the dashboards, 0 for any; `grafana` gets the dashboards, too.
    """

    script: Script | None = None
    port: int = 0
    seconds: float | None = None
    grafana: str = ""

    def story(self, now: int) -> Story:
        return self.script.story(now) if self.script else month(now)


def run(root: Path, choice: Choice) -> int:
    """0 where all went as it should, 1 where a script has not seen it all, 130 where it was cut.

    Raises Problem with what is missing, taken, wrong in slos/, or has ended by itself.
    """
    processes.locate_all()
    if choice.grafana:
        Secret(variable=staging.TOKEN).read()
    interrupts, narrator, stack = Interrupts(), Narrator(Console(highlight=False)), ExitStack()
    with interrupts.listening():
        try:
            with interrupts.held():
                folder = Path(tempfile.mkdtemp(prefix=FOLDER))
                stack.callback(shutil.rmtree, folder, ignore_errors=True)
            brood = Brood(interrupts.held)
            stack.callback(brood.stop)
            return _Demo(choice, narrator, folder, brood).play(root, stack)
        except Stopped as stopped:
            narrator.say("end", f"{stopped}: stopping everything, leaving nothing")
            return INTERRUPTED if choice.script else 0
        except OSError:
            if not narrator.is_deaf:
                raise
            return UNHEARD
        finally:
            interrupts.ignore()
            stack.close()


class _Demo:
    """One run: what is started ends with the brood or the stack, and files are in the folder."""

    def __init__(self, choice: Choice, narrator: Narrator, folder: Path, brood: Brood) -> None:
        self._choice, self._narrator = choice, narrator
        self._folder, self._brood = folder, brood
        self._places = _places(self._folder / "live", choice.port)
        self._where = Addresses(
            desk=self._places.desk.url,
            dashboards=self._places.boards.url,
            prometheus=self._places.prometheus.url,
            alertmanager=self._places.alertmanager.url,
            grafana=choice.grafana,
        )

    def play(self, root: Path, stack: ExitStack) -> int:
        self._greet()
        staged = self._build(root)
        story = self._choice.story(int(time.time()))
        tally = self._remember(staged, story)
        desk = Desk(Service(story, tally), self._where.desk, staged.folder / "runbooks")
        stack.enter_context(serving(desk, self._places.desk.port))
        world = self._start(staged, desk, stack)
        with keys() as keyboard:
            return Playing(world, self._choice.script, self._choice.seconds).play(keyboard)

    def _greet(self) -> None:
        self._narrator.title("sloforge demo: TensorWasm and the queue worker, live on this machine")
        self._narrator.addresses(
            {
                "dashboards": f"{self._where.dashboards}/d/{naming.dashboard_uid(TENSOR_WASM)}",
                "Prometheus": f"{self._where.prometheus}/alerts",
                "Alertmanager": f"{self._where.alertmanager}/#/alerts",
                "the service": f"{self._where.desk}{TARGETS}{INSTANCES[0].name}/metrics",
            }
        )
        self._narrator.note(f"Up within half a minute. Times are UTC. {staging.HASTE}")

    def _build(self, root: Path) -> Staged:
        staged = staging.stage(root, self._folder, self._where)
        count = len(staged.rules)
        alerts = sum(rule.alerts for rule in staged.rules)
        boards = len(list((staged.folder / "dashboards").glob("*.json")))
        self._narrator.say(
            "build",
            f"{len(staged.project.slos)} SLOs of {len(staged.project.services)} services: "
            f"{count - alerts} recording rules, {alerts} alerts, {boards} dashboards",
        )
        return staged

    def _remember(self, staged: Staged, story: Story) -> Tally:
        began = time.monotonic()
        past = Past(story=story, interval=staging.INTERVAL)
        written = history.write(past, staged.rules, self._places.prometheus, self._brood)
        took = time.monotonic() - began
        self._narrator.say(
            "history",
            f"30 days in {took:.0f} s: {written.samples:,} samples, {len(INCIDENTS)} incidents:",
        )
        for one in INCIDENTS:
            self._narrator.say("", f"{one.before / DAY:2.0f} days ago, {one.tale}")
        return written.tally

    def _start(self, staged: Staged, desk: Desk, stack: ExitStack) -> World:
        places, brood, enter = self._places, self._brood, stack.enter_context
        first = staging.NO_ROUTES
        manager, alertmanager = enter(servers.alertmanager(places.alertmanager, first, brood))
        config = staging.prometheus_config(staged, self._where)
        server, prometheus = enter(servers.prometheus(places.prometheus, config, brood))
        self._deploy(staged, "alertmanager", "--adopt")
        server.until(prometheus.has_alertmanager)
        if self._choice.grafana:
            self._deploy(staged, "grafana")
        # Last, as one deploy goes on at a time and this one is not waited for.
        proof = deploying.deploy(brood, staged.folder, "prometheus")
        boards = staged.folder / "dashboards"
        enter(preview.serve(boards, self._where.prometheus, port=places.boards.port))
        return World(
            narrator=self._narrator,
            prometheus=prometheus,
            alertmanager=alertmanager,
            desk=desk,
            children=(server, manager),
            proof=proof,
            watched=burning.watched(staged.project, TENSOR_WASM),
            settings=staged.project.settings,
        )

    def _deploy(self, staged: Staged, target: str, *more: str) -> None:
        """To its end."""
        child = deploying.deploy(self._brood, staged.folder, target, *more)
        while (said := deploying.result(child)) is None:
            time.sleep(PAUSE)
        self._narrator.say("deploy", f"{target.capitalize()}: {said}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """Where each server listens, and has its files."""

    prometheus: Place
    alertmanager: Place
    desk: Place
    boards: Place


def _places(folder: Path, port: int) -> _Places:
    """Raises Problem where the port that was asked for is taken."""
    names = [one.name for one in fields(_Places)]
    ports = processes.free_ports((0, 0, 0, port))
    places = {
        name: Place(port=found, folder=folder / name)
        for name, found in zip(names, ports, strict=True)
    }
    for place in places.values():
        place.folder.mkdir(parents=True)
    return _Places(**places)
