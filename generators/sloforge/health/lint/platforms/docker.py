"""Docker's health check as Dockerfile, compose and ECS share it: what it runs, and its words."""

from __future__ import annotations

import shlex
from decimal import Decimal

from sloforge.errors import Location
from sloforge.health.lint.model import Setting, Target
from sloforge.health.lint.platforms.probes import SHELLS


def asked(words: tuple[str, ...], where: Location, image: str = "") -> Target:
    """`CMD ...`, `CMD-SHELL text`, or the words alone, as a target."""
    shell = words[:1] == ("CMD-SHELL",)
    words = words[1:] if words[:1] in (("CMD-SHELL",), ("CMD",)) else words
    if words[1:2] == ("-c",) and words[0].rpartition("/")[2] in SHELLS:
        shell, words = True, words[2:]
    return Target(method="exec", where=where, command=words, shell=shell, image=image)


def once(where: Location) -> Setting:
    """One success is enough, and nothing can change that."""
    return Setting(name="successes", value=Decimal(1), where=where)


def words_of(text: str) -> tuple[str, ...]:
    """A command line as words; unbalanced quotes leave it whole."""
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return (text,)
