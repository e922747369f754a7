"""The demo once it is up: what happens is told as it happens, until somebody ends it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sloforge.demo import burning, deploying, messages, watch
from sloforge.demo.burning import Rates, Watched
from sloforge.demo.desk import Delivery, Desk
from sloforge.demo.keys import Keys
from sloforge.demo.narration import Narrator
from sloforge.demo.processes import Child
from sloforge.demo.script import SIGHTS, Script, Seen
from sloforge.demo.servers import Alertmanager, Prometheus
from sloforge.demo.watch import Alert, Alerts, Event
from sloforge.errors import Problem
from sloforge.model import Settings

TICK = 0.5
# Seconds between two lines of burn rates: at first, and once it has gone on for a while.
OFTEN, SELDOM, YOUNG = 15, 30, 90


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that runs, and who tells of it."""

    narrator: Narrator
    prometheus: Prometheus
    alertmanager: Alertmanager
    desk: Desk
    children: tuple[Child, ...]
    proof: Child
    watched: Watched
    settings: Settings


class Playing:
    """What has been seen and told so far."""

    def __init__(self, world: World, script: Script | None, seconds: float | None) -> None:
        self._world, self._script, self._seconds = world, script, seconds
        self._say = world.narrator.say
        self._seen = Seen(script, world.watched) if script else None
        self._alerts: Alerts = {}
        self._rates: Rates | None = None
        self._turned, self._peak = time.time(), 0.0
        self._mended: float | None = None
        self._broken = self._proven = self._beating = False

    def play(self, keyboard: Keys) -> int:
        """Until the script is over, the time is up, or `q` is pressed; the exit code."""
        began = time.time()
        if self._script is None:
            self._invite(has_keys=keyboard.handle is not None)
        while True:
            key = keyboard.pressed(TICK).lower()
            if key == "q":
                self._say("end", "stopping everything, leaving nothing")
                return 0
            if key == "b":
                self._switch()
            now = time.time()
            self._look(now)
            over = self._over(now - began)
            if over is not None:
                return over

    def _invite(self, *, has_keys: bool) -> None:
        url = self._world.desk.url
        how = "press b" if has_keys else f"`curl -X POST {url}/break`"
        again = "b again mends it, q ends" if has_keys else f"`curl -X POST {url}/mend` mends it"
        self._say("ready", f"all is well; {how} to break the service, {again}")

    def _switch(self) -> None:
        service = self._world.desk.service
        service.mend() if service.is_broken else service.shatter()

    def _look(self, now: float) -> None:
        for child in self._world.children:
            child.check()
        self._look_at_deploy(now)
        self._look_at_service(now)
        try:
            seen = watch.look(self._world.prometheus, self._world.alertmanager)
            self._burn(now)
        except Problem:
            # It may have ended between the look at it and the question.
            for child in self._world.children:
                child.check()
            raise
        # An alert before what is said of it, where both are new.
        for event in watch.changes(self._alerts, seen):
            self._happen(event, now)
        self._alerts = seen
        for delivery in self._world.desk.taken():
            self._deliver(delivery, now)

    def _look_at_deploy(self, now: float) -> None:
        if not self._proven and (said := deploying.result(self._world.proof)):
            self._proven = True
            self._say("deploy", f"Prometheus: {said}")
            if self._seen:
                self._seen.note("proven", now)

    def _look_at_service(self, now: float) -> None:
        broken = self._world.desk.service.is_broken
        if broken == self._broken:
            return
        self._broken, self._turned, self._rates = broken, now, None
        self._mended = None if broken else now
        if broken:
            self._peak = 0.0
            self._say("break", "users get a 503 for everything they ask; the health check is green")
        else:
            self._say("mend", "users are served again")
            if self._seen:
                self._seen.note("mended", now)

    def _deliver(self, delivery: Delivery, now: float) -> None:
        if delivery.kind == "webhook":
            if not self._beating:
                self._beating = True
                self._say(
                    "heartbeat", f"the Watchdog arrives at {delivery.receiver}: alerting works"
                )
            return
        message = messages.READERS[delivery.kind](delivery.body)
        severity = self._severity(delivery.receiver)
        self._world.narrator.message(message, severity)
        if self._seen:
            self._seen.message(message, severity, now)

    def _severity(self, receiver: str) -> str:
        """What a receiver is for; nothing where no owner names it."""
        owners = self._world.settings.owners
        found = {one.page: "page" for one in owners} | {one.ticket: "ticket" for one in owners}
        return found.get(receiver, "")

    def _happen(self, event: Event, now: float) -> None:
        alert = event.alert
        name = f"{alert.name} ({alert.severity})"
        match event.kind:
            case "pending":
                self._say("pending", f"{name}: {alert.subject}, until it has lasted")
            case "firing":
                self._say("FIRING", f"{name}: {alert.subject}{_windows(alert)}")
            case "inhibited":
                by = " and ".join(alert.held_by)
                self._say("inhibited", f"{name}: held back by {by}, nobody is told twice")
            case "released":
                self._say("released", f"{name}: held back no more")
            case "ended":
                self._say("ended", f"{name}: {alert.subject}")
        if self._seen:
            self._seen.alert(event, now)

    def _burn(self, now: float) -> None:
        """Now and then while something burns."""
        what = self._world.watched
        burns = self._broken or any(one.name == what.alert for one in self._alerts.values())
        pause = OFTEN if now - self._turned < YOUNG else SELDOM
        if not burns or (self._rates and now - self._rates.at < pause):
            return
        found = burning.rates(self._world.prometheus, what, now)
        if not all(window in found.rates for window in what.windows):
            return
        self._peak = max(self._peak, found.rates[what.windows[1]])
        ahead = burning.rising(what, self._rates, found)
        if self._mended:
            ahead = burning.falling(what, self._peak, found, self._mended)
        self._say("burn", burning.words(what, found, ahead))
        self._rates = found

    def _over(self, elapsed: float) -> int | None:
        """The exit code, once there is one."""
        if self._seconds is not None and elapsed >= self._seconds:
            self._say("end", "the time is up")
            return 0 if self._seen is None or not self._seen.missing() else self._missed()
        if self._seen is None or self._script is None:
            return None
        if self._seen.is_to_be_mended(time.time()):
            self._world.desk.service.mend()
        if not self._seen.missing():
            count = len(self._script.expected)
            self._say("done", f"all {count} things that had to happen have happened")
            return 0
        return self._missed() if elapsed >= self._script.longest else None

    def _missed(self) -> int:
        assert self._seen is not None
        for sight in self._seen.missing():
            self._say("missing", SIGHTS[sight].format(alert=self._world.watched.alert))
        return 1


def _windows(alert: Alert) -> str:
    return f", over {alert.windows}" if alert.windows else ""
