"""Planes for tests: a file of them, short times, and what an exporter says."""

import dataclasses
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from sloforge.planes import STATUS, Planes
from sloforge.specs.planes import load_file

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def config(url: str, names: list[str], **head: Any) -> str:
    """The text of a planes.yaml for the fake server."""
    lines = {"interval": "1s", "ttl": "2s", "timeout": "500ms", "deadline": "1s"}
    lines |= {"slow_after": "500ms"} | head
    text = "".join(f"{key}: {value}\n" for key, value in lines.items())
    planes = "".join(f"- name: {name}\n" for name in names)
    return f"version: sloforge-planes/v1\nbase_url: {url}/{{plane}}\n{text}planes:\n{planes}"


def planes(folder: Path, text: str) -> Planes:
    file = folder / "planes.yaml"
    file.write_text(text, encoding="utf-8")
    return load_file(file)


def quick(found: Planes, **times: float) -> Planes:
    """Times in seconds that a file may not have, so that a test need not wait."""
    own: dict[str, Any] = {key: timedelta(seconds=value) for key, value in times.items()}
    of_all = {key: value for key, value in own.items() if key in ("interval", "ttl")}
    of_each = {key: value for key, value in own.items() if key not in of_all}
    each = tuple(dataclasses.replace(plane, **of_each) for plane in found.planes)
    return dataclasses.replace(found, planes=each, **of_all)


def samples(text: str) -> Samples:
    """Every sample of an exposition, as prometheus_client reads it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(port: int) -> Samples:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return samples(answer.read().decode())


def statuses(found: Samples, metric: str = STATUS) -> dict[str, str]:
    """Plane -> its status; fails where a plane has not exactly one."""
    one: dict[str, str] = {}
    for (name, pairs), value in found.items():
        labels = dict(pairs)
        if name == metric and value == 1:
            assert labels["plane"] not in one, labels
            one[labels["plane"]] = labels["status"]
    return one


def counted(found: Samples, plane: str, status: str) -> float:
    return found["workload_plane_checks_total", (("plane", plane), ("status", status))]
