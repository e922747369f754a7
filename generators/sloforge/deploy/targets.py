"""Every kind of target there is."""

from __future__ import annotations

from sloforge.deploy import alertmanager, grafana, grafana_files, kubernetes, prometheus, ruler
from sloforge.deploy.target import Factory

# The kind of a target in deploy.yaml -> what makes it from its configuration.
TARGETS: tuple[tuple[str, Factory], ...] = (
    ("prometheus", prometheus.prometheus),
    ("vmalert", prometheus.vmalert),
    ("ruler", ruler.target),
    ("kubernetes", kubernetes.target),
    ("alertmanager", alertmanager.target),
    ("grafana", grafana.target),
    ("provisioning", grafana_files.provisioning),
    ("import", grafana_files.imports),
)
