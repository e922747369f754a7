"""A question of a runbook: the query that answers it, and what each answer means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`answers` pairs what may come back with what it means."""

    question: str
    query: str
    answers: tuple[tuple[str, str], ...]


def asked(question: str, query: str, *answers: str) -> Asked:
    """Each answer as `what comes back: what it means`."""
    pairs = [answer.split(": ", 1) for answer in answers]
    return Asked(question=question, query=query, answers=tuple((a, b) for a, b in pairs))


def shown(found: Iterable[Asked]) -> str:
    """A numbered list; what the same query answers is asked once."""
    once: dict[str, Asked] = {}
    for one in found:
        once.setdefault(one.query, one)
    return "\n\n".join(_one(at, one) for at, one in enumerate(once.values(), 1))


def _one(at: int, one: Asked) -> str:
    answers = "\n".join(f"   - {what}: {meaning}" for what, meaning in one.answers)
    return f"{at}. {one.question}\n\n   ```promql\n   {one.query}\n   ```\n\n{answers}"
