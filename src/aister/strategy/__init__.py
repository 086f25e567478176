"""Closed features in, `Setup` out: which rule fired, on which values, with its own entry, stop and targets."""
