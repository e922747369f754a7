"""A strict, stateful stand-in for Grafana's HTTP API, written from its documentation and source.

What it answers, and when, follows pkg/services/dashboards/errors.go, pkg/api/dashboard.go,
pkg/api/folder.go and pkg/api/apierrors of Grafana 10.4 to 13, and the HTTP API's documentation. It
is driven by an independent client, too, so that it cannot be bent to fit the code under test.
"""

from tests.grafana_server.faults import Fault
from tests.grafana_server.serving import GrafanaServer, Seen
from tests.grafana_server.store import Behaviour, Dashboard, Folder, Store

__all__ = ["Behaviour", "Dashboard", "Fault", "Folder", "GrafanaServer", "Seen", "Store"]
