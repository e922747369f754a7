"""SLO specs in; recording rules, alerts, tests, dashboards, routes and runbooks out."""

__version__ = "0.1.0"
