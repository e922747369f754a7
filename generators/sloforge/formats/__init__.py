"""Specs and rules in the formats of other tools: what `sloforge import` and `export` do."""
