"""Puts slo-probe into the wheel: the native binary where it can be compiled, else the script."""

from __future__ import annotations

import importlib.util
import os
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "slo_probe.py"

# What a checkout installs: it follows edits, and takes what `make probe` has built.
LAUNCHER = """#!/bin/sh
probe={directory}
if [ -x "$probe/build/slo-probe" ]; then exec "$probe/build/slo-probe" "$@"; fi
exec "$probe/slo_probe.py" "$@"
"""


class ProbeBuildHook(BuildHookInterface[Any]):
    """SLO_PROBE_TARGET names another platform than this one, or `none` for the script alone."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel":
            return
        scripts = build_data.setdefault("shared_scripts", {})
        if version == "editable":
            scripts[str(_launcher())] = "slo-probe"
            return
        compiler = _compiler()
        target = os.environ.get("SLO_PROBE_TARGET")
        if target is None and compiler.has_zig():
            target = compiler.own_target()
        if target in (None, "none"):
            scripts[str(SCRIPT)] = "slo-probe"
            return
        binary = compiler.compiled(HERE / "build" / target / "slo-probe", target)
        scripts[str(binary)] = "slo-probe"
        # What the binary hands https and the agent to.
        scripts[str(SCRIPT)] = "slo-probe.py"
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{compiler.TARGETS[target]}"


def _launcher() -> Path:
    launcher = HERE / "build" / "launcher"
    launcher.parent.mkdir(exist_ok=True)
    launcher.write_text(LAUNCHER.format(directory=shlex.quote(str(HERE))), encoding="utf-8")
    launcher.chmod(0o755)
    return launcher


def _compiler() -> ModuleType:
    """compiler.py beside this file: while a wheel is built, the project cannot be imported."""
    spec = importlib.util.spec_from_file_location("compiler", HERE / "compiler.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
