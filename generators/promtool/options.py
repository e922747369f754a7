"""How a run of tests is carried out."""

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Settings of one run.

    `timeout` is in seconds and holds for each test group. `only_ordered_groups` loads only the
    rule groups that a test file names in `group_eval_order`. `batch` is the largest number of
    test groups that one process is given, one file each: starting a process costs four times as
    much as a small test. `select` is a regular expression searched in the names of test groups.
    """

    jobs: int = 0
    timeout: float = 60.0
    only_ordered_groups: bool = True
    batch: int = 16
    select: str = ""
    features: tuple[str, ...] = ()

    @property
    def workers(self) -> int:
        return self.jobs or _cores()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
