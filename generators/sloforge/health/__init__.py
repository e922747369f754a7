"""Health checks: a probe, a prober for workload planes, and a linter of their settings."""
