"""Build -> live systems: plan, apply, verify, undo; the kinds of targets are in targets.py."""
