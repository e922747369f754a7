"""One plugin of each kind for sloforge."""
