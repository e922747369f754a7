"""Run Prometheus rule tests through promtool, with one typed result per assertion."""

from promtool.backfill import History, backfill_openmetrics, backfill_rules
from promtool.binary import Promtool, locate
from promtool.capabilities import CAPABILITIES, Capability
from promtool.checking import Check, check_config, check_rules
from promtool.errors import (
    BadFileError,
    NotFoundError,
    PromtoolError,
    TimedOutError,
    ToolError,
    UnsupportedError,
)
from promtool.options import Options
from promtool.results import Assertion, File, Group, Problem, Suite
from promtool.testing import run_tests
from promtool.version import Version

__all__ = [
    "CAPABILITIES",
    "Assertion",
    "BadFileError",
    "Capability",
    "Check",
    "File",
    "Group",
    "History",
    "NotFoundError",
    "Options",
    "Problem",
    "Promtool",
    "PromtoolError",
    "Suite",
    "TimedOutError",
    "ToolError",
    "UnsupportedError",
    "Version",
    "backfill_openmetrics",
    "backfill_rules",
    "check_config",
    "check_rules",
    "locate",
    "run_tests",
]
