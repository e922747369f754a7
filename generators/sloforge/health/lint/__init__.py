"""Settings of health checks on every platform, linted: rules HC101 and on, and derived times."""
