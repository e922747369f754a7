"""PyYAML's safe loader and dumper: those of libyaml where PyYAML was built with it."""

from typing import Any

import yaml

try:
    from yaml import CSafeDumper as SafeDumper
    from yaml import CSafeLoader as SafeLoader
except ImportError:  # pragma: no cover - a PyYAML without libyaml
    from yaml import SafeDumper, SafeLoader  # type: ignore[assignment]

__all__ = ["SafeDumper", "SafeLoader", "load"]


def load(text: str) -> Any:
    """The data of the one document. Raises yaml.YAMLError."""
    return yaml.load(text, Loader=SafeLoader)
