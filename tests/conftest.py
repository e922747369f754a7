"""Hypothesis without a deadline: how long an example takes says how busy the machine is."""

from hypothesis import settings

settings.register_profile("patient", settings(deadline=None))
settings.load_profile("patient")
