"""HC...: the rules on health checks, each a small function in one of these tuples."""

from __future__ import annotations

from collections.abc import Iterator

from sloforge.health.lint.found import Found
from sloforge.health.lint.model import Hit, Level, Unit
from sloforge.health.lint.policy import Policy
from sloforge.health.lint.rules import (
    failures,
    presence,
    starts,
    successes,
    targets,
    timeouts,
)
from sloforge.health.lint.rules.look import CheckRule, Look, UnitRule

CHECK_RULES: tuple[CheckRule, ...] = (
    targets.restarts_on_dependencies,
    targets.leaves_on_dependencies,
    targets.asks_elsewhere,
    timeouts.above_interval,
    timeouts.too_short,
    timeouts.unsaid,
    timeouts.too_long,
    timeouts.blind,
    timeouts.no_deadline,
    timeouts.below_latency,
    timeouts.below_measured,
    starts.delays_traffic,
    starts.fixed_delay,
    starts.dead_delay,
    starts.startup_budget,
    starts.slow_first_look,
    failures.one_is_enough,
    failures.threshold_unused,
    failures.shorter_than_a_pause,
    failures.seen_late,
    successes.several_successes,
    successes.must_be_one,
    successes.late_again,
    successes.slower_when_down,
    presence.http_would_do,
    presence.not_in_the_image,
    presence.reserved_code,
    presence.on_init_container,
    presence.only_a_warning,
)
UNIT_RULES: tuple[UnitRule, ...] = (
    targets.same_question,
    failures.restarts_first,
    presence.missing,
)
# The strictest level of each, and its title; a page in docs/checks/ each.
CATALOG: dict[str, tuple[Level, str]] = {
    "HC001": ("error", "a file that cannot be read"),
    "HC002": ("error", "a file without anything to check"),
    "HC003": ("error", "a setting that the platform cannot read"),
    "HC004": ("warning", "a setting that is known only when it is rendered"),
    "HC005": ("error", "a suppression without a reason or without use"),
    "HC101": ("error", "liveness depends on others"),
    "HC102": ("warning", "all instances leave rotation together"),
    "HC103": ("error", "the check asks another host or port"),
    "HC104": ("warning", "liveness asks what readiness asks, and is as quick"),
    "HC105": ("warning", "a health answer that speaks for other servers"),
    "HC201": ("error", "the time-out is too short"),
    "HC202": ("warning", "the time-out is the platform's default"),
    "HC203": ("error", "the time-out is too long"),
    "HC204": ("error", "the time-out is longer than the interval"),
    "HC205": ("warning", "nobody looks between two attempts"),
    "HC206": ("error", "a command without a deadline of its own"),
    "HC207": ("warning", "the time-out is close to the route's latency"),
    "HC301": ("error", "a delay in front of readiness"),
    "HC302": ("warning", "a delay where a startup probe belongs"),
    "HC303": ("info", "a delay next to a startup probe"),
    "HC304": ("error", "the startup budget does not fit"),
    "HC305": ("error", "the grace period before repair does not fit"),
    "HC306": ("warning", "the first looks come at a default interval"),
    "HC401": ("error", "one failure is enough"),
    "HC402": ("warning", "Envoy ignores the threshold"),
    "HC403": ("warning", "all attempts fall into one pause"),
    "HC404": ("warning", "a failure is seen late"),
    "HC405": ("warning", "restarted before it is drained"),
    "HC501": ("warning", "several successes are needed"),
    "HC502": ("error", "liveness and startup take one success"),
    "HC503": ("warning", "a recovered instance waits"),
    "HC504": ("info", "looks less often while it is down"),
    "HC601": ("warning", "there is no check"),
    "HC602": ("info", "a process where httpGet would do"),
    "HC603": ("error", "the command is not in the image"),
    "HC604": ("warning", "an exit code that Docker reserves"),
    "HC605": ("error", "a probe on an init container"),
    "HC606": ("error", "an exit code that only warns"),
}


def hits(found: Found, policy: Policy) -> Iterator[Hit]:
    """Everything that the rules say about what was found."""
    for unit in found.units:
        yield from _of_unit(unit, policy)
    yield from presence.ignored_by_kubernetes(found.units)
    for heal in found.heals:
        yield from starts.repair_delay(heal, policy)
    for answer in found.answers:
        yield from targets.answers_for_others(answer)


def _of_unit(unit: Unit, policy: Policy) -> Iterator[Hit]:
    for check in unit.checks:
        look = Look(unit=unit, check=check, policy=policy)
        for rule in CHECK_RULES:
            yield from rule(look)
    for rule_of_unit in UNIT_RULES:
        yield from rule_of_unit(unit)
