"""The workload-plane prober: checks each plane as a user would, and exports what it saw."""
